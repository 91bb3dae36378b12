"""Statistics of a reward's components on recorded transitions, and on somewhat larger states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from eureka.reward.analysis.structure import ComponentEntry
from eureka.reward.analysis.thresholds import BEYOND, CONSTANT_STD, EDGE
from eureka.reward.graph.format import Ref
from eureka.reward.graph.runtime import RewardFunction
from eureka.reward.graph.verify import non_finite_line, stretched

State = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Behaviour:
    """One component, or the total, over recorded transitions.

    `variance_share` is cov(component, total) / var(total), times the component's weight in the total if it has one;
    None if it does not reach the total, or the total is constant. `at_minimum` and `at_maximum` are the shares of
    transitions near an end of its range, 0 if it is constant.
    """

    name: str
    mean: float
    std: float
    minimum: float
    maximum: float
    variance_share: float | None
    at_minimum: float
    at_maximum: float

    @property
    def is_constant(self) -> bool:
        return self.std <= CONSTANT_STD * max(abs(self.minimum), abs(self.maximum), 1e-30)


@dataclass(frozen=True)
class NonFiniteExtrapolation:
    """A value that is finite on every recorded state and not on states `BEYOND` times as large."""

    name: str
    share: float
    line: int | None


def behaviours(
    reward: RewardFunction, state: State, entries: Mapping[str, ComponentEntry]
) -> tuple[Behaviour, dict[str, Behaviour]]:
    """Statistics of the total and of every component; `entries` say how the components enter the total."""
    total, components = reward(state)
    wanted = total.double()
    found = {}
    for name, value in components.items():
        entry = entries[name]
        weight = (1.0 if entry.weight is None else entry.weight) if entry.reaches else None
        found[name] = _behaviour(name, value.double(), wanted, weight)
    return _behaviour("total", wanted, wanted, 1.0), found


def _behaviour(name: str, value: torch.Tensor, total: torch.Tensor, weight: float | None) -> Behaviour:
    low, high = float(value.min()), float(value.max())
    edge = EDGE * (high - low)
    variance = float(total.var(correction=0))
    covariance = float(((value - value.mean()) * (total - total.mean())).mean())
    moves = high > low
    return Behaviour(
        name=name,
        mean=float(value.mean()),
        std=float(value.std(correction=0)),
        minimum=low,
        maximum=high,
        variance_share=weight * covariance / variance if weight is not None and variance > 1e-24 else None,
        at_minimum=float((value <= low + edge).double().mean()) if moves else 0.0,
        at_maximum=float((value >= high - edge).double().mean()) if moves else 0.0,
    )


def non_finite_extrapolations(reward: RewardFunction, state: State) -> tuple[NonFiniteExtrapolation, ...]:
    """Components and the total that become NaN or infinite on larger states."""
    far = stretched(state, BEYOND)
    total, components = reward(far)
    found: list[NonFiniteExtrapolation] = []
    values: list[tuple[str, torch.Tensor, Ref]] = [
        *((c.name, components[c.name], c.value) for c in reward.graph.components),
        ("total", total, reward.graph.total),
    ]
    for name, value, ref in values:
        bad = ~torch.isfinite(value)
        if bool(bad.any()):
            rows = bad.nonzero()[:1, 0]
            line = non_finite_line(reward.graph, ref, {key: field[rows] for key, field in far.items()})
            if name != "total" or line not in {other.line for other in found}:
                found.append(NonFiniteExtrapolation(name, float(bad.double().mean()), line))
    return tuple(found)
