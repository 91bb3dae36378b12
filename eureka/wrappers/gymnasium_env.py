"""An exported reward in place of a Gymnasium environment's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, SupportsFloat

import gymnasium
import torch
from gymnasium.utils import RecordConstructorArgs

from eureka.core.errors import EurekaError
from eureka.tasks.base import state_tensors
from eureka.wrappers.reward_module import load_reward


class RewardWrapper(gymnasium.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Replaces the reward of a Gymnasium environment by an exported reward module's total.

        env = RewardWrapper(gymnasium.make("Ant-v5"), "best/reward.py")

    `step` adds to `info`:

        reward_components: {name: float}, the module's components of this step
        environment_reward: float, what the environment itself would have paid

    Observations, the ends of episodes and actions are the environment's own. It stands anywhere in a chain of
    wrappers, as long as `reset` goes through it: inside an `Autoreset`.

    Args:
        env: with the body and control step of the module's task.
        reward: a module that `eureka export` wrote.
        task: the task that it belongs to; by default the one that the module names.
        task_dirs: where else to look for that task.

    Raises:
        EurekaError: the module cannot be loaded, or does not fit the environment.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        reward: str | Path,
        *,
        task: str | None = None,
        task_dirs: Sequence[Path] = (),
    ) -> None:
        RecordConstructorArgs.__init__(self, reward=str(reward), task=task, task_dirs=list(map(str, task_dirs)))
        if isinstance(env, gymnasium.vector.VectorEnv):
            raise EurekaError(f"{env} holds several environments: use VectorRewardWrapper")
        super().__init__(env)
        _refuse_autoreset(env)
        self.module = load_reward(reward)
        self._reader = self.module.load_task(task, [Path(folder) for folder in task_dirs]).state_from_gym(env)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._reader.reset()
        return observation, info

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """One step with the module's reward."""
        observation, environment_reward, terminated, truncated, info = self.env.step(action)
        total, components = self.module(state_tensors(self._reader.step(action)))
        added = step_info(components, 0, environment_reward)
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
