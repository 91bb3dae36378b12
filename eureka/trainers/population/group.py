"""What a population is made of: groups, each of one reward with one seed and a schedule in whole rollouts."""

from __future__ import annotations

from dataclasses import dataclass

from eureka.tasks.ppo import PPOConfig
from eureka.trainers.base import updates_evaluated


@dataclass(frozen=True)
class Schedule:
    """How one group trains. With its seed this fixes the training bitwise on the CPU.

    `steps` control steps in all `num_envs` worlds together; `checkpoints` evenly spaced evaluations, the last at
    the end; `eval_episodes` evaluation episodes at each. A training that `ends_after` so many of its evaluations is the
    beginning of the whole one; None: it is trained to the end.
    """

    num_envs: int
    steps: int
    checkpoints: int
    eval_episodes: int
    ppo: PPOConfig
    ends_after: int | None = None

    @property
    def evaluated_after(self) -> tuple[int, ...]:
        """The updates that an evaluation follows."""
        return updates_evaluated(self.steps, self.num_envs * self.ppo.horizon, self.checkpoints)[: self.ends_after]

    @property
    def num_updates(self) -> int:
        """Rollouts and PPO updates."""
        return self.evaluated_after[-1]

    @property
    def trained_steps(self) -> int:
        """Control steps that these updates take; the last entry of `TrainingResult.steps`."""
        return self.num_updates * self.num_envs * self.ppo.horizon


@dataclass(frozen=True)
class GroupJob:
    """One group: a reward graph (JSON text) trained with one seed. Only this and tensors cross to a worker.

    `init` is the policy that it starts from, the bytes of a `policy.pt`; None: from scratch.
    """

    candidate_id: str
    graph: str
    seed: int
    schedule: Schedule
    init: bytes | None = None
