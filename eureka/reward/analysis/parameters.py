"""The named constants of a reward, and the effect of each on the total."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from eureka.reward.graph.format import ConstantRef, GraphError, references
from eureka.reward.graph.runtime import RewardFunction

MAX_TRIED = 64
"""Maximum number of named constants for which other values are tried: a graph may have hundreds, each compiled
twice."""


@dataclass(frozen=True)
class RewardConstant:
    """A named constant: its value, the lines that use it, and what doubling and halving it does to the total.

    `doubled` and `halved` are root mean square changes of the total over its standard deviation on recorded
    transitions; None where the total is constant or no longer finite, and of constants after the first `MAX_TRIED`.
    """

    name: str
    value: float
    lines: tuple[int, ...]
    doubled: float | None
    halved: float | None


def parameters(reward: RewardFunction, state: Mapping[str, torch.Tensor]) -> tuple[RewardConstant, ...]:
    """Every named constant in the order of its first use."""
    constants = reward.graph.constants
    lines = _lines(reward)
    total = reward(state)[0].double()
    found = []
    for number, name in enumerate(sorted(constants, key=lambda name: (lines[name][:1], name))):
        value = constants[name]
        tried = (2 * value, value / 2) if number < MAX_TRIED else ()
        doubled, halved, *_ = [*(_change(reward, state, total, {name: other}) for other in tried), None, None]
        found.append(RewardConstant(name, value, lines[name], doubled, halved))
    return tuple(found)


def _change(
    reward: RewardFunction,
    state: Mapping[str, torch.Tensor],
    total: torch.Tensor,
    constants: Mapping[str, float],
) -> float | None:
    """The root mean square change of the total with other constants, over its standard deviation."""
    spread = float(total.std(correction=0))
    try:
        changed, _ = reward.with_constants(**constants)(state)
    except GraphError:  # twice a number may exceed the largest allowed in a graph
        return None
    effect = float((changed.double() - total).square().mean().sqrt()) / spread if spread > 0.0 else math.nan
    return effect if math.isfinite(effect) else None


def _lines(reward: RewardFunction) -> dict[str, tuple[int, ...]]:
    lines: dict[str, set[int]] = {name: set() for name in reward.graph.constants}
    for node in reward.graph.nodes:
        for argument in node.arguments:
            for ref in references(argument):
                if isinstance(ref, ConstantRef) and node.line is not None:
                    lines[ref.name].add(node.line)
    return {name: tuple(sorted(found)) for name, found in lines.items()}
