"""Converts the events of a run to points of curves, and sends them to the trackers in a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Protocol, Self

from eureka.core.events import Compared, Event, GenerationFinished, Trained, TrainingProgress

BATCH_S = 2.0
"""Seconds for which points of running trainings are collected before they are sent."""
CLOSE_S = 60.0
"""Seconds that the end of a run waits for points that are not stored yet."""
SEARCH = "search"
"""The group of curves over generations."""
COMPARISON = "comparison"
"""The group of the final comparison, over fresh seeds. All others are trainings, such as `g02-c05/seed_0`, over
steps."""
AXES = {SEARCH: "generation", COMPARISON: "seed"}
"""The x axis of a group, if not control steps."""


class Sink(Protocol):
    """Stores curves. `errors` are the exceptions that its library raises on failure."""

    name: str
    errors: tuple[type[Exception], ...]

    def points(self, group: str, steps: Sequence[int], values: Mapping[str, Sequence[float]]) -> None:
        """Add points to the curves of a group: one value of each curve per step."""
        ...

    def close(self) -> None:
        """Store what is left and close."""
        ...


@dataclass(frozen=True)
class _Points:
    group: str
    steps: tuple[int, ...]
    values: Mapping[str, tuple[float, ...]]


class Tracker:
    """An observer that sends curves to its sinks, without delaying trainings.

    Args:
        warn: called with a sentence when a sink fails; that sink then gets no more points, and the run continues.
        has_metric: whether trainings measure a task metric.
    """

    def __init__(self, sinks: Sequence[Sink], warn: Callable[[str], None], *, has_metric: bool = True) -> None:
        self._sinks = list(sinks)
        self._has_metric = has_metric
        self._warn = warn
        self._queue: SimpleQueue[_Points | None] = SimpleQueue()
        self._collected: dict[str, list[TrainingProgress]] = {}
        self._handed_over = time.monotonic()
        self._ended_at: dict[str, int] = {}
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
            self._warn(f"warning: {names} did not take the last points within {CLOSE_S:.0f} s")

    def __call__(self, event: Event) -> None:
        """Collect the progress of trainings, and send the results at the end of a training, a generation and the
        run."""
        match event:
            case TrainingProgress():
                self._collected.setdefault(_group(event.candidate, event.seed), []).append(event)
                if time.monotonic() - self._handed_over >= BATCH_S:
                    self._hand_over()
            case Trained():
                self._trained(event)
            case GenerationFinished():
                values = {
                    "trained_candidates": float(event.trained),
                    "best_of_generation": event.best_of_generation,
                    "best_so_far": event.score,
                }
                self._put(SEARCH, event.generation, values)
            case Compared():
                self._compared(event)

    def _trained(self, event: Trained) -> None:
        self._hand_over()
        result = event.result
        if result is None:
            return
        group = _group(event.candidate, event.seed)
        components = {f"reward/{name}": curve for name, curve in result.components.items()}
        self._hand_over_new(group, result.steps, {"reward/total": result.total, **components})
        if self._has_metric:
            self._hand_over_new(group, result.checkpoint_steps, {"evaluation/task_metric": result.checkpoint_scores})
        self._ended_at[group] = result.trained_steps

    def _compared(self, event: Compared) -> None:
        """Add every fresh seed's score, and the statistics at the last seed."""
        for reward in event.rewards:
            if reward.scores:
                self._queue.put(_Points(COMPARISON, reward.seeds, {f"{reward.role}/score": reward.scores}))
            statistics = {
                f"{reward.role}/iqm": reward.iqm,
                f"{reward.role}/probability_of_improvement": reward.probability_of_improvement,
                f"{reward.role}/human_normalised": reward.human_normalised,
            }
            self._put(COMPARISON, reward.seeds[-1] if reward.seeds else 0, statistics)

    def _put(self, group: str, step: int, values: Mapping[str, float | None]) -> None:
        """Add one point to each curve whose value is known."""
        known = {name: (value,) for name, value in values.items() if value is not None}
        if known:
            self._queue.put(_Points(group, (step,), known))

    def _hand_over_new(self, group: str, steps: tuple[int, ...], values: Mapping[str, tuple[float, ...]]) -> None:
        """Send the points of a training that are new since its earlier end, if the race has continued it."""
        known = sum(step <= self._ended_at.get(group, 0) for step in steps)
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
        self._warn(f"warning: {sink.name} is told no more of this run: {' '.join(str(error).split())}")


def _group(candidate_id: str, seed: int) -> str:
    return f"{candidate_id}/seed_{seed}"
