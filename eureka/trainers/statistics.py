"""Statistics of every reward component during a training: curves per update, and moments over all steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from eureka.core.training import ComponentStatistics


class ComponentRecorder:
    """Follows one group's components, their total and the per-step task metric.

    Sums are kept in float64, on the CPU wherever the training runs.
    """

    def __init__(self, components: Sequence[str]) -> None:
        self.components = tuple(components)
        size = len(self.components) + 2  # columns: the components, the total, the metric
        self._count = 0
        self._sum = torch.zeros(size, dtype=torch.float64, device="cpu")
        self._products = torch.zeros(size, size, dtype=torch.float64, device="cpu")
        self._minimum = torch.full((size,), math.inf, dtype=torch.float64, device="cpu")
        self._maximum = torch.full((size,), -math.inf, dtype=torch.float64, device="cpu")
        self._active = torch.zeros(size, dtype=torch.float64, device="cpu")
        self.curves: list[list[float]] = []

    def add(self, total: torch.Tensor, components: Mapping[str, torch.Tensor], metric: torch.Tensor) -> None:
        """Add one rollout: each (T * N,)."""
        everything = torch.ones(total.shape, dtype=torch.bool, device=total.device)
        self.take(measure([*(components[name] for name in self.components), total, metric], everything))

    def take(self, measured: torch.Tensor) -> float:
        """Add one rollout, from the result of `measure` on the CPU for the components, the total and the metric.

        Returns:
            The metric's mean.
        """
        size = len(self.components) + 2
        parts = torch.split(measured, [1, size, size * size, size, size, size])
        count, sums, products, minimum, maximum, active = parts
        self._count += int(count)
        self._sum += sums
        self._products += products.view(size, size)
        self._minimum = torch.minimum(self._minimum, minimum)
        self._maximum = torch.maximum(self._maximum, maximum)
        self._active += active
        mean: list[float] = (sums / count).tolist()
        self.curves.append(mean)
        return mean[-1]

    def curve(self, name: str) -> tuple[float, ...]:
        """The mean per control step in every update, of a component or of the `total`."""
        index = len(self.components) if name == "total" else self.components.index(name)
        return tuple(row[index] for row in self.curves)

    def statistics(self) -> dict[str, ComponentStatistics]:
        """Statistics over the whole training so far; see `ComponentReflection` for the definitions."""
        mean = self._sum / self._count
        covariance = self._products / self._count - torch.outer(mean, mean)
        std = covariance.diagonal().clamp(min=0).sqrt()
        total, metric = len(self.components), len(self.components) + 1
        result = {}
        for index, name in enumerate(self.components):
            result[name] = ComponentStatistics(
                mean=float(mean[index]),
                minimum=float(self._minimum[index]),
                maximum=float(self._maximum[index]),
                std=float(std[index]),
                variance_share=_ratio(covariance[index, total], covariance[total, total]),
                active_fraction=float(self._active[index]) / self._count,
                metric_correlation=_correlation(covariance[index, metric], std[index], std[metric]),
            )
        return result

    def state_dict(self) -> dict[str, Any]:
        return {
            "count": self._count,
            "sum": self._sum.clone(),
            "products": self._products.clone(),
            "minimum": self._minimum.clone(),
            "maximum": self._maximum.clone(),
            "active": self._active.clone(),
            "curves": [list(row) for row in self.curves],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._count = state["count"]
        self._sum, self._products = state["sum"].clone(), state["products"].clone()
        self._minimum, self._maximum = state["minimum"].clone(), state["maximum"].clone()
        self._active = state["active"].clone()
        self.curves = [list(row) for row in state["curves"]]


def measure(values: Sequence[torch.Tensor], counted: torch.Tensor) -> torch.Tensor:
    """The figures that `ComponentRecorder.take` needs of `values`, each (steps,), over the steps that are `counted`
    (steps,).

    One float64 tensor on their device, so that a single transfer brings it to the CPU: the number of steps; then for
    each value the sum, the products with every value, the minimum, the maximum, and the number of steps in which it
    differs from its most frequent value. With S values, 1 + S * (S + 4) numbers.
    """
    rows = torch.stack([value.double() for value in values])
    known = torch.where(counted, rows, 0.0)
    count = counted.sum()
    parts = [
        count[None].double(),
        known.sum(dim=1),
        (known @ known.T).flatten(),
        torch.where(counted, rows, math.inf).amin(dim=1),
        torch.where(counted, rows, -math.inf).amax(dim=1),
        (count - _most_frequent(torch.where(counted, rows, math.inf), count)).double(),
    ]
    return torch.cat(parts)


def _most_frequent(rows: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    """The number of occurrences of each row's most frequent value among its `count` smallest: the longest run of equal
    values.
    """
    ordered = rows.sort(dim=1).values
    index = torch.arange(rows.shape[1], device=rows.device)
    runs = torch.searchsorted(ordered, ordered, right=True) - torch.searchsorted(ordered, ordered)
    return torch.where(index < count, runs, 0).amax(dim=1)


def _ratio(part: torch.Tensor, whole: torch.Tensor) -> float | None:
    return float(part / whole) if float(whole) > 1e-12 else None


def _correlation(covariance: torch.Tensor, std: torch.Tensor, other: torch.Tensor) -> float | None:
    # Below this spread, the float64 products are rounding error.
    if float(std) < 1e-7 or float(other) < 1e-7:
        return None
    return max(-1.0, min(1.0, float(covariance / (std * other))))
