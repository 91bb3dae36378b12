"""What stands in for the slow parts of a run in tests of the loop."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from fake_trainer import FakeTrainer

from eureka.config import SearchConfig
from eureka.core import events
from eureka.core.events import Event
from eureka.core.ids import candidate_id
from eureka.core.training import TrainingJob, TrainingLength, TrainingResult
from eureka.core.types import Candidate, Prompt, Rejected, Reward, Stage
from eureka.proposers.base import FakeProposer
from eureka.search.history import Budget
from eureka.search.methods import make_method
from eureka.search.methods.base import Services
from eureka.search.racing import Racing
from eureka.search.run import Run
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


class FakeObserver:
    """Remembers what it is told; can stand for a kill after a number of events."""

    def __init__(self, stop_after: int | None = None) -> None:
        self._left = stop_after
        self.seen: list[str] = []

    def __call__(self, event: Event) -> None:
        self.seen.append(_in_short(event))
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Stopped


def _in_short(event: Event) -> str:
    match event:
        case events.GenerationStarted():
            return f"start {event.generation}"
        case events.Answered():
            return f"{event.candidate}/{event.attempt}{'+' if event.continues else ''}"
        case events.CandidateRejected():
            return f"{event.candidate} {event.stage}"
        case events.TrainingStarted():
            return f"training {len(event.seeds)}"
        case events.GenerationFinished():
            return f"finished {event.generation}"
        case events.RetrainingStarted():
            return f"leaders {' '.join(event.candidates)}"
        case events.ConfirmationStarted():
            return f"finalists {' '.join(event.candidates)}"
    return event.kind


def prompt_of(store: RunStore, generation: int) -> Prompt | None:
    """What the first sample of a generation was asked."""
    return store.prompts(generation).get((candidate_id(generation, 1), 0))


_OF_BUDGET = {field.name for field in fields(Budget)}


def build_run(folder: Path, make_result: Make, **changes: Any) -> Run:
    """A run of three generations of two in `folder`, which it goes on with where it is one already.

    `changes` are fields of `Run`, of its `Budget`, of `Services` (`race`, `probe`), or of the search's config
    (`method`, `parent`).
    """
    budget: dict[str, Any] = {"generations": 3, "samples": 2, "length": TrainingLength(1000, 1, 1)}
    budget |= {name: changes.pop(name) for name in [*changes] if name in _OF_BUDGET}
    config = SearchConfig(**{name: changes.pop(name) for name in ("method", "parent") if name in changes})
    proposer = changes.pop("proposer", FakeProposer(dict.fromkeys(IDS, GOOD)))
    screening = changes.get("screening")
    race = changes.pop("race", None)
    services = Services(
        capabilities=lambda: proposer.capabilities,
        probe=changes.pop("probe", None),
        diagnose=screening.about if screening else None,
        racing=Racing(race) if race else None,
    )
    defaults: dict[str, Any] = {
        "store": RunStore.open(folder) if folder.exists() else RunStore.create(folder, ""),
        "proposer": proposer,
        "verifier": FakeVerifier(),
        "trainer": ScriptedTrainer(make_result, {identity: float(index) for index, identity in enumerate(IDS)}),
        "method": make_method(config, services),
        "budget": Budget(**budget),
        "observe": FakeObserver(),
        "seed": 7,
    }
    return Run(**{**defaults, **changes})
