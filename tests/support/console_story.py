"""A small search told to a watcher, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from eureka.core.events import TrainingStarted
from eureka.core.types import (
    Candidate,
    Completion,
    Progress,
    Prompt,
    PromptFacts,
    Rejected,
    Stage,
    TrainingResult,
    Usage,
    WorkerRestarted,
)
from eureka.search import Outcome
from eureka.search.loop import Watcher
from eureka.store import RunStore
from eureka.ui.console import View

HOSTILE = "line 6: `\x1b[2J\x1b[31mred\x07` 宽宽宽宽 loops over " + "environments " * 12
PROMPT = Prompt((), PromptFacts("ant", 0, 1, ()))


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
        fixed = {"title": "ant", "unit": "m/s", "store": RunStore.create(self.folder, "", {}), "proposer": "openai"}
        counts = {"generations": 2, "samples": 3, "confirmations": 2}
        return View(**{**fixed, **counts, **self.changes})  # type: ignore[arg-type]

    def started(self, *names: str, seed: int = 0) -> TrainingStarted:
        return TrainingStarted(names, (seed,) * len(names), steps=1000, whole_steps=1000)

    def outcome(self, name: str, *scores: float) -> Outcome:
        return Outcome(Candidate(name, "", ()), (self.make_result(name, scores),))

    def tell(self, watcher: Watcher, clock: Clock) -> Iterator[str]:
        """Two generations and the finalists; yields the name of every step after it was told."""
        usage = Usage(1000, 200, usd=0.01)
        watcher.generation_started(1, PROMPT)
        yield "asked"
        for sample in (1, 2, 3):
            watcher.answered(Completion(f"g01-c0{sample}", "", "m", usage))
        watcher.rejected(Rejected("g01-c02", Stage.TRACE, HOSTILE, HOSTILE))
        watcher.rejected(Rejected("g01-c03", Stage.EXTRACT, "no code", "no code"))
        yield "rejected"
        watcher.answered(Completion("g01-c03", "", "m", usage, attempt=1))
        yield "repaired"
        watcher.training_started(self.started("g01-c01", "g01-c03"))
        yield "waiting"
        watcher.event(Progress("g01-c01", 0, 100, 0.5, 9.0))
        watcher.event(Progress("g01-c03", 0, 100, 0.25, 9.0))
        clock.now += 10
        watcher.event(Progress("g01-c01", 0, 350, 1.25, 9.0))
        yield "training"
        watcher.event(WorkerRestarted(1, "worker 1 was killed by signal 9", ("g01-c03",)))
        watcher.event(self.make_result("g01-c01", (1.0, 3.0)))
        watcher.rejected(Rejected("g01-c03", Stage.TRAIN, "its reward was not finite", "clamp it"))
        yield "trained"
        watcher.generation_finished(1, [], self.outcome("g01-c01", 1.0, 3.0))
        yield "finished"
        watcher.generation_started(2, PROMPT)
        watcher.answered(Completion("g02-c01", "", "m", usage))
        watcher.training_started(self.started("g02-c01"))
        watcher.event(self.make_result("g02-c01", (2.5, 3.5)))
        yield "second"
        watcher.generation_finished(2, [], self.outcome("g02-c01", 2.5, 3.5))
        watcher.confirmation_started(["g02-c01", "g01-c01"])
        watcher.training_started(self.started("g02-c01", "g01-c01", seed=1))
        watcher.event(self.make_result("g02-c01", (4.0, 6.0), seed=1))
        yield "finalists"
