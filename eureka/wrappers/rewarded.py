"""Gymnasium environments whose reward is a module's: a single one, or several in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, SupportsFloat

import gymnasium
import numpy as np
import torch
from gymnasium.vector import SyncVectorEnv, VectorEnv, VectorWrapper

from eureka.core.errors import EurekaError
from eureka.wrappers.goals import StateFromGoals, goal_reward, require_own_goals
from eureka.wrappers.readers import EpisodeReader, StepReading
from eureka.wrappers.reward_module import RewardModule

OpenReader = Callable[[Any], EpisodeReader]
"""Opens the reader of one environment."""


class _Read(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment wrapper that reads the State in every step."""

    def __init__(self, env: gymnasium.Env[Any, Any], open_reader: OpenReader) -> None:
        super().__init__(env)
        self._reader = open_reader(env)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._reader.reset(observation, info)
        return observation, info


class RewardedEnv(_Read):
    """An environment with the reward of a module; see `RewardWrapper` for what `info` holds.

    Args:
        env: what is wrapped.
        module: the reward.
        open_reader: makes the reader of the State of `env`.
        state_from_goals: makes the State from goals, for `compute_reward`.
        keep_compute_reward: leave an environment's own `compute_reward` as it is.

    Raises:
        EurekaError: the environment cannot be used with this reward.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        module: RewardModule,
        open_reader: OpenReader,
        state_from_goals: StateFromGoals | None = None,
        keep_compute_reward: bool = False,
    ) -> None:
        if isinstance(env, VectorEnv):
            raise EurekaError(f"{env} holds several environments: use VectorRewardWrapper")
        _refuse_autoreset(env)
        remedy = "give state_from_goals=FUNCTION, which makes the State from goals"
        require_own_goals(env, keep_compute_reward or state_from_goals is not None, remedy)
        super().__init__(env, open_reader)
        self.module = module
        self._gives_state = state_from_goals is not None
        if state_from_goals is not None:
            self.compute_reward = goal_reward(module, state_from_goals)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """One step with the module's reward."""
        observation, environment_reward, terminated, truncated, info = self.env.step(action)
        state, metric = self._reader.step(action, observation, info, ended=bool(terminated or truncated))
        total, components = self.module(state)
        added = _step_info(components, 0, environment_reward) | metric
        if self._gives_state:
            added["state"] = {name: state[name][0].numpy() for name in self.module.inputs}
        return observation, float(total[0]), terminated, truncated, {**info, **added}


class RewardedVector(VectorWrapper[Any, Any, Any, Any, Any]):
    """A `SyncVectorEnv` with the rewards of a module, computed for all environments at once.

    A wrapper is put around each of its environments to read their States.

    Args:
        env: a `SyncVectorEnv`, or wrappers around one.
        module: the reward.
        open_reader: makes the reader of the State of one of its environments.
        keep_compute_reward: as for `RewardedEnv`.

    Raises:
        EurekaError: the environments cannot be used with this reward.
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        module: RewardModule,
        open_reader: OpenReader,
        keep_compute_reward: bool = False,
    ) -> None:
        super().__init__(env)
        base = env.unwrapped
        if not isinstance(base, SyncVectorEnv):
            raise EurekaError(
                f"{base} does not have its environments in this process: put a RewardWrapper into each of them, by "
                "wrappers=[...] of make_vec, with functools.partial where it has arguments"
            )
        self.module = module
        for inner in base.envs:
            remedy = "put a RewardWrapper with state_from_goals=FUNCTION into each environment in place of this wrapper"
            require_own_goals(inner, keep_compute_reward, remedy)
        self._recorders = [_StateRecorder(inner, open_reader) for inner in base.envs]
        base.envs[:] = self._recorders
        mode = getattr(base, "autoreset_mode", None)  # missing in Gymnasium 1.0
        self._resets_in_last_step = getattr(mode, "name", "NEXT_STEP") == "SAME_STEP"

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """One step of every environment, with the module's rewards."""
        for recorder in self._recorders:
            recorder.readings.clear()
        observations, environment_rewards, terminated, truncated, infos = self.env.step(actions)
        stepped = [index for index, recorder in enumerate(self._recorders) if recorder.readings]
        rewards = np.zeros(self.num_envs)
        if not stepped:
            return observations, rewards, terminated, truncated, infos
        readings = [self._recorders[index].readings[-1] for index in stepped]
        names = readings[0].state
        total, components = self.module({name: torch.cat([read.state[name] for read in readings]) for name in names})
        rewards[stepped] = total.numpy()
        for row, index in enumerate(stepped):
            added: dict[str, Any] = _step_info(components, row, environment_rewards[index]) | readings[row].metric
            if self._resets_in_last_step and (terminated[index] or truncated[index]):
                added = {"final_info": added}
            infos = self._add_info(infos, added, index)
        return observations, rewards, terminated, truncated, infos


class _StateRecorder(_Read):
    """Stores the readings of every step of one environment, before a reset in the same vector step."""

    def __init__(self, env: gymnasium.Env[Any, Any], open_reader: OpenReader) -> None:
        super().__init__(env, open_reader)
        self.readings: list[StepReading] = []

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        ended = bool(terminated or truncated)
        self.readings.append(self._reader.step(action, observation, info, ended=ended))
        return observation, reward, terminated, truncated, info


def _step_info(components: Mapping[str, torch.Tensor], row: int, environment_reward: SupportsFloat) -> dict[str, Any]:
    """The entries that a wrapper adds to the `info` of one environment's step, which is `row` of the components."""
    values = {name: float(value[row]) for name, value in components.items()}
    return {"reward_components": values, "environment_reward": float(environment_reward)}


def _refuse_autoreset(env: gymnasium.Env[Any, Any]) -> None:
    inner = env
    while isinstance(inner, gymnasium.Wrapper):
        if type(inner).__name__ == "Autoreset":
            raise EurekaError(f"{env}: Autoreset hides resets from the reward; put RewardWrapper inside of it")
        inner = inner.env
