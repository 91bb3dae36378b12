"""The candidates of a report: figures, code, changes, prompts and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from eureka.core.diagnosis import Diagnosis, Severity
from eureka.core.training import TrainingResult
from eureka.core.types import ComponentReflection, Reflection
from eureka.prompts import for_person
from eureka.ui.report.charts import MAX_POINTS, Series, bar, line_chart, sparkline
from eureka.ui.report.code import difference, highlighted
from eureka.ui.report.scale import value_range
from eureka.ui.report.text import Excerpt, excerpt, number, percent
from eureka.ui.report.views import Attempt, CandidateView, RunView

MAX_TEXT = 12_000
"""Maximum number of characters of an answer, of a request, and of a rejection."""
MAX_SOURCE = 8_000
"""Maximum number of characters of a source."""
POINT_BUDGET = 56_000
"""Maximum number of points in all curves of a page together, at about ten bytes each."""
MAX_CURVES = 12
"""Maximum number of component charts of one candidate; the table has all components."""
MAX_DETAILED = 200
"""Maximum number of candidates with details in the file, the best ones; for the others there is only a line."""

NOTHING = Excerpt("", 0)


@dataclass(frozen=True)
class Figure:
    """A small chart with its caption."""

    caption: str
    chart: Markup


@dataclass(frozen=True)
class ComponentRow:
    """One line of a candidate's component table."""

    component: ComponentReflection
    share_bar: Markup | None


@dataclass(frozen=True)
class NumberRow:
    """One curve as numbers."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Exchange:
    """A request in addition to the generation's prompt, and its answer."""

    title: str
    asked: tuple[tuple[str, Excerpt], ...]
    answer: Excerpt
    attempt: Attempt


@dataclass(frozen=True, kw_only=True)
class CandidatePart:
    """One candidate, ready for the template; `is_detailed` is False if only its line is shown."""

    view: CandidateView
    spark: Markup | None
    warnings: tuple[str, ...]
    is_detailed: bool
    figures: tuple[Figure, ...] = ()
    left_out_figures: int = 0
    components: tuple[ComponentRow, ...] = ()
    steps: tuple[int, ...] = ()
    numbers: tuple[NumberRow, ...] = ()
    code: Markup | None = None
    code_left_out: int = 0
    diff: Markup | None = None
    exchanges: tuple[Exchange, ...] = ()
    feedback: Excerpt = NOTHING
    worker_s: float | None = None


