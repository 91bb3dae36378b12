"""From what happens in a run to points of curves, and these to whoever keeps them, in a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from eureka.core.types import Progress, TrainingResult
from eureka.ui.console.silent import Silent

if TYPE_CHECKING:
    from eureka.evaluation import Comparison
    from eureka.search import Outcome
    from eureka.trainers.base import TrainingEvent

BATCH_S = 2.0
"""How long points of trainings that go on are collected."""
CLOSE_S = 60.0
"""How long the end of a run waits for what is not kept yet."""
SEARCH = "search"
"""The group of what is counted by generations."""
COMPARISON = "comparison"
"""The group of the final comparison, counted by fresh seeds. All others are trainings, `g02-c05/seed_0`, by steps."""
AXES = {SEARCH: "generation", COMPARISON: "seed"}
"""What the points of a group are counted by, if not by control steps."""


class Sink(Protocol):
    """Keeps curves. `errors` are what its library raises where it cannot."""

    name: str
    errors: tuple[type[Exception], ...]

    def points(self, group: str, steps: Sequence[int], values: Mapping[str, Sequence[float]]) -> None:
        """Add points to the curves of a group: a value of each for every step."""
        ...

    def close(self) -> None:
        """Keep what is left."""
        ...


@dataclass(frozen=True)
class _Points:
    group: str
    steps: tuple[int, ...]
    values: Mapping[str, tuple[float, ...]]


class Tracker(Silent):
    """A `Watcher` of `eureka.search.loop` that hands curves to its sinks. No training waits for them.

    Args:
        tell: is told when a sink fails; it then gets no more, and the run goes on.
        has_metric: whether trainings measure a task metric.
    """

    def __init__(self, sinks: Sequence[Sink], tell: Callable[[str], None], *, has_metric: bool = True) -> None:
        self._sinks = list(sinks)
        self._has_metric = has_metric
        self._tell = tell
        self._queue: SimpleQueue[_Points | None] = SimpleQueue()
        self._collected: dict[str, list[Progress]] = {}
        self._handed_over = time.monotonic()
        self._told: dict[str, int] = {}
        self._thread = Thread(target=self._keep, name="eureka-tracking", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hand_over()
        self._queue.put(None)
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            names = ", ".join(sink.name for sink in self._sinks)
            self._tell(f"warning: {names} did not take the last points within {CLOSE_S:.0f} s")

    def event(self, event: TrainingEvent) -> None:
        """Collect the progress of trainings, and hand over what only their end tells."""
        if isinstance(event, Progress):
            self._collected.setdefault(_group(event.candidate_id, event.seed), []).append(event)
            if time.monotonic() - self._handed_over >= BATCH_S:
                self._hand_over()
        elif isinstance(event, TrainingResult):
            self._hand_over()
            group = _group(event.candidate_id, event.seed)
            components = {f"reward/{name}": curve for name, curve in event.components.items()}
            self._hand_over_new(group, event.steps, {"reward/total": event.total, **components})
            if self._has_metric:
                evaluated = {"evaluation/task_metric": event.checkpoint_scores}
                self._hand_over_new(group, event.checkpoint_steps, evaluated)
            self._told[group] = event.steps[-1]

    def generation_finished(self, generation: int, outcomes: Sequence[Outcome], best: Outcome | None) -> None:
        """Hand over how the search stands."""
        values = {"trained_candidates": (float(len(outcomes)),)}
        if outcomes:
            values["best_of_generation"] = (max(outcome.score for outcome in outcomes),)
        if best is not None:
            values["best_so_far"] = (best.score,)
        self._queue.put(_Points(SEARCH, (generation,), values))

    def compared(self, comparison: Comparison) -> None:
        """Hand over what the final comparison found: every fresh seed's score, and the statistics at the last seed."""
        for method in comparison.methods:
            role = method.role.value
            if method.scores:
                self._queue.put(_Points(COMPARISON, method.seeds, {f"{role}/score": method.scores}))
            statistics = {
                "iqm": method.iqm,
                "probability_of_improvement": method.improvement,
                "human_normalised": method.normalised,
            }
            values = {f"{role}/{name}": (known.value,) for name, known in statistics.items() if known is not None}
            if values:
                self._queue.put(_Points(COMPARISON, method.seeds[-1:], values))

    def _hand_over_new(self, group: str, steps: tuple[int, ...], values: Mapping[str, tuple[float, ...]]) -> None:
        """The points of a training beyond those that it ended with before, if the race has carried it on since."""
        known = sum(step <= self._told.get(group, 0) for step in steps)
        self._queue.put(_Points(group, steps[known:], {name: curve[known:] for name, curve in values.items()}))

    def _hand_over(self) -> None:
        for group, progress in self._collected.items():
            measured = {"task_metric": tuple(each.metric for each in progress)} if self._has_metric else {}
            values = {**measured, "episode_length": tuple(each.episode_length for each in progress)}
            self._queue.put(_Points(group, tuple(each.steps for each in progress), values))
        self._collected = {}
        self._handed_over = time.monotonic()

    def _keep(self) -> None:
        while (points := self._queue.get()) is not None:
            for sink in list(self._sinks):
                try:
                    sink.points(points.group, points.steps, points.values)
                except sink.errors as error:
                    self._drop(sink, error)
        for sink in list(self._sinks):
            try:
                sink.close()
            except sink.errors as error:
                self._drop(sink, error)

    def _drop(self, sink: Sink, error: Exception) -> None:
        self._sinks.remove(sink)
        self._tell(f"warning: {sink.name} is told no more of this run: {' '.join(str(error).split())}")


def _group(candidate_id: str, seed: int) -> str:
    return f"{candidate_id}/seed_{seed}"
