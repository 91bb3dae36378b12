"""The types of a diagnosis of a reward. `eureka.reward.analysis.diagnosis` makes diagnoses, `eureka.prompts` puts them
into words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How serious a diagnosis is, worst first: a problem makes the reward useless, a warning may, a note is for
    information.
    """

    PROBLEM = "problem"
    WARNING = "warning"
    NOTE = "note"


class DiagnosisKind(StrEnum):
    """Kinds of findings, from a reward's training, its graph, or its values on recorded transitions."""

    METRIC_ZERO = "metric_zero"
    METRIC_FLAT = "metric_flat"
    METRIC_FELL = "metric_fell"
    METRIC_NEEDS_NOISE = "metric_needs_noise"
    METRIC_RISING = "metric_rising"
    REWARD_UP_METRIC_FLAT = "reward_up_metric_flat"
    EPISODES_SHORTEN = "episodes_shorten"
    COMPONENT_FLAT = "component_flat"
    COMPONENT_RARE = "component_rare"
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
    """One finding about a reward.

    Attributes:
        component: the component concerned, or the variable of a term; empty if it is about the whole reward.
        numbers: the figures behind it, by the names used in its wording.
        fields: the State fields concerned.
        line: the line of the source at fault, if there is one.
    """

    kind: DiagnosisKind
    severity: Severity = Severity.WARNING
    component: str = ""
    numbers: Mapping[str, float | None] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    line: int | None = None
