"""The hyper-parameters of population training, which a `task.yaml` sets under `ppo:`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class PPOConfig:
    """Hyper-parameters of PPO (Schulman et al. 2017), one set per task.

    `horizon` is the number of control steps of a rollout; `initial_std` the standard deviation of the action
    noise at the start, in units of half the control range.
    """

    hidden: tuple[int, ...] = (64, 64)
    activation: Literal["elu", "relu", "tanh"] = "elu"
    horizon: int = 32
    epochs: int = 8
    minibatches: int = 8
    learning_rate: float = 4e-4
    gamma: float = 0.99
    gae_lambda: float = 0.95
    clip: float = 0.2
    entropy: float = 0.0
    value_weight: float = 0.5
    max_grad_norm: float = 1.0
    initial_std: float = 0.5
