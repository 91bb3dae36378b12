"""How much of every text fits into a file of limited size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Excerpt(NamedTuple):
    """The part of a text that is shown, and how many characters are left out."""

    text: str
    left_out: int


def fair_cap(sizes: Sequence[int], budget: int) -> int:
    """The largest cap for which texts of these sizes, each cut to it, fit into `budget` together.

    Short texts stay whole, and what they leave over goes to the long ones. Gives the largest size where all fit.
    """
    left = budget
    ordered = sorted(sizes)
    for position, size in enumerate(ordered):
        share = left // (len(ordered) - position)
        if size > share:
            return max(share, 0)
        left -= size
    return ordered[-1] if ordered else 0


def excerpt(text: str, cap: int) -> Excerpt:
    """The beginning of `text`, at most `cap` characters of it."""
    return Excerpt(text[:cap], max(len(text) - cap, 0))
