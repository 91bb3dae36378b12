"""The task metric F: a value per control step, reduced over an episode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch

from eureka.core.types import MetricSpec

Reduction = Literal["sum", "mean", "max", "last"]

SHARES = frozenset({"of the time", "of the episodes"})
"""Units of metrics that lie between 0 and 1."""

THROUGH_NEW_STARTS = "over the whole time limit, going on from a new start if an episode ends early"
"""What is told of every `mean`, which is that of one episode only where none ends early."""


@dataclass(frozen=True)
class Trace:
    """Whole episodes, each from its first control step on.

    `values` (steps, ...) is the metric's value after every step, and `running` (steps, ...) bool says which steps
    belong to the episode: the last of them is the one that ended it. Values after it are undefined.
    """

    values: torch.Tensor
    running: torch.Tensor


@dataclass(frozen=True)
class Metric:
    """The task metric F: a value per control step, reduced. It judges, and is never shown to a model.

    `sum`, `max` and `last` are over one episode. `mean` is over the time limit's number of control steps, through
    new episodes after early ends, so that a fall costs the time to get going again (as Eureka's F for locomotion,
    Ma et al. 2023, appendix). A function of the episode's `Trace` judges what none of these can, such as
    `longest_run`; it keeps the episodes' shape, and training, which sees no whole episode at once, shows the value of
    an episode's last step instead.

    `lowest` and `highest` bound it, and `best` is the best possible value, as far as there are such; a share of the
    time or of the episodes lies between 0 and 1.
    """

    value: Callable[[Any], torch.Tensor]
    reduce: Reduction | Callable[[Trace], torch.Tensor]
    unit: str
    description: str
    lowest: float | None = None
    highest: float | None = None
    best: float | None = None

    @property
    def as_told(self) -> MetricSpec:
        """What prompts and pages say of it."""
        bounds = (self.lowest, self.highest)
        if self.unit in SHARES and bounds == (None, None):
            bounds = (0.0, 1.0)
        over = f", {THROUGH_NEW_STARTS}" if self.reduce == "mean" else ""
        return MetricSpec(f"{self.description}{over}", self.unit, *bounds, self.best)

    @property
    def running_reduction(self) -> Reduction:
        """The reduction of the values of unfinished episodes."""
        return "last" if callable(self.reduce) else self.reduce

    def of_episode(self, values: torch.Tensor, limit: int | None = None) -> float:
        """The metric of one episode from its values (steps,).

        Args:
            limit: the number of steps of a `mean`, with missing steps counted as 0; None: the episode's own.
        """
        if callable(self.reduce):
            return float(self.reduce(Trace(values, torch.ones_like(values, dtype=torch.bool))))
        if self.reduce == "mean":
            return float(values.sum()) / (limit or len(values))
        return float({"sum": values.sum(), "max": values.max(), "last": values[-1]}[self.reduce])


def longest_run(trace: Trace) -> torch.Tensor:
    """The most consecutive steps of an episode in which the value was above 0."""
    run = torch.zeros_like(trace.values[0])
    longest = run
    for value, running in zip(trace.values, trace.running, strict=True):
        run = (run + 1) * ((value > 0) & running)
        longest = torch.maximum(longest, run)
    return longest


def times_begun(trace: Trace) -> torch.Tensor:
    """The number of times in an episode that the value rose above 0."""
    above = (trace.values > 0) & trace.running
    before = torch.cat([torch.zeros_like(above[:1]), above[:-1]])
    return (above & ~before).sum(dim=0).to(trace.values.dtype)
