"""The final comparison: trainings with fresh seeds of the best reward, the human-written one and the bare metric."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from eureka.evaluation import ComparedMethod, Role
from eureka.evaluation.rows import label, notes
from eureka.ui.report.charts import IntervalRow, interval_plot
from eureka.ui.report.section import ReportView, Section
from eureka.ui.report.templating import fill
from eureka.ui.report.text import number
from eureka.ui.report.views import RunView


@dataclass(frozen=True)
class EvaluationRow:
    """One reward in the final evaluation; `method` is None where a run was not compared."""

    name: str
    scores: tuple[tuple[int, float], ...]
    method: ComparedMethod | None


@dataclass(frozen=True)
class FreshTrainings:
    """Trainings with fresh seeds."""

    chart: Markup
    rows: tuple[EvaluationRow, ...]
    notes: tuple[str, ...]


def render(view: ReportView) -> Markup:
    """A chart and a table of the scores, or the command that makes them."""
    return fill("evaluation.jinja2", run=view.run, evaluation=fresh_trainings(view.run), folder=view.folder)


SECTION = Section("evaluation", "Evaluation", render)


def fresh_trainings(run: RunView) -> FreshTrainings | None:
    """The trainings with fresh seeds and their comparison; None if there are none."""
    if run.comparison is not None:
        rows = [
            EvaluationRow(
                label(method),
                tuple(zip(method.seeds, method.scores, strict=False)),
                method,
            )
            for method in run.comparison.methods
        ]
    else:
        rows = [
            EvaluationRow(name, tuple((result.seed, result.score) for result in results), None)
            for name, results in run.evaluations.items()
        ]
    if not any(row.scores for row in rows):
        return None
    drawn = [_interval_row(row) for row in rows]
    words = "; ".join(f"{row.name} {number(row.centre)}" for row in drawn)
    chart = interval_plot(drawn, alt=f"scores per fresh seed: {words} {run.unit}", unit=run.unit)
    return FreshTrainings(chart, tuple(rows), tuple(notes(run.comparison)) if run.comparison else ())


def _interval_row(row: EvaluationRow) -> IntervalRow:
    scores = tuple(score for _, score in row.scores)
    kind = "main" if row.method is None or row.method.role is Role.BEST else "other"
    if row.method is not None and row.method.iqm is not None:
        return IntervalRow(row.name, scores, row.method.iqm.value, row.method.iqm.interval, kind)
    return IntervalRow(row.name, scores, sum(scores) / len(scores) if scores else None, None, kind)
