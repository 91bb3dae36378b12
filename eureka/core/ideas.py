"""Types of a run's earlier rewards as prompts list them, one line each, and of what the good ones have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

JOB = "job"
"""Name of the sample note that holds the job of its answer."""
TUNED = "other constants"
"""Value of that note for a candidate made by tuning, that is, from an earlier one by changing constants."""
STATE = "state of the search"
"""Name of the sample note that holds the state of the search when its job was chosen."""


class IdeaStatus(StrEnum):
    """The outcome of a candidate."""

    TRAINED = "trained"
    STOPPED = "stopped"
    REJECTED = "rejected"
    REPEATED = "repeated"


@dataclass(frozen=True)
class Sensitivity:
    """The estimated change of the score when a constant is doubled, from all rewards of one structure.

    `std` is the standard deviation of the estimate.
    """

    by_doubling: float
    std: float


@dataclass(frozen=True, kw_only=True)
class Idea:
    """One earlier reward.

    Attributes:
        components: by name, each component's expression over State fields; an empty expression was omitted for brevity,
            and a candidate without a usable reward has no components.
        job: the job of its answer, such as `exploit`; empty if it had none.
        parents: the candidates that its prompt built on.
        fate: its outcome; `reason` says why, if it was rejected, a duplicate or stopped.
        scores: scores of its trainings, one per seed.
        estimate: its estimated worth given all scores of the run (`eureka.search.estimates`); None without scores.
        curve: its mean score at each evaluation.
        constants: the constants that differ from its parent's, if it was made by tuning.
        sensitivities: effect of its constants on the score, as far as rewards of its structure show it.
    """

    candidate_id: str
    fate: IdeaStatus
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
    """Mean scores of the rewards that have a property, described by `property_`, and of those that lack it.

    `mean_with` and `mean_without` are means of estimates; the number of rewards behind each is given too.
    """

    property_: str
    num_with: int
    mean_with: float
    num_without: int
    mean_without: float
