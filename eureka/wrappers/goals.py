"""Rewards for other goals, as needed by hindsight replay in a goal-conditioned environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import numpy as np
import torch

from eureka.core.errors import EurekaError
from eureka.wrappers.reward_module import RewardModule

StateFromGoals = Callable[[np.ndarray, np.ndarray, Any], Mapping[str, Any]]
"""`(achieved_goal (n, g), desired_goal (n, g), infos)` -> State fields by name, each (n, ...)."""


def require_own_goals(env: gymnasium.Env[Any, Any], keep: bool, remedy: str) -> None:
    """Raise EurekaError, with `remedy` as what to do, if `env` or a wrapper in it computes rewards of goals, which
    would not be replaced."""
    if keep or not env.has_wrapper_attr("compute_reward") or not callable(env.get_wrapper_attr("compute_reward")):
        return
    raise EurekaError(
        f"{env} has a compute_reward of its own, which replay with other goals (HER) would ask in place of this "
        f"reward: {remedy}, or give keep_compute_reward=True where nothing asks it"
    )


def goal_reward(module: RewardModule, state_from_goals: StateFromGoals) -> Callable[[Any, Any, Any], Any]:
    """`compute_reward(achieved_goal, desired_goal, info)` of a goal-conditioned environment, by the module's total.

    For one transition, or for n at once with their `info`s as a sequence, as Stable-Baselines3 asks.
    """

    def compute_reward(achieved_goal: Any, desired_goal: Any, info: Any) -> Any:
        achieved, desired = np.asarray(achieved_goal), np.asarray(desired_goal)
        alone = achieved.ndim == 1
        infos = [info] if alone else info
        given = state_from_goals(np.atleast_2d(achieved), np.atleast_2d(desired), infos)
        missing = [name for name in module.inputs if name not in given]
        if missing:
            raise EurekaError(f"state_from_goals gives no {missing[0]!r}, which {module.path} reads")
        state = {name: torch.as_tensor(np.asarray(given[name], dtype=np.float32)) for name in module.inputs}
        total = module(state).total.numpy().astype(np.float64)
        return float(total[0]) if alone else total

    return compute_reward
