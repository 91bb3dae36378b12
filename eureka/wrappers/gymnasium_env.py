"""Replaces a Gymnasium environment's own reward by an exported one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gymnasium
from gymnasium.utils import RecordConstructorArgs

from eureka.core.paths import Folders, path_list
from eureka.tasks.gym_state import CarryReader
from eureka.wrappers.goals import StateFromGoals
from eureka.wrappers.loading import load_reward, load_task_of
from eureka.wrappers.readers import TaskReader
from eureka.wrappers.rewarded import RewardedEnv


class RewardWrapper(RewardedEnv, RecordConstructorArgs):
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
        task_dirs: where else to look for that task: a folder, or several.
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
        task_dirs: Folders = (),
        carry: Mapping[str, CarryReader] = MappingProxyType({}),
        state_from_goals: StateFromGoals | None = None,
        keep_compute_reward: bool = False,
    ) -> None:
        RecordConstructorArgs.__init__(
            self,
            reward=str(reward),
            task=task,
            task_dirs=list(map(str, path_list(task_dirs))),
            carry=dict(carry),
            state_from_goals=state_from_goals,
            keep_compute_reward=keep_compute_reward,
        )
        module = load_reward(reward)

        def open_reader(inner: Any) -> TaskReader:
            return TaskReader(load_task_of(module, task, task_dirs), inner, carry)

        RewardedEnv.__init__(self, env, module, open_reader, state_from_goals, keep_compute_reward)
