"""Ids of candidates: `g02-c05` is sample 5 of generation 2, both counted from 1. Made and parsed here alone."""

from __future__ import annotations

import re
from typing import NamedTuple

_FORM = re.compile(r"g(\d{1,6})-c(\d{1,6})", re.ASCII)


class Place(NamedTuple):
    """Where a candidate stands in a run."""

    generation: int
    sample: int


def candidate_id(generation: int, sample: int) -> str:
    """`candidate_id(2, 5) == "g02-c05"`."""
    return f"g{generation:02d}-c{sample:02d}"


INIT_ID = candidate_id(1, 0)
"""The reward that a search starts from where a person gave one (`search.init`): before the first sample."""


def place_of(identity: str) -> Place:
    """`place_of("g02-c05") == (2, 5)`.

    Raises:
        ValueError: not an id, or not in the one form that `candidate_id` gives it.
    """
    match = _FORM.fullmatch(identity)
    place = Place(int(match[1]), int(match[2])) if match else None
    if place is None or candidate_id(*place) != identity:
        raise ValueError(f"{identity[:80]!r} is not a candidate id such as g02-c05")
    return place


def is_candidate_id(text: str) -> bool:
    """Whether `place_of` takes it."""
    try:
        place_of(text)
    except ValueError:
        return False
    return True


def generation_of(identity: str) -> int:
    """`generation_of("g02-c05") == 2`; raises ValueError as `place_of` does."""
    return place_of(identity).generation


def sample_of(identity: str) -> int:
    """`sample_of("g02-c05") == 5`; raises ValueError as `place_of` does."""
    return place_of(identity).sample
