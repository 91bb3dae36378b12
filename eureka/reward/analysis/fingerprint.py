"""Detects rewards that are equal for training: equal values on the same states, up to a positive factor.

The trainer scales rewards by the spread of their returns, so a factor makes no difference. The states are the recorded
ones, and stretched and mixed copies of them, so that rewards which differ only outside the recorded range (for example
by a clamp) are distinguished.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from eureka.reward.graph.runtime import RewardFunction
from eureka.reward.graph.verify import stretched

State = Mapping[str, torch.Tensor]

RELATIVE = 1e-4
"""Maximum relative difference of each value, after scaling, of two rewards that count as equal."""
_NEGLIGIBLE = 1e-6
"""Share of the root mean square of a block of states below which a value counts as zero."""
_STRETCHES = (3.0, -2.0)
BLOCKS = 2 + len(_STRETCHES)
"""Number of blocks of states."""
_MAX_FACTOR_ERROR = 1e-3
"""A factor this close to 1 is rounding error."""


def mixed(state: State, names: Sequence[str] = ()) -> dict[str, torch.Tensor]:
    """The recorded rows with each field shifted by a different number of rows: combinations that were never recorded.

    Args:
        names: of all fields, where `state` has only some of them.
    """
    place = {name: index for index, name in enumerate(sorted(names or state))}
    return {name: value.roll(7 * place[name], 0) for name, value in state.items()}


@dataclass(frozen=True)
class Fingerprint:
    """A reward's totals on blocks of states, (num_blocks, num_rows) float64; the first block is the recorded one."""

    values: torch.Tensor


class Fingerprints:
    """Makes fingerprints on one set of recorded transitions; those of one set can be compared.

    Args:
        names: names of all fields of the set, if `state` has only some of them.
    """

    def __init__(self, state: State, names: Sequence[str] = ()) -> None:
        self._blocks = [dict(state), *(stretched(state, factor) for factor in _STRETCHES), mixed(state, names)]

    def of(self, reward: RewardFunction) -> Fingerprint:
        """The fingerprint of a verified reward."""
        return Fingerprint(torch.stack([reward(block)[0].double() for block in self._blocks]))


def twin_factor(reward: Fingerprint, other: Fingerprint) -> float | None:
    """The factor `f` > 0 with `reward` = `f` times `other` on every state; None if there is none."""
    ours, theirs = reward.values, other.values
    if not bool((torch.isfinite(ours) == torch.isfinite(theirs)).all()):
        return None
    finite = torch.isfinite(ours)
    ours, theirs = ours.where(finite, 0.0), theirs.where(finite, 0.0)
    norm = float(theirs[0].square().sum())
    if norm == 0.0:
        return 1.0 if bool((ours == theirs).all()) else None
    factor = float((ours[0] * theirs[0]).sum()) / norm
    if factor <= 0.0:
        return None
    theirs = factor * theirs
    size = ours.square().mean(dim=1, keepdim=True).sqrt()
    same = (ours - theirs).abs() <= RELATIVE * ours.abs() + _NEGLIGIBLE * size
    if not bool(same.all()):
        return None
    return 1.0 if abs(factor - 1.0) < _MAX_FACTOR_ERROR else factor
