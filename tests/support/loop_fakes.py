"""What stands in for the slow parts of a run in tests of the loop."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fake_trainer import FakeTrainer

from eureka.core.events import TrainingStarted
from eureka.core.ids import candidate_id
from eureka.core.types import (
    Candidate,
    Completion,
    Prompt,
    Rejected,
    Reward,
    Stage,
    TrainingJob,
    TrainingLength,
    TrainingResult,
)
from eureka.proposers.base import FakeProposer
from eureka.search import Greedy, Outcome
from eureka.search.loop import Run
from eureka.store import RunStore
from eureka.trainers.base import TrainingEvent

Make = Callable[..., TrainingResult]
MakeRun = Callable[..., Run]
GOOD = "```python\ndef compute_reward(pole_angle):\n    return -pole_angle, {'a': pole_angle}\n```"
BROKEN = GOOD.replace("-pole_angle", "broken(pole_angle)")
IDS = [candidate_id(g, s) for g in (1, 2, 3) for s in (1, 2)]


class Stopped(Exception):
    """Stands for a kill."""


@dataclass
class FakeVerifier:
    """Accepts every candidate whose id is not in `bad` and that has no `broken` in its source."""

    bad: Sequence[str] = ()

    def verify_all(self, candidates: Sequence[Candidate]) -> list[Reward | Rejected]:
        return [self._verify(candidate) for candidate in candidates]

    def _verify(self, candidate: Candidate) -> Reward | Rejected:
        if "broken" in candidate.source:
            return Rejected(candidate.id, Stage.VERIFY, "it is broken", "line 2: it is broken.")
        if candidate.id in self.bad:
            return Rejected(candidate.id, Stage.TRACE, "it is bad", f"mistake of {candidate.id}")
        return Reward(candidate.id, "{}", ("a",))


@dataclass
class ScriptedTrainer(FakeTrainer):
    """Gives every job the score that `scores` has for its candidate; rejects those in `bad`."""

    make: Make
    scores: dict[str, float]
    bad: Sequence[str] = ()
    trained: list[str] = field(default_factory=list)

    def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
        for job in jobs:
            self.trained.append(job.candidate_id)
            if job.candidate_id in self.bad:
                yield Rejected(job.candidate_id, Stage.TRAIN, "it blew up", "clamp it")
            else:
                yield self.make(job.candidate_id, (self.scores[job.candidate_id],), seed=job.seed)


class FakeWatcher:
    """Remembers what it is told; can stand for a kill after a number of calls."""

    def __init__(self, stop_after: int | None = None) -> None:
        self._left = stop_after
        self.told: list[str] = []

    def _told(self, what: str) -> None:
        self.told.append(what)
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Stopped

    def generation_started(self, generation: int, prompt: Prompt) -> None:
        self._told(f"start {generation}")

    def answered(self, completion: Completion) -> None:
        self._told(f"{completion.candidate_id}/{completion.attempt}{'+' if completion.continues else ''}")

    def rejected(self, rejected: Rejected) -> None:
        self._told(f"{rejected.candidate_id} {rejected.stage}")

    def training_started(self, started: TrainingStarted) -> None:
        self._told(f"training {len(started.candidates)}")

    def event(self, event: TrainingEvent) -> None:
        self._told("event")

    def generation_finished(self, generation: int, outcomes: Sequence[Outcome], best: Outcome | None) -> None:
        self._told(f"finished {generation}")

    def confirmation_started(self, finalists: Sequence[str]) -> None:
        self._told(f"finalists {' '.join(finalists)}")


def build_run(folder: Path, make_result: Make, **changes: object) -> Run:
    """A run of three generations of two in `folder`, which it goes on with where it is one already."""
    defaults: dict[str, object] = {
        "store": RunStore.open(folder) if folder.exists() else RunStore.create(folder, "", {}),
        "proposer": FakeProposer(dict.fromkeys(IDS, GOOD)),
        "verifier": FakeVerifier(),
        "trainer": ScriptedTrainer(make_result, {identity: float(index) for index, identity in enumerate(IDS)}),
        "search": Greedy(),
        "length": TrainingLength(1000, 1, 1),
        "watcher": FakeWatcher(),
        "generations": 3,
        "samples": 2,
        "training_seeds": 1,
        "seed": 7,
    }
    return Run(**{**defaults, **changes})  # type: ignore[arg-type]
