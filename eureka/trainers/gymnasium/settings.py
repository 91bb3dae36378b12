"""What a training in a Gymnasium environment is made of, as data that crosses to the process that trains."""

from __future__ import annotations

from dataclasses import dataclass

from eureka.trainers.base import updates_evaluated


@dataclass(frozen=True)
class PPOSettings:
    """Arguments of Stable-Baselines3's PPO: its own defaults, but for more environments with shorter rollouts."""

    num_envs: int = 8
    n_steps: int = 64
    batch_size: int = 128
    n_epochs: int = 10
    learning_rate: float = 3e-4
    gamma: float = 0.99
    gae_lambda: float = 0.95
    clip_range: float = 0.2
    ent_coef: float = 0.0

    @property
    def rows(self) -> int:
        """Control steps of one rollout."""
        return self.num_envs * self.n_steps


@dataclass(frozen=True)
class TrainingOrder:
    """One training: `graph` is the reward's JSON text, empty for the environment's own reward."""

    environment: str
    candidate_id: str
    graph: str
    seed: int
    steps: int
    evaluations: int
    eval_episodes: int
    settings: PPOSettings
    stop_after: int | None = None

    @property
    def evaluated_after(self) -> tuple[int, ...]:
        """The updates that an evaluation follows; the last ends the training."""
        return updates_evaluated(self.steps, self.settings.rows, self.evaluations)[: self.stop_after]
