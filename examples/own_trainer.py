"""A trainer of one's own: random search over linear policies, for `eureka run trainer=own_trainer:train`.

In this folder:

    eureka run env=CartPole-v1 "description=balance the pole" trainer=own_trainer:train train.steps=5000
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

Policy = Callable[[np.ndarray], Any]


def train(env: gymnasium.Env[Any, Any], steps: int, seed: int) -> Policy:
    """The best of linear policies with random weights, by the sum of the reward in an episode.

    Args:
        env: pays the reward that is tried.
        steps: control steps that may be taken.
        seed: of this training.
    """
    generator = np.random.default_rng(seed)
    numbers = gymnasium.spaces.flatdim(env.observation_space)
    best, best_paid, taken = np.zeros(numbers), -np.inf, 0
    while taken < steps:
        weights = best + generator.normal(size=numbers)
        paid, over = 0.0, False
        observation, _ = env.reset(seed=int(generator.integers(2**30)))
        while not over and taken < steps:
            observation, reward, terminated, truncated, _ = env.step(_act(weights, observation))
            paid, over, taken = paid + float(reward), terminated or truncated, taken + 1
        if over and paid > best_paid:
            best, best_paid = weights, paid
    return lambda observation: _act(best, observation)


def _act(weights: np.ndarray, observation: np.ndarray) -> int:
    return int(weights @ observation > 0)
