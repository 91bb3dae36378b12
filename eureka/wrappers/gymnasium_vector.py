"""An exported reward in place of a Gymnasium vector environment's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv, VectorWrapper

from eureka.core.errors import EurekaError
from eureka.tasks import Task
from eureka.tasks.base import state_tensors
from eureka.tasks.gym_state import CarryReader
from eureka.wrappers.episode_metric import EpisodeMetric
from eureka.wrappers.goals import require_own_goals
from eureka.wrappers.gymnasium_env import step_info
from eureka.wrappers.reward_module import load_reward, state_reader


class VectorRewardWrapper(VectorWrapper[Any, Any, Any, Any, Any]):
    """Replaces the rewards of a `SyncVectorEnv` by an exported reward module's total, computed for all at once.

        envs = gymnasium.make_vec("Ant-v5", num_envs=8, vectorization_mode="sync")
        envs = VectorRewardWrapper(envs, "best/reward.py")

    `step` adds to `infos`, as Gymnasium lays out the infos of several environments:

        reward_components: {name: (num_envs,) float64}, with masks `_name`
        environment_reward: (num_envs,) float64, with the mask `_environment_reward`
        task_metric: (num_envs,) float64, likewise; of episodes that end also episode_task_metric

    In every autoreset mode the reward of a step is that of its State before the reset. An environment that only
    resets in a step (`NEXT_STEP`) is paid 0 and masked out; where it resets in its last step (`SAME_STEP`), what is
    said of that step is in `infos["final_info"]`, beside the rest of its info.

    A wrapper is put around each of the `SyncVectorEnv`'s environments to read their States. An `AsyncVectorEnv` has
    its environments in other processes: put a `RewardWrapper` into each of them, `wrappers=[...]` of `make_vec`.

    Args:
        env: a `SyncVectorEnv`, or wrappers around one.
        reward, task, task_dirs, carry, keep_compute_reward: as for `RewardWrapper`.

    Raises:
        EurekaError: the module cannot be loaded, or does not fit the environments.
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        reward: str | Path,
        *,
        task: str | None = None,
        task_dirs: Sequence[str | Path] = (),
        carry: Mapping[str, CarryReader] = MappingProxyType({}),
        keep_compute_reward: bool = False,
    ) -> None:
        super().__init__(env)
        base = env.unwrapped
        if not isinstance(base, SyncVectorEnv):
            raise EurekaError(
                f"{base} does not have its environments in this process: put a RewardWrapper into each of them, as in "
                "make_vec(..., wrappers=[functools.partial(RewardWrapper, reward=...)])"
            )
        self.module = load_reward(reward)
        loaded = self.module.load_task(task, task_dirs)
        for inner in base.envs:
            require_own_goals(inner, keep_compute_reward)
        self._recorders = [_StateRecorder(inner, loaded, carry) for inner in base.envs]
        base.envs[:] = self._recorders
        self._resets_in_last_step = base.autoreset_mode is AutoresetMode.SAME_STEP

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """One step of every environment, with the module's rewards."""
        for recorder in self._recorders:
            recorder.states.clear()
        observations, environment_rewards, terminated, truncated, infos = self.env.step(actions)
        stepped = [index for index, recorder in enumerate(self._recorders) if recorder.states]
        rewards = np.zeros(self.num_envs)
        if not stepped:
            return observations, rewards, terminated, truncated, infos
        states = [state_tensors(self._recorders[index].states[-1]) for index in stepped]
        total, components = self.module({name: torch.cat([state[name] for state in states]) for name in states[0]})
        rewards[stepped] = total.numpy()
        for row, index in enumerate(stepped):
            ended = bool(terminated[index] or truncated[index])
            added = step_info(components, row, environment_rewards[index]) | self._recorders[index].metric_info
            if self._resets_in_last_step and ended:
                added = {"final_info": added}
            infos = self._add_info(infos, added, index)
        return observations, rewards, terminated, truncated, infos


class _StateRecorder(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Keeps the State and the metric of every step of one environment, from before a reset in the same vector step."""

    def __init__(self, env: gymnasium.Env[Any, Any], task: Task, carry: Mapping[str, CarryReader]) -> None:
        super().__init__(env)
        self._reader = state_reader(task, env, carry)
        self._metric = EpisodeMetric(task)
        self.metric_info: dict[str, float] = {}
        self.states: list[Any] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        observation, info = self.env.reset(seed=seed, options=options)
        self._reader.reset()
        self._metric.reset()
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        result = self.env.step(action)
        _, _, terminated, truncated, _ = result
        self.states.append(self._reader.step(action))
        self.metric_info = self._metric.step(self.states[-1], ended=bool(terminated or truncated))
        return result
