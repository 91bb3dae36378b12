"""The settings of a training in a Gymnasium environment, as data that is sent to the training process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from eureka.core.training import OwnReward
from eureka.trainers.base import updates_evaluated
from eureka.trainers.gymnasium.recipe import EnvironmentRecipe

_POINTS = 100
"""Number of points of a curve for algorithms that update their policy in every step."""
OWN, METRIC = OwnReward.OWN.value, OwnReward.METRIC.value
"""Values of an order's `graph` that stand for the environment's own rewards."""

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    # Stable-Baselines3's defaults, except for more environments with shorter rollouts.
    "ppo": {"n_envs": 8, "n_steps": 64, "batch_size": 128},
    "sac": {"n_envs": 1, "buffer_size": 200_000, "learning_starts": 1_000},
    "td3": {"n_envs": 1, "buffer_size": 200_000, "learning_starts": 1_000, "noise_type": "normal", "noise_std": 0.1},
    # Stable-Baselines3's defaults explore for a tenth of a million steps and learn from every fourth.
    "dqn": {
        "n_envs": 4,
        "learning_rate": 6.3e-4,
        "buffer_size": 100_000,
        "learning_starts": 1_000,
        "batch_size": 128,
        "train_freq": 4,
        "gradient_steps": -1,
        "target_update_interval": 250,
        "exploration_fraction": 0.2,
        "exploration_final_eps": 0.05,
        "policy_kwargs": {"net_arch": [256, 256]},
    },
}
"""Hyper-parameters by algorithm, named as in rl-baselines3-zoo; all others have Stable-Baselines3's defaults."""


@dataclass(frozen=True)
class AlgorithmSettings:
    """The learning algorithm and its settings.

    Attributes:
        algorithm: `ppo`, `sac`, `td3` or `dqn`; or `module:function` for the user's own trainer.
        num_envs: number of environments of one training.
        arguments: arguments of the algorithm, as JSON text.
        normalize: arguments of VecNormalize as JSON text; empty: observations and rewards are not normalised.
    """

    algorithm: str = "ppo"
    num_envs: int = 8
    arguments: str = "{}"
    normalize: str = ""

    @property
    def is_own(self) -> bool:
        """Whether the user's own function does the training."""
        return ":" in self.algorithm

    @property
    def values(self) -> dict[str, Any]:
        """The arguments."""
        return dict(json.loads(self.arguments))

    @property
    def discount(self) -> float:
        """The discount factor per control step."""
        return float(self.values.get("gamma", 0.99))

    def rows(self, steps: int) -> int:
        """Control steps between two points of a curve, for a training of `steps`; for PPO, those of a rollout."""
        if self.algorithm == "ppo":
            return self.num_envs * int(self.values.get("n_steps", 2048))
        usual = 4 if self.algorithm == "dqn" else 1
        unit = self.num_envs * int(self.values.get("train_freq", usual))
        return unit * max(1, round(steps / _POINTS / unit))

    def with_arguments(self, changed: Mapping[str, Any]) -> AlgorithmSettings:
        """These settings with other arguments, which may include `n_envs`."""
        values = {**self.values, **changed}
        num_envs = int(values.pop("n_envs", self.num_envs))
        return replace(self, num_envs=num_envs, arguments=json.dumps(values))


@dataclass(frozen=True)
class TrainingOrder:
    """One training, as sent to a training process.

    Attributes:
        environment: recipe of the environment.
        graph: the reward's JSON text; `own` and `metric` are the environment's own reward and its metric.
        start: the initial policy, in this trainer's format; empty: from scratch.
        checkpoint: path of the checkpoint from which it can be continued; empty: none.
    """

    environment: EnvironmentRecipe
    candidate_id: str
    graph: str
    seed: int
    steps: int
    evaluations: int
    eval_episodes: int
    settings: AlgorithmSettings
    stop_after: int | None = None
    start: bytes = b""
    checkpoint: str = ""

    @property
    def rows(self) -> int:
        """Control steps between two points of a curve."""
        return self.settings.rows(self.steps)

    @property
    def evaluated_after(self) -> tuple[int, ...]:
        """The curve points that are followed by an evaluation; the last one ends the training."""
        evaluations = 1 if self.settings.is_own else self.evaluations
        return updates_evaluated(self.steps, self.rows, evaluations)[: self.stop_after]
