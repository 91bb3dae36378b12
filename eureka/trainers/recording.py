"""Transitions recorded from an environment, used to verify rewards and to correlate the State with the metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from eureka.core.types import MetricProbe


@dataclass(frozen=True)
class Recording:
    """`state` has the State's fields, `metric` the per-step task metric and `terminated` a flag; each (num, ...)."""

    state: Mapping[str, torch.Tensor]
    metric: torch.Tensor
    terminated: torch.Tensor


MOST = (0.05, 0.95)
"""Quantiles between which most values of a State column lie."""
MAX_COLUMNS = 4
"""Fields with more columns have one range for all of them."""


def random_ranges(recording: Recording) -> dict[str, tuple[tuple[float, float], ...]]:
    """The range of each State field under the recording's random actions, by the quantiles `MOST`: one for each of its
    columns, or one for all of them.
    """
    found = {}
    for name, value in recording.state.items():
        columns = value.double().flatten(1) if value.dim() > 1 else value.double()[:, None]
        if columns.shape[1] > MAX_COLUMNS:
            columns = columns.reshape(-1, 1)
        low, high = torch.quantile(columns, torch.tensor(MOST, dtype=torch.float64), dim=0).tolist()
        found[name] = tuple(zip(low, high, strict=True))
    return found


def probe_metric(recording: Recording) -> MetricProbe:
    """Pearson's correlation of every State column with the per-step metric, without constant columns."""
    metric = recording.metric.double()
    correlation: dict[str, float] = {}
    for name, value in recording.state.items():
        columns = value.double().flatten(1) if value.dim() > 1 else value.double()[:, None]
        for index in range(columns.shape[1]):
            pair = torch.stack([columns[:, index], metric])
            if bool((pair.std(dim=1) > 1e-9).all()):
                key = name if value.dim() == 1 else f"{name}[{index}]"
                correlation[key] = round(float(torch.corrcoef(pair)[0, 1]), 4)
    return MetricProbe(correlation)