def candidate_parts(run: RunView) -> list[CandidatePart]:
    """All candidates of a run, in order of their ids."""
    candidates = run.candidates
    ranked = sorted(candidates, key=lambda c: (c.score is None, -(c.score or 0.0), c.id))[:MAX_DETAILED]
    detailed = {candidate.id for candidate in ranked}
    curves = sum(_num_lines(c.results) * (3 + min(len(c.components), MAX_CURVES)) for c in ranked)
    points = min(MAX_POINTS, max(POINT_BUDGET // max(curves, 1), 8))
    by_id = {candidate.id: candidate for candidate in candidates}
    low, high = value_range([v for c in candidates for r in c.results for v in r.metric], margin=0)
    shares = worker_seconds(candidates)
    longest = max((r.trained_steps for c in candidates for r in c.results), default=1)
    parts = []
    for view in candidates:
        spark = None
        if view.reflection is not None and view.reflection.metric_points:
            curve = mean_curve([r.metric for r in view.results])
            alt = f"task metric over training, from {number(curve[0])} to {number(curve[-1])}"
            share = max(r.trained_steps for r in view.results) / longest
            spark = sparkline(curve, alt=alt, low=low, high=high, share=share)
        trained = view.reflection.diagnoses if view.reflection else ()
        found = (*sentences(trained), *sentences(view.diagnoses, "Before training: "))
        if view.id not in detailed:
            parts.append(CandidatePart(view=view, spark=spark, warnings=found, is_detailed=False))
            continue
        parts.append(_detailed(view, spark, found, by_id.get(view.parent or ""), points, run.unit, shares.get(view.id)))
    return parts


def sentences(diagnoses: Sequence[Diagnosis], before: str = "") -> tuple[str, ...]:
    """The warnings of diagnoses as sentences; notes are omitted."""
    warned = [diagnosis for diagnosis in diagnoses if diagnosis.severity is not Severity.NOTE]
    return tuple(f"{before}{diagnosis_text(diagnosis, capital=not before)}." for diagnosis in warned)


def diagnosis_text(diagnosis: Diagnosis, *, capital: bool = False) -> str:
    """A diagnosis as HTML, ending with its line number."""
    said = for_person(diagnosis)
    said = said[:1].upper() + said[1:] if capital else said
    return said.replace("`", "") + (f" (line {diagnosis.line})" if diagnosis.line else "")


def _detailed(
    view: CandidateView,
    spark: Markup | None,
    found: tuple[str, ...],
    parent: CandidateView | None,
    points: int,
    unit: str,
    worker_s: float | None,
) -> CandidatePart:
    reflection = view.reflection
    source = excerpt(view.source, MAX_SOURCE)
    diff = None
    if parent is not None and view.source and parent.source != view.source and not source.left_out:
        diff = difference(parent.source, view.source)
    return CandidatePart(
        view=view,
        spark=spark,
        warnings=found,
        is_detailed=True,
        figures=tuple(figures(view, unit, points)),
        left_out_figures=max(len(view.components) - MAX_CURVES, 0) if view.results else 0,
        components=tuple(_component_row(c) for c in _by_influence(reflection)) if reflection else (),
        steps=reflection.steps if reflection else (),
        numbers=tuple(_numbers(view, unit)),
        code=highlighted(source.text) if source.text else None,
        code_left_out=source.left_out,
        diff=diff,
        exchanges=() if not view.was_asked else tuple(_exchange(a, i) for i, a in enumerate(view.attempts)),
        feedback=excerpt(view.rejected.feedback if view.rejected else "", MAX_TEXT),
        worker_s=worker_s,
    )


def figures(view: CandidateView, unit: str, points: int) -> list[Figure]:
    """The curves of a training: task metric, episode length, the total, and the components by their influence."""
    results = view.results
    if not results or view.reflection is None:
        return []
    of_unit = f" ({unit})" if unit else ""
    drawn = [
        *([(f"task metric{of_unit}", [r.metric for r in results])] if view.reflection.metric_points else []),
        ("episode length (steps)", [r.episode_length for r in results]),
        ("total reward per step", [r.total for r in results]),
    ]
    order = _by_influence(view.reflection)[:MAX_CURVES]
    drawn += [(c.name, [r.components[c.name] for r in results]) for c in order]
    steps = [tuple(float(step) for step in r.steps) for r in results]
    return [Figure(caption, _curve(caption, steps, curves, results, points)) for caption, curves in drawn]


def _by_influence(reflection: Reflection) -> list[ComponentReflection]:
    return sorted(reflection.components, key=lambda c: (-abs(c.variance_share or 0.0), c.name))


def _curve(
    caption: str,
    steps: Sequence[tuple[float, ...]],
    curves: Sequence[Sequence[float]],
    results: Sequence[TrainingResult],
    points: int,
) -> Markup:
    mean = mean_curve(curves)
    alt = f"{caption} over training steps: from {number(mean[0])} to {number(mean[-1])}"
    series = []
    if len(curves) > 1:
        series = [
            Series(f"seed {r.seed}", x, tuple(y), "faint") for r, x, y in zip(results, steps, curves, strict=True)
        ]
        alt += f", mean of {len(curves)} seeds"
    shortest = min(steps, key=len)
    series.append(Series("mean" if len(curves) > 1 else "", shortest, mean))
    return line_chart(series, alt=alt, max_points=points)


def mean_curve(curves: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """The mean over seeds, cut to the length of the shortest curve."""
    return tuple(sum(values) / len(values) for values in zip(*curves, strict=False))


def _num_lines(results: Sequence[TrainingResult]) -> int:
    return len(results) + 1 if len(results) > 1 else len(results)


def _component_row(component: ComponentReflection) -> ComponentRow:
    share = component.variance_share
    drawn = None if share is None else bar(share, alt=f"{percent(share)} of the total's variance")
    return ComponentRow(component, drawn)


def _numbers(view: CandidateView, unit: str) -> list[NumberRow]:
    if view.reflection is None:
        return []
    reflection = view.reflection
    of_unit = f" ({unit})" if unit else ""
    return [
        *([NumberRow(f"task metric{of_unit}", reflection.metric_points)] if reflection.metric_points else []),
        NumberRow("episode length (steps)", reflection.episode_length_points),
        NumberRow("total reward per step", reflection.total_points),
        *(NumberRow(c.name, c.points) for c in reflection.components),
    ]


def _exchange(attempt: Attempt, index: int) -> Exchange:
    if index == 0:
        title = "Answer"
    elif attempt.answer.continues:
        title = "Asked to go on"
    else:
        title = f"Repair {attempt.answer.attempt}"
    asked = tuple((_SPEAKERS[message.role], excerpt(message.content, MAX_TEXT)) for message in attempt.asked)
    return Exchange(title, asked, excerpt(attempt.answer.text, MAX_TEXT), attempt)


_SPEAKERS = {"assistant": "its own words", "user": "asked", "system": "system"}


def worker_seconds(candidates: Sequence[CandidateView]) -> Mapping[str, float]:
    """Each candidate's share of the workers' time, since groups of one population share the same wall time.

    Results with equal times within a generation come from one population.
    """
    together: dict[tuple[int, float], int] = {}
    for candidate in candidates:
        for result in candidate.results:
            key = (candidate.generation, result.wall_s)
            together[key] = together.get(key, 0) + 1
    return {
        c.id: sum(result.wall_s / together[c.generation, result.wall_s] for result in c.results)
        for c in candidates
        if c.results
    }
