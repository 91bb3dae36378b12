"""An exported reward in place of a Gymnasium environment's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, SupportsFloat

import gymnasium
import torch
from gymnasium.utils import RecordConstructorArgs

from eureka.core.errors import EurekaError
from eureka.tasks.base import state_tensors
from eureka.tasks.gym_state import CarryReader
from eureka.wrappers.episode_metric import EpisodeMetric
from eureka.wrappers.goals import StateFromGoals, goal_reward, require_own_goals
from eureka.wrappers.reward_module import load_reward, state_reader


class RewardWrapper(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Replaces the reward of a Gymnasium environment by an exported reward module's total.

        env = RewardWrapper(gymnasium.make("Ant-v5"), "best/reward.py")

    `step` adds to `info`:

        reward_components: {name: float}, the module's components of this step
        environment_reward: float, what the environment itself would have paid
        task_metric: float, the task metric of this step; at an episode's end also episode_task_metric, of all of it
        state: {name: array}, what the module read, where `state_from_goals` is given

    Observations, the ends of episodes and actions are the environment's own. It stands anywhere in a chain of
    wrappers, as long as `reset` goes through it: inside an `Autoreset`.

    Args:
        env: with the body and control step of the module's task.
        reward: a module that `eureka export` wrote.
        task: the task that it belongs to; by default the one that the module names.
        task_dirs: where else to look for that task.
        carry: where the environment keeps what the task draws at random, such as a target: for fields of the task's
            Carry a function of the environment, `{"target": lambda env: env.unwrapped.goal}`.
        state_from_goals: makes the State from goals, so that the wrapper serves `compute_reward` to replay in hindsight
            (HER): `(achieved_goal (n, g), desired_goal (n, g), infos)` -> State fields by name, each (n, ...). What
            does not depend on the goal can be taken from `infos[i]["state"]`.
        keep_compute_reward: leave an environment's own `compute_reward` as it is.

    Raises:
        EurekaError: the module cannot be loaded, or does not fit the environment; the task draws something at random
            that `carry` does not read; or the environment has a `compute_reward` and nothing is said about it.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        reward: str | Path,
        *,
        task: str | None = None,
        task_dirs: Sequence[str | Path] = (),
        carry: Mapping[str, CarryReader] = MappingProxyType({}),
        state_from_goals: StateFromGoals | None = None,
        keep_compute_reward: bool = False,
    ) -> None:
        RecordConstructorArgs.__init__(
            self,
            reward=str(reward),
            task=task,
            task_dirs=list(map(str, task_dirs)),
            carry=dict(carry),
            state_from_goals=state_from_goals,
            keep_compute_reward=keep_compute_reward,
        )
        if isinstance(env, gymnasium.vector.VectorEnv):
            raise EurekaError(f"{env} holds several environments: use VectorRewardWrapper")
        super().__init__(env)
        _refuse_autoreset(env)
        self.module = load_reward(reward)
        require_own_goals(env, keep_compute_reward or state_from_goals is not None)
        loaded = self.module.load_task(task, task_dirs)
        self._reader = state_reader(loaded, env, carry)
        self._metric = EpisodeMetric(loaded)
        self._gives_state = state_from_goals is not None
        if state_from_goals is not None:
            self.compute_reward = goal_reward(self.module, state_from_goals)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._reader.reset()
        self._metric.reset()
        return observation, info

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """One step with the module's reward."""
        observation, environment_reward, terminated, truncated, info = self.env.step(action)
        state = self._reader.step(action)
        tensors = state_tensors(state)
        total, components = self.module(tensors)
        added = step_info(components, 0, environment_reward)
        added |= self._metric.step(state, ended=bool(terminated or truncated))
        if self._gives_state:
            added["state"] = {name: tensors[name][0].numpy() for name in self.module.inputs}
        return observation, float(total[0]), terminated, truncated, {**info, **added}


def step_info(components: Mapping[str, torch.Tensor], row: int, environment_reward: SupportsFloat) -> dict[str, Any]:
    """What a wrapper adds to the `info` of one environment's step, which is `row` of the components."""
    values = {name: float(value[row]) for name, value in components.items()}
    return {"reward_components": values, "environment_reward": float(environment_reward)}


def _refuse_autoreset(env: gymnasium.Env[Any, Any]) -> None:
    inner = env
    while isinstance(inner, gymnasium.Wrapper):
        if isinstance(inner, gymnasium.wrappers.Autoreset):
            raise EurekaError(f"{env}: Autoreset hides resets from the reward; put RewardWrapper inside of it")
        inner = inner.env
