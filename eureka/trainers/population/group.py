"""The groups of a population: each has one reward, one seed, and a schedule in whole rollouts."""

from __future__ import annotations

from dataclasses import dataclass

from eureka.tasks.ppo import PPOConfig
from eureka.trainers.base import updates_evaluated


@dataclass(frozen=True)
class Schedule:
    """The schedule of one group. Together with the seed it determines the training bitwise on the CPU.

    `steps` control steps in all `num_envs` worlds together; `checkpoints` evenly spaced evaluations, the last at the
    end; `eval_episodes` evaluation episodes at each. With `ends_after`, only the part up to that many evaluations is
    trained; None: it is trained to the end.
    """

    num_envs: int
    steps: int
    checkpoints: int
    eval_episodes: int
    ppo: PPOConfig
    ends_after: int | None = None

    @property
    def evaluated_after(self) -> tuple[int, ...]:
        """The updates that are followed by an evaluation."""
        return updates_evaluated(self.steps, self.num_envs * self.ppo.horizon, self.checkpoints)[: self.ends_after]

    @property
    def num_updates(self) -> int:
        """The number of rollouts and PPO updates."""
        return self.evaluated_after[-1]

    @property
    def trained_steps(self) -> int:
        """The control steps of these updates; the last entry of `TrainingResult.steps`."""
        return self.num_updates * self.num_envs * self.ppo.horizon


@dataclass(frozen=True)
class GroupJob:
    """One group: a reward graph (JSON text) trained with one seed. Only this and tensors are sent to a worker.

    `init` is the initial policy, the bytes of a `policy.pt`; None: from scratch.
    """

    candidate_id: str
    graph: str
    seed: int
    schedule: Schedule
    init: bytes | None = None
