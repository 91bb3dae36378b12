"""A small search told to an observer, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from eureka.core.events import (
    Answered,
    CandidateRejected,
    ConfirmationStarted,
    GenerationFinished,
    GenerationStarted,
    Observer,
    RetrainingStarted,
    RunStarted,
    TrainingProgress,
    TrainingStarted,
    Tuned,
    WorkerRestart,
    of_training,
)
from eureka.core.training import TrainingResult
from eureka.store import RunStore
from eureka.ui.console import View

HOSTILE = "line 6: `\x1b[2J\x1b[31mred\x07` 宽宽宽宽 loops over " + "environments " * 12


@dataclass
class Clock:
    """Seconds that pass when told to."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Story:
    """A store with nothing in it, and a view of a search of two generations of three."""

    folder: Path
    make_result: Callable[..., TrainingResult]
    changes: dict[str, object] = field(default_factory=dict)

    def view(self) -> View:
        fixed = {"title": "ant", "unit": "m/s", "store": RunStore.create(self.folder, ""), "proposer": "openai"}
        counts = {"generations": 2, "samples": 3, "confirmations": 2}
        return View(**{**fixed, **counts, **self.changes})  # type: ignore[arg-type]

    def tell(self, observe: Observer, clock: Clock) -> Iterator[str]:
        """Two generations and the finalists; yields the name of every step after it was told."""
        folder = str(self.folder)
        observe(RunStarted("ant", "m/s", folder, "openai", generations=2, samples=3, finished_generations=0))
        observe(started(1, self.samples))
        yield "asked"
        for sample in (1, 2, 3):
            observe(answered(f"g01-c0{sample}"))
        observe(CandidateRejected("g01-c02", "trace", HOSTILE))
        observe(CandidateRejected("g01-c03", "extract", "no code"))
        yield "rejected"
        observe(answered("g01-c03", attempt=1))
        yield "repaired"
        observe(Tuned("g01-c04", "g01-c01", {"weight": 0.5}))
        observe(trainings("g01-c01", "g01-c03"))
        yield "waiting"
        observe(TrainingProgress("g01-c01", 0, 100, 0.5, 9.0))
        observe(TrainingProgress("g01-c03", 0, 100, 0.25, 9.0))
        clock.now += 10
        observe(TrainingProgress("g01-c01", 0, 350, 1.25, 9.0))
        yield "training"
        observe(WorkerRestart(1, "worker 1 was killed by signal 9", ("g01-c03",)))
        observe(of_training(self.make_result("g01-c01", (1.0, 3.0))))
        observe(CandidateRejected("g01-c03", "train", "its reward was not finite"))
        yield "trained"
        observe(RetrainingStarted(("g01-c01",)))
        observe(GenerationFinished(1, "g01-c01", 2.0, trained=1, best_of_generation=2.0))
        yield "finished"
        observe(started(2, self.samples))
        observe(answered("g02-c01"))
        observe(trainings("g02-c01"))
        observe(of_training(self.make_result("g02-c01", (2.5, 3.5))))
        yield "second"
        observe(GenerationFinished(2, "g02-c01", 3.0, trained=1, best_of_generation=3.0))
        observe(ConfirmationStarted(("g02-c01", "g01-c01")))
        observe(trainings("g02-c01", "g01-c01", seed=1))
        observe(of_training(self.make_result("g02-c01", (4.0, 6.0), seed=1)))
        yield "finalists"

    @property
    def samples(self) -> int:
        samples = self.changes.get("samples", 3)
        assert isinstance(samples, int)
        return samples


def started(generation: int, samples: int = 3) -> GenerationStarted:
    """A generation of so many candidates, whose prompt tells of no other."""
    names = tuple(f"g{generation:02d}-c{sample:02d}" for sample in range(1, samples + 1))
    return GenerationStarted(generation, None, names, ((),) * samples)


def answered(
    candidate: str,
    tokens: tuple[int, int] | None = (1000, 200),
    usd: float | None = 0.01,
    attempt: int = 0,
    continues: bool = False,
) -> Answered:
    """An answer that took so many tokens, or where it does not say how many."""
    read, written = tokens or (None, None)
    return Answered(candidate, attempt, continues, "m", read, written, usd)


def trainings(*candidates: str, seed: int = 0, steps: int = 1000, continued: bool = False) -> TrainingStarted:
    """Trainings of 1,000 steps where they are not stopped before."""
    return TrainingStarted(candidates, (seed,) * len(candidates), steps, whole_steps=1000, continued=continued)
