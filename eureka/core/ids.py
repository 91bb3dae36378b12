"""Ids of candidates: `g02-c05` is sample 5 of generation 2, both counted from 1. Only this module builds and parses
them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_FORM = re.compile(r"g(\d{1,6})-c(\d{1,6})", re.ASCII)


class Place(NamedTuple):
    """The generation and sample number of a candidate."""

    generation: int
    sample: int


def candidate_id(generation: int, sample: int) -> str:
    """The id of a sample: `candidate_id(2, 5) == "g02-c05"`."""
    return f"g{generation:02d}-c{sample:02d}"


INIT_ID = candidate_id(1, 0)
"""The id of the reward that a person gave to start from (`search.init`); it precedes the first sample."""


def place_of(identity: str) -> Place:
    """Parse an id: `place_of("g02-c05") == (2, 5)`.

    Raises:
        ValueError: not an id, or not in the one form that `candidate_id` gives it.
    """
    match = _FORM.fullmatch(identity)
    place = Place(int(match[1]), int(match[2])) if match else None
    if place is None or candidate_id(*place) != identity:
        raise ValueError(f"{identity[:80]!r} is not a candidate id such as g02-c05")
    return place


def is_candidate_id(text: str) -> bool:
    """Whether a text is a valid candidate id."""
    try:
        place_of(text)
    except ValueError:
        return False
    return True


def generation_of(identity: str) -> int:
    """The generation of an id: `generation_of("g02-c05") == 2`; raises ValueError as `place_of` does."""
    return place_of(identity).generation


def sample_of(identity: str) -> int:
    """The sample number of an id: `sample_of("g02-c05") == 5`; raises ValueError as `place_of` does."""
    return place_of(identity).sample
