"""All earlier rewards of a run as prompts list them: one line each, and what the good ones have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

JOB = "job"
"""The note of a sample that says what its answer was asked to do."""
TUNED = "other constants"
"""What that note says of a candidate that nobody was asked for: an earlier one with other constants."""
STATE = "state of the search"
"""The note that says how the search stood when that was decided."""


class Fate(StrEnum):
    """What became of a candidate."""

    TRAINED = "trained"
    STOPPED = "stopped"
    REJECTED = "rejected"
    REPEATED = "repeated"


@dataclass(frozen=True)
class Sensitivity:
    """How a score changes where a constant is doubled: an estimate from all rewards of one structure.

    `std` is the standard deviation of the estimate.
    """

    by_doubling: float
    std: float


@dataclass(frozen=True, kw_only=True)
class Idea:
    """One earlier reward.

    Attributes:
        components: each component's expression over State fields by its name; empty text where it was left out for
            brevity, and no components where there was no usable reward.
        job: what its answer was asked to do, such as `exploit`; empty where nothing was said.
        parents: the candidates that it was to build on.
        fate: what became of it, and `reason` why, where it was rejected, repeated or stopped.
        scores: of its trainings, one per seed.
        estimate: what it is probably worth, by all scores of the run (`eureka.search.estimates`); None without scores.
        curve: its mean score at each evaluation on the way.
        constants: of a reward that was made of its parent with other constants: those that differ.
        sensitivities: how the score goes with its constants, as far as rewards of its structure show it.
    """

    candidate_id: str
    fate: Fate
    components: Mapping[str, str] = field(default_factory=dict)
    job: str = ""
    parents: tuple[str, ...] = ()
    reason: str = ""
    scores: tuple[float, ...] = ()
    estimate: float | None = None
    curve: tuple[float, ...] = ()
    constants: Mapping[str, float] = field(default_factory=dict)
    sensitivities: Mapping[str, Sensitivity] = field(default_factory=dict)


@dataclass(frozen=True)
class Contrast:
    """Scores of the rewards that have some property, and of those that have not: `property_` in words.

    `mean_with` and `mean_without` are means of estimates, over so many rewards.
    """

    property_: str
    num_with: int
    mean_with: float
    num_without: int
    mean_without: float
