"""What a diagnosis of a reward is. `eureka.reward.analysis.diagnosis` makes them, `eureka.prompts` has their words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """A problem stops a reward from being any good, a warning may, a note is good to know; in this order."""

    PROBLEM = "problem"
    WARNING = "warning"
    NOTE = "note"


class DiagnosisKind(StrEnum):
    """What can be seen in a reward's training, in its graph, or in what it gives on recorded transitions."""

    METRIC_ZERO = "metric_zero"
    METRIC_FLAT = "metric_flat"
    METRIC_FELL = "metric_fell"
    METRIC_RISING = "metric_rising"
    REWARD_UP_METRIC_FLAT = "reward_up_metric_flat"
    EPISODES_SHORTEN = "episodes_shorten"
    COMPONENT_FLAT = "component_flat"
    COMPONENT_LEADS = "component_leads"
    COMPONENT_DOMINATES = "component_dominates"
    COMPONENT_NEGLIGIBLE = "component_negligible"
    PENALTY_SPENT = "penalty_spent"
    COMPONENT_OPPOSES = "component_opposes"
    COMPONENT_SATURATED = "component_saturated"
    COMPONENT_UNUSED = "component_unused"
    TERM_UNREPORTED = "term_unreported"
    CONSTANT_UNREPORTED = "constant_unreported"
    TOTAL_CONSTANT = "total_constant"
    COMPONENT_IDLE = "component_idle"
    COMPONENT_CONSTANT = "component_constant"
    COMPONENT_AT_EDGE = "component_at_edge"
    NOT_FINITE_BEYOND = "not_finite_beyond"
    PREFERS_FAILING = "prefers_failing"
    RANKS_SOME_WRONG = "ranks_some_wrong"
    RANKING_UNKNOWN = "ranking_unknown"


@dataclass(frozen=True)
class Diagnosis:
    """One thing that stands out.

    Attributes:
        component: the component that it is about, or the variable of a term; empty where it is about the whole reward.
        numbers: what it follows from, by the names that its words use.
        fields: the State fields that are concerned.
        line: the line of the source that is to blame, where one is.
    """

    kind: DiagnosisKind
    severity: Severity = Severity.WARNING
    component: str = ""
    numbers: Mapping[str, float | None] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    line: int | None = None
