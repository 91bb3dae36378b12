"""Transitions recorded from an environment, on which rewards are verified and the State's ranges are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from eureka.core.types import MetricProbe, Ranges


@dataclass(frozen=True)
class Recording:
    """`state` has the State's fields, `metric` the per-step task metric and `terminated` a flag; each (num, ...)."""

    state: Mapping[str, torch.Tensor]
    metric: torch.Tensor
    terminated: torch.Tensor


MOST = (0.05, 0.95)
"""Quantiles between which most values of a State column lie."""
MAX_RANGES = 4
"""Fields with more columns have one range for all of them."""


def random_ranges(recording: Recording) -> dict[str, Ranges]:
    """The range of each State field under the recording's random actions, by the quantiles `MOST`: one for each of its
    columns, or one for all of them. Fields without values, or with values that are not finite, are omitted.
    """
    found: dict[str, Ranges] = {}
    for name, value in recording.state.items():
        columns = _columns(value)
        if columns.shape[1] > MAX_RANGES:
            columns = columns.reshape(-1, 1)
        if columns.numel() and bool(columns.isfinite().all()):
            ordered = columns.sort(dim=0).values
            low, high = (ordered[round(part * (len(ordered) - 1))].tolist() for part in MOST)
            found[name] = tuple(zip(low, high, strict=True))
    return found


def _columns(value: torch.Tensor) -> torch.Tensor:
    """A State field (num, ...) as (num, columns)."""
    return value.double().flatten(1) if value.dim() > 1 else value.double()[:, None]


def probe_metric(recording: Recording) -> MetricProbe:
    """Pearson's correlation of every State column with the per-step metric, without constant columns."""
    metric = recording.metric.double()
    correlation: dict[str, float] = {}
    for name, value in recording.state.items():
        columns = _columns(value)
        for index in range(columns.shape[1]):
            pair = torch.stack([columns[:, index], metric])
            if bool((pair.std(dim=1) > 1e-9).all()):
                key = name if value.dim() == 1 else f"{name}[{index}]"
                correlation[key] = round(float(torch.corrcoef(pair)[0, 1]), 4)
    return MetricProbe(correlation)
