"""What stands in for training: a trainer that starts nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from eureka.core.training import POPULATION_POLICY, OwnReward, Policy, TrainingJob, TrainingLength
from eureka.core.types import TaskSpec
from eureka.reward.analysis.trajectory import Trajectory
from eureka.tasks import load_task
from eureka.trainers.base import Capabilities, Cost, TrainingEvent
from eureka.trainers.recording import Recording


@cache
def cartpole_spec() -> TaskSpec:
    return load_task("cartpole").spec


@dataclass(kw_only=True)
class FakeTrainer:
    """Says of itself what a trainer says; `train` is what tests define. Evaluations are evenly spaced, to the step."""

    spec: TaskSpec = field(default_factory=cartpole_spec)
    can: Capabilities = Capabilities(True, True, True, True, True)
    description: str = "nothing trains"
    discount: float = 0.99
    budgets: Mapping[str, int] = field(default_factory=lambda: {"quick": 1000})
    provenance: str | None = "fake"
    speed: float = 1000.0

    def record(self, num: int = 512, seed: int = 0) -> Recording:
        raise NotImplementedError

    def baselines(self) -> Mapping[OwnReward, str | OwnReward]:
        return {OwnReward.OWN: OwnReward.OWN}

    def human_graph(self) -> str:
        raise NotImplementedError

    def evaluated_after(self, length: TrainingLength) -> tuple[int, ...]:
        every = [length.steps * number // length.evaluations for number in range(1, length.evaluations + 1)]
        return tuple(every[: length.stop_after])

    def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
        raise NotImplementedError

    def forget(self, folder: Path) -> None: ...

    def rollouts(self, policies: Mapping[str, bytes | None], episodes: int, seed: int = 0) -> Sequence[Trajectory]:
        return ()

    def cost(self, jobs: Sequence[TrainingJob]) -> Cost:
        return Cost(sum(self.evaluated_after(job.length)[-1] for job in jobs), lambda: self.speed)

    def read_policy(self, data: bytes) -> Policy:
        return Policy(POPULATION_POLICY, data)

    def close(self) -> None:
        """Nothing to stop."""
