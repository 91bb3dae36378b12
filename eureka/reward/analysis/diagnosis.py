"""Diagnoses of a reward: from its training, its graph, and its values on recorded transitions.

All thresholds are in `thresholds`. The wording is in `eureka.prompts`: advice for a model, and sentences for a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from eureka.core.diagnosis import Diagnosis, DiagnosisKind, Severity
from eureka.core.types import ComponentReflection, Reflection
from eureka.reward.analysis import thresholds

if TYPE_CHECKING:  # torch is slow to import, and a report, which reads trainings only, does not need it
    from eureka.reward.analysis.behaviour import Behaviour, NonFiniteExtrapolation
    from eureka.reward.analysis.ranking import Ranking
    from eureka.reward.analysis.structure import Structure, Unreported

Kind = DiagnosisKind


def of_training(reflection: Reflection) -> tuple[Diagnosis, ...]:
    """Diagnoses from the statistics of a training: of the whole reward first, then by component in their order."""
    return (
        *_about_metric(reflection),
        *(diagnosis for component in reflection.components for diagnosis in _about_trained(component, reflection)),
    )


def with_structure(reflection: Reflection, form: Structure) -> Reflection:
    """`reflection` with diagnoses of how the candidate's graph composes the total.

    A component that does not reach the total gets no other diagnosis, since it did not influence the training.
    """
    found = list(_about_unused(form))
    unused = {diagnosis.component for diagnosis in found}
    kept = [diagnosis for diagnosis in reflection.diagnoses if diagnosis.component not in unused]
    terms = {term.name: _unreported(term, None) for term in form.unreported}
    return replace(reflection, diagnoses=(*kept, *found, *terms.values(), *_about_constant(form)))


def of_recorded(
    form: Structure,
    total: Behaviour,
    components: Mapping[str, Behaviour],
    unreported: Sequence[tuple[Unreported, float | None]],
    extrapolations: Sequence[NonFiniteExtrapolation],
    ranking: Ranking | None,
) -> tuple[Diagnosis, ...]:
    """Diagnoses from a reward's graph and its values on recorded transitions, the most important first.

    Args:
        unreported: the terms that no component reports, each with its share of the total's variance.
        ranking: None if there were no trajectories.
    """
    found = [
        *_about_total(total),
        *_about_constant(form),
        *(_about_ranking(ranking) if ranking else ()),
        *_about_unused(form),
        *(
            diagnosis
            for name, value in components.items()
            if form.entries[name].reaches
            for diagnosis in _about_recorded(name, value, components)
        ),
        *(_unreported(term, share) for term, share in unreported),
        *_about_extrapolations(extrapolations),
    ]
    order = list(Severity)
    return tuple(sorted(found, key=lambda diagnosis: order.index(diagnosis.severity)))


# ---- of a training -----------------------------------------------------------------------------------------------


def rise(points: Sequence[float]) -> float:
    """The change from the first third to the last, relative to the greatest absolute value; 0 for one point and for
    only zeros.
    """
    third = max(len(points) // 3, 1)
    scale = max((abs(value) for value in points), default=0.0)
    if scale == 0.0 or len(points) < 2:
        return 0.0
    return (sum(points[-third:]) - sum(points[:third])) / third / scale


def _ends(points: Sequence[float]) -> dict[str, float | None]:
    return {"first": points[0], "last": points[-1]}


def _about_metric(reflection: Reflection) -> Iterator[Diagnosis]:
    points, best, final = reflection.metric_points, reflection.metric_max, reflection.metric_final
    if not points:
        return
    gained = rise(points)
    if all(0.0 <= value < thresholds.ZERO_METRIC for value in (*points, best, final)):
        yield Diagnosis(Kind.METRIC_ZERO)
    elif best - final > thresholds.CLEAR_LOSS * abs(best):
        lost = {"best": best, "final": final, "training": points[-1]}
        # The curve is of policies that explore; they are evaluated without the noise of their actions.
        kept_in_training = max(points) - points[-1] <= thresholds.CLEAR_LOSS * abs(max(points))
        needs_noise = kept_in_training and points[-1] - final > thresholds.CLEAR_LOSS * abs(points[-1])
        yield Diagnosis(Kind.METRIC_NEEDS_NOISE if needs_noise else Kind.METRIC_FELL, numbers=lost)
    elif abs(gained) < thresholds.FLAT_RISE:
        yield Diagnosis(Kind.METRIC_FLAT, numbers=_ends(points))
    elif rise(points[len(points) // 2 :]) >= thresholds.FLAT_RISE:
        rising: dict[str, float | None] = {"middle": points[len(points) // 2], "last": points[-1]}
        yield Diagnosis(Kind.METRIC_RISING, Severity.NOTE, numbers=rising)
    if gained >= thresholds.FLAT_RISE:
        return
    if rise(reflection.total_points) > thresholds.CLEAR_RISE:
        yield Diagnosis(Kind.REWARD_UP_METRIC_FLAT, numbers=_ends(reflection.total_points))
    if rise(reflection.episode_length_points) < -thresholds.CLEAR_LOSS:
        numbers = {**_ends(reflection.episode_length_points), "total": reflection.total_points[-1]}
        yield Diagnosis(Kind.EPISODES_SHORTEN, numbers=numbers)


def _about_trained(component: ComponentReflection, reflection: Reflection) -> Iterator[Diagnosis]:
    name, share, correlation = component.name, component.variance_share, _highest_correlation(component)
    if is_spent(component):
        numbers = {"first": _thirds(component.points)[0], "last": _thirds(component.points)[1]}
        yield Diagnosis(Kind.PENALTY_SPENT, Severity.NOTE, name, numbers)
        return
    if component.minimum == component.maximum != 0.0:
        yield Diagnosis(Kind.COMPONENT_CONSTANT, Severity.NOTE, name, {"mean": component.mean})
        return
    if _is_flat(component, reflection):
        numbers = {"std": component.std, "mean": component.mean, "active": component.active_fraction}
        kind = Kind.COMPONENT_RARE if _is_rare(component) else Kind.COMPONENT_FLAT
        yield Diagnosis(kind, component=name, numbers=numbers)
        return
    if is_saturated(component):
        yield Diagnosis(Kind.COMPONENT_SATURATED, component=name)
    several = sum(not _is_flat(c, reflection) for c in reflection.components) > 1
    moves: dict[str, float | None] = {"share": share}
    if reflection.metric_points:
        moves["correlation"] = correlation
    if several and share is not None and abs(share) < thresholds.NEGLIGIBLE_SHARE:
        if not _costs_where_met(component, reflection):
            yield Diagnosis(Kind.COMPONENT_NEGLIGIBLE, component=name, numbers=moves)
    # A component that is never positive is a penalty, and doing the task may well cost effort.
    elif correlation is not None and correlation < thresholds.OPPOSES and component.maximum > 0.0:
        yield Diagnosis(Kind.COMPONENT_OPPOSES, component=name, numbers=moves)
    elif several and share is not None and share > thresholds.DOMINANT_SHARE:
        leads = correlation is not None and correlation >= thresholds.FOLLOWS
        yield Diagnosis(Kind.COMPONENT_LEADS if leads else Kind.COMPONENT_DOMINATES, component=name, numbers=moves)


def _highest_correlation(component: ComponentReflection) -> float | None:
    """The highest of its correlations with the task metric, so that a component is not criticised if any of them is
    high.

    The per-step metric alone is misleading if a task accumulates, or uses the last or the highest value.
    """
    known = [
        value
        for value in (
            component.metric_correlation,
            component.score_correlation,
            component.episode_correlation,
            component.change_correlation,
        )
        if value is not None
    ]
    return max(known, default=None)


def _is_flat(component: ComponentReflection, reflection: Reflection) -> bool:
    largest = max(c.std for c in reflection.components)
    return component.std <= thresholds.FLAT_STD * largest or _is_rare(component)


def _is_rare(component: ComponentReflection) -> bool:
    return component.active_fraction < thresholds.RARELY


def is_spent(component: ComponentReflection) -> bool:
    """Whether it is a penalty (never positive) that costs far less at the end of the training than at first."""
    if component.maximum > 0.0 or component.minimum >= 0.0 or len(component.points) < 3:
        return False
    first, last = _thirds(component.points)
    return first < 0.0 and last >= thresholds.SPENT * first


def _costs_where_met(component: ComponentReflection, reflection: Reflection) -> bool:
    """Whether it is a penalty that rarely occurs and then costs as much as the other components vary, so that its small
    share of the variance may be its success.
    """
    others = [other.std for other in reflection.components if other is not component]
    return component.maximum <= 0.0 and bool(others) and -component.minimum >= max(others)


def _thirds(points: Sequence[float]) -> tuple[float, float]:
    """The means of the first and of the last third of a curve."""
    third = max(len(points) // 3, 1)
    return sum(points[:third]) / third, sum(points[-third:]) / third


def is_saturated(component: ComponentReflection) -> bool:
    """Whether it rose to its maximum during the training and stayed there, so that it gives no further learning
    signal."""
    room = component.maximum - component.minimum
    lowest = min(component.points[-max(len(component.points) // 3, 1) :], default=component.minimum)
    return room > 0 and component.maximum > 0 and component.maximum - lowest < thresholds.SATURATED_ROOM * room


# ---- of a graph --------------------------------------------------------------------------------------------------


def _about_unused(form: Structure) -> Iterator[Diagnosis]:
    for name, entry in form.entries.items():
        if not entry.reaches:
            yield Diagnosis(Kind.COMPONENT_UNUSED, component=name)


def _about_constant(form: Structure) -> Iterator[Diagnosis]:
    if form.constant:
        yield Diagnosis(Kind.CONSTANT_UNREPORTED, numbers={"constant": form.constant})


def _unreported(term: Unreported, share: float | None) -> Diagnosis:
    reads = () if term.reads == (term.name,) else term.reads
    return Diagnosis(
        Kind.TERM_UNREPORTED, component=term.name or "", numbers={"share": share}, fields=reads, line=term.line
    )


# ---- of recorded transitions -------------------------------------------------------------------------------------


def _about_total(total: Behaviour) -> Iterator[Diagnosis]:
    if total.is_constant:
        yield Diagnosis(Kind.TOTAL_CONSTANT, Severity.PROBLEM, numbers={"mean": total.mean})


def _about_recorded(name: str, value: Behaviour, every: Mapping[str, Behaviour]) -> Iterator[Diagnosis]:
    if value.is_constant:
        idle = value.mean == 0.0
        kind, severity = (Kind.COMPONENT_IDLE, Severity.WARNING) if idle else (Kind.COMPONENT_CONSTANT, Severity.NOTE)
        yield Diagnosis(kind, severity, name, {"mean": value.mean})
        return
    for part, edge in ((value.at_minimum, "least"), (value.at_maximum, "greatest")):
        if part >= thresholds.HARDLY_VARIES:
            end = value.minimum if edge == "least" else value.maximum
            yield Diagnosis(Kind.COMPONENT_AT_EDGE, component=name, numbers={"part": part, edge: end})
    several = sum(not other.is_constant for other in every.values()) > 1
    share = value.variance_share
    if several and share is not None and share > thresholds.DOMINANT_SHARE:
        yield Diagnosis(Kind.COMPONENT_DOMINATES, Severity.NOTE, name, {"share": share})
    elif several and share is not None and abs(share) < thresholds.NEGLIGIBLE_SHARE:
        yield Diagnosis(Kind.COMPONENT_NEGLIGIBLE, Severity.NOTE, name, {"share": share})


def _about_extrapolations(found: Sequence[NonFiniteExtrapolation]) -> Iterator[Diagnosis]:
    for value in found:
        name = "" if value.name == "total" else value.name
        numbers = {"share": value.share, "times": thresholds.BEYOND}
        yield Diagnosis(Kind.NOT_FINITE_BEYOND, component=name, numbers=numbers, line=value.line)


def _about_ranking(ranking: Ranking) -> Iterator[Diagnosis]:
    if ranking.share is None:
        yield Diagnosis(Kind.RANKING_UNKNOWN, Severity.NOTE)
    elif ranking.is_backwards:
        yield prefers_failing(ranking)
    elif ranking.share < 1.0:
        numbers = {"right": float(ranking.right), "pairs": float(ranking.pairs)}
        yield Diagnosis(Kind.RANKS_SOME_WRONG, Severity.NOTE, numbers=numbers)


def prefers_failing(ranking: Ranking) -> Diagnosis:
    """A diagnosis that a reward prefers worse trajectories, with an example, and the component most responsible."""
    best, worst = ranking.best, ranking.worst
    gaps = {name: best.components[name] - worst.components[name] for name in best.components}
    against = min(gaps, key=lambda name: gaps[name], default="")
    numbers = {
        "right": float(ranking.right),
        "pairs": float(ranking.pairs),
        "best_score": best.score,
        "best_worth": best.worth,
        "worst_score": worst.score,
        "worst_worth": worst.worth,
    }
    blamed = against if against and gaps[against] < 0.0 else ""
    return Diagnosis(Kind.PREFERS_FAILING, Severity.PROBLEM, blamed, numbers)
