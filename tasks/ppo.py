"""The hyper-parameters of population training, which a `task.yaml` sets under `ppo:`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import MinLen

from eureka.core.ranges import Count, NotNegative, Positive, Share


@dataclass(frozen=True)
class PPOConfig:
    """Hyper-parameters of PPO (Schulman et al. 2017), one set per task.

    `horizon` is the number of control steps of a rollout; `initial_std` the standard deviation of the action
    noise at the start, in units of half the control range.
    """

    hidden: Annotated[tuple[Count, ...], MinLen(1)] = (64, 64)
    activation: Literal["elu", "relu", "tanh"] = "elu"
    horizon: Count = 32
    epochs: Count = 8
    minibatches: Count = 8
    learning_rate: Positive = 4e-4
    gamma: Share = 0.99
    gae_lambda: Share = 0.95
    clip: Positive = 0.2
    entropy: NotNegative = 0.0
    value_weight: NotNegative = 0.5
    max_grad_norm: Positive = 1.0
    initial_std: Positive = 0.5
