"""Renders several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from eureka.core.text import counted
from eureka.evaluation.data import ComparedMethod, Role
from eureka.ui.report.candidates import worker_seconds
from eureka.ui.report.charts import Frame, IntervalRow, Series, interval_plot, line_chart
from eureka.ui.report.code import highlighted
from eureka.ui.report.headline import Headline, headline
from eureka.ui.report.reading import proposers, spending
from eureka.ui.report.svg import element
from eureka.ui.report.text import listed, number
from eureka.ui.report.views import RunView, Spending

KINDS = ("main", "s2", "s3", "s4", "s5", "s6")
"""CSS classes of the lines; a seventh run has the class of the first."""


@dataclass(frozen=True)
class ComparedRun:
    """One run; `name` is that of its folder, numbered if two are equal."""

    name: str
    run: RunView
    proposer: str
    method: ComparedMethod | None
    spending: Spending
    worker_s: float
    headline: Headline
    code: Markup | None


@dataclass(frozen=True)
class TaskGroup:
    """The runs of one task, which share a metric."""

    task: str
    metric: str
    unit: str
    generations: tuple[int, ...]
    chart: Markup
    legend: tuple[tuple[str, Markup], ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]
    intervals: Markup | None


@dataclass(frozen=True)
class ComparisonPage:
    """The content of a comparison page; `components` has for each name whether and how often each run uses it."""

    title: str
    sentence: str
    runs: tuple[ComparedRun, ...]
    groups: tuple[TaskGroup, ...]
    components: tuple[tuple[str, tuple[tuple[bool, float | None], ...]], ...]


def comparison_page(views: Sequence[RunView]) -> ComparisonPage:
    """The page of several runs in the given order, grouped by task, since runs of one task share an axis."""
    names = _names([view.name for view in views])
    runs = tuple(_compared(name, view) for name, view in zip(names, views, strict=True))
    tasks = list(dict.fromkeys(view.task for view in views))
    return ComparisonPage(
        title=f"{counted(len(runs), 'run')} of {listed(tasks)}",
        sentence=" ".join(_winner(task, [one for one in runs if one.run.task == task]) for task in tasks),
        runs=runs,
        groups=tuple(_group(task, [one for one in runs if one.run.task == task]) for task in tasks),
        components=_components(runs),
    )


def _names(names: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unique


def _compared(name: str, view: RunView) -> ComparedRun:
    return ComparedRun(
        name=name,
        run=view,
        proposer=proposers(view),
        method=view.comparison.method(Role.BEST) if view.comparison else None,
        spending=spending(view.answers),
        worker_s=sum(worker_seconds(view.candidates).values()),
        headline=headline(view),
        code=highlighted(view.best.source[:20_000]) if view.best else None,
    )


def _winner(task: str, runs: Sequence[ComparedRun]) -> str:
    """The run whose best reward leads: by fresh seeds if all runs that can have them do, else by the searches'
    scores."""
    fresh = {one.name: one.method.iqm.value for one in runs if one.method and one.method.iqm}
    searched = {o.name: o.run.best.score for o in runs if o.run.best and o.run.best.score is not None}
    by_fresh = fresh.keys() >= searched.keys()
    scores = fresh if by_fresh else searched
    if not scores:
        return f"{task}: no usable reward yet."
    first = max(scores, key=lambda name: scores[name])
    basis = "with fresh seeds" if by_fresh else "in the searches' own evaluation"
    rest = [f"{name} {number(score)}" for name, score in scores.items() if name != first]
    against = f", against {listed(rest)}" if 0 < len(rest) < 5 else ""
    unsure = "; these seeds do not tell which is better" if by_fresh and _overlaps(first, runs) else ""
    return f"{task}: {first} reaches {number(scores[first])} {runs[0].run.unit} {basis}{against}{unsure}."


def _overlaps(first: str, runs: Sequence[ComparedRun]) -> bool:
    """Whether another run's interval overlaps that of the first, or one has none."""
    intervals = {one.name: one.method.iqm.interval for one in runs if one.method and one.method.iqm}
    leader = intervals.pop(first)
    return any(leader is None or other is None or other[1] >= leader[0] for other in intervals.values())


def _group(task: str, runs: Sequence[ComparedRun]) -> TaskGroup:
    curves = [_best_so_far(one.run) for one in runs]
    generations = sorted({generation for curve in curves for generation in curve})
    series = []
    for place, (one, curve) in enumerate(zip(runs, curves, strict=True)):
        known = [(float(generation), score) for generation, score in curve.items() if score is not None]
        series.append(
            Series(one.name, tuple(x for x, _ in known), tuple(y for _, y in known), KINDS[place % len(KINDS)])
        )
    ends = "; ".join(f"{one.name} {number(one.y[-1])}" for one in series if one.y)
    rows = [
        IntervalRow(one.name, one.method.scores, one.method.iqm.value, one.method.iqm.interval)
        for one in runs
        if one.method is not None and one.method.iqm is not None
    ]
    first = runs[0].run
    rows += _human(runs)
    return TaskGroup(
        task=task,
        metric=first.metric,
        unit=first.unit,
        generations=tuple(generations),
        chart=line_chart(
            [one for one in series if one.y], alt=f"best so far by generation: {ends}", frame=Frame(720, 260)
        ),
        legend=tuple((one.name, _key(one.kind)) for one in series),
        rows=tuple(
            (one.name, tuple(curve.get(g) for g in generations)) for one, curve in zip(runs, curves, strict=True)
        ),
        intervals=interval_plot(rows, alt="scores per fresh seed", unit=first.unit) if rows else None,
    )


def _human(runs: Sequence[ComparedRun]) -> list[IntervalRow]:
    """The human-written reward, from the run that trained it with the most seeds."""
    found = [human for one in runs if one.run.comparison and (human := one.run.comparison.method(Role.HUMAN))]
    rows = [IntervalRow("human-written", h.scores, h.iqm.value, h.iqm.interval) for h in found if h.iqm is not None]
    return sorted(rows, key=lambda row: -len(row.values))[:1]


def _key(kind: str) -> Markup:
    line = element("line", x1=1, x2=27, y1=4, y2=4, class_=f"line {kind}")
    return element("svg", line, class_="key", viewBox="0 0 28 8", width=28, height=8, aria_hidden="true")


def _best_so_far(run: RunView) -> dict[int, float | None]:
    best = {generation.number: run.best_until(generation.number) for generation in run.generations}
    return {number: candidate.score if candidate else None for number, candidate in best.items()}


def _components(runs: Sequence[ComparedRun]) -> tuple[tuple[str, tuple[tuple[bool, float | None], ...]], ...]:
    best = [one.run.best for one in runs]
    names = dict.fromkeys(name for view in best if view for name in view.components)
    shares = [
        {c.name: c.variance_share for c in view.reflection.components} if view and view.reflection else {}
        for view in best
    ]
    return tuple(
        (name, tuple((bool(v and name in v.components), s.get(name)) for v, s in zip(best, shares, strict=True)))
        for name in names
    )
