"""The parts of the page that are about the run as a whole: search, final evaluation, cost, and how to do it again."""

from __future__ import annotations

import dataclasses
import json
import math
import shlex
from dataclasses import dataclass

from markupsafe import Markup

from eureka.config import BUDGETS, ProposerConfig, RunConfig
from eureka.config.settings import flatten
from eureka.evaluation import Method, Role
from eureka.evaluation.rows import label, notes
from eureka.proposers.registry import config_classes
from eureka.ui.report.candidates import worker_seconds
from eureka.ui.report.charts import Dot, IntervalRow, generation_chart, interval_plot, quantile
from eureka.ui.report.lineage import Node, lineage_tree
from eureka.ui.report.reading import spending
from eureka.ui.report.text import number
from eureka.ui.report.views import CandidateView, GenerationView, RunView, Spending


@dataclass(frozen=True)
class GenerationRow:
    """One generation in numbers; `quartiles` are the first, the median and the third of the trained."""

    number: int
    asked: int
    trained: int
    rejected: int
    duplicates: int
    best: CandidateView | None
    quartiles: tuple[float, float, float] | None
    best_so_far: CandidateView | None
    parent: str | None
    spending: Spending
    worker_s: float


@dataclass(frozen=True)
class SearchSection:
    """Two pictures of a search, and their numbers."""

    chart: Markup | None
    tree: Markup
    rows: tuple[GenerationRow, ...]


@dataclass(frozen=True)
class EvaluationRow:
    """One reward in the final evaluation; `method` is None where a run was not compared."""

    name: str
    scores: tuple[tuple[int, float], ...]
    method: Method | None


@dataclass(frozen=True)
class EvaluationSection:
    """Trainings with fresh seeds."""

    chart: Markup
    rows: tuple[EvaluationRow, ...]
    notes: tuple[str, ...]


def search_section(run: RunView) -> SearchSection:
    """How the task metric went over the generations, and who came from whom."""
    rows = tuple(_generation_row(generation, run) for generation in run.generations)
    position = {generation.number: place for place, generation in enumerate(run.generations, start=1)}
    dots = [
        Dot(position[c.generation], c.score, c.id, f"#{c.id}", _dot_kind(c, run))
        for c in run.candidates
        if c.score is not None and math.isfinite(c.score)
    ]
    so_far = [row.best_so_far.score if row.best_so_far else None for row in rows]
    reached = [value for value in so_far if value is not None]
    chart = None
    if dots:
        alt = f"{run.metric} of every candidate by generation; the best so far goes from {number(reached[0])} to "
        alt = f"{alt}{number(reached[-1])} {run.unit}" if reached else f"{run.metric} of every candidate by generation"
        chart = generation_chart(dots, so_far, alt=alt, unit=run.unit)
    nodes = [_node(candidate, run) for candidate in run.candidates]
    alt = f"lineage of {len(nodes)} candidates in {len(rows)} generations; the same is in the list of candidates"
    return SearchSection(chart, lineage_tree(nodes, alt=alt), rows)


def _dot_kind(candidate: CandidateView, run: RunView) -> str:
    return "dot best" if run.best is not None and candidate.id == run.best.id else "dot"


def _node(candidate: CandidateView, run: RunView) -> Node:
    note = ""
    if candidate.rejected is not None:
        twin = f" = {candidate.duplicate_of}" if candidate.duplicate_of else ""
        note = f"{candidate.rejected.stage.value}{twin}"
    elif candidate.given:
        note = candidate.given
    elif candidate.duplicate_of is not None:
        note = f"= {candidate.duplicate_of}"
    elif candidate.repairs:
        note = "repaired"
    elif candidate.stopped_after and candidate.score is not None:
        note = "stopped"
    kind = "duplicate" if candidate.duplicate_of and candidate.status == "trained" else candidate.status
    is_best = run.best is not None and candidate.id == run.best.id
    score = candidate.score if candidate.score is not None and math.isfinite(candidate.score) else None
    # What the search started from stands before the first generation.
    generation = 0 if candidate.given else candidate.generation
    return Node(candidate.id, generation, candidate.parent, score, kind, note, is_best)


def _generation_row(generation: GenerationView, run: RunView) -> GenerationRow:
    candidates = generation.candidates
    trained = [c for c in candidates if c.score is not None]
    scores = sorted(c.score for c in trained if c.score is not None)
    best = max(trained, key=lambda c: c.score or 0.0, default=None)
    until = [c for c in run.candidates if c.generation <= generation.number and c.score is not None]
    leading = next((c for c in until if c.id == generation.best_so_far), None)
    return GenerationRow(
        number=generation.number,
        asked=sum(not c.given for c in candidates),
        trained=len(trained),
        rejected=sum(c.status == "rejected" for c in candidates),
        duplicates=sum(c.duplicate_of is not None for c in candidates),
        best=best,
        quartiles=(quantile(scores, 0.25), quantile(scores, 0.5), quantile(scores, 0.75)) if scores else None,
        best_so_far=leading or max(until, key=lambda c: c.score or 0.0, default=None),
        parent=next((c.parent for c in candidates if c.parent), None),
        spending=spending(a.answer for c in candidates for a in c.attempts),
        worker_s=sum(worker_seconds(candidates).values()),
    )


def evaluation_section(run: RunView) -> EvaluationSection | None:
    """The trainings with fresh seeds and what they were compared with; None where there are none."""
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
    return EvaluationSection(chart, tuple(rows), tuple(notes(run.comparison)) if run.comparison else ())


def _interval_row(row: EvaluationRow) -> IntervalRow:
    scores = tuple(score for _, score in row.scores)
    kind = "main" if row.method is None or row.method.role is Role.BEST else "other"
    if row.method is not None and row.method.iqm is not None:
        return IntervalRow(row.name, scores, row.method.iqm.value, row.method.iqm.interval, kind)
    return IntervalRow(row.name, scores, sum(scores) / len(scores) if scores else None, None, kind)


def steps_per_second(run: RunView) -> float | None:
    """Control steps for each second of a worker, over all trainings of the search."""
    steps = sum(result.steps[-1] for candidate in run.candidates for result in candidate.results)
    seconds = sum(worker_seconds(run.candidates).values())
    return steps / seconds if seconds > 0 else None


def reproduce_command(run: RunView, replayed: str = "") -> str:
    """`eureka run` with the settings that differ from the defaults of their budget; without the folder.

    With `replayed`, a folder, the answers recorded there stand for the proposer.
    """
    given = [] if run.settings.get("env.id") else [f"task={run.task}"]
    budget = str(run.settings.get("budget", "quick"))
    given += [f"budget={budget}"] if budget != RunConfig().budget else []
    llm = str(run.settings.get("llm.name", ""))
    if replayed:
        given += ["llm=replay", f"llm.run={replayed}"]
    elif llm:
        given.append(f"llm={llm}")
    usual = _usual(budget, llm)
    for key, value in run.settings.items():
        if key in ("task", "budget", "output", "llm.name") or usual.get(key) == value:
            continue
        if replayed and key.startswith("llm."):
            continue
        given.append(f"{key}={_written(value)}")
    folders = [f"--task-dir {shlex.quote(folder)}" for folder in _task_dirs(run)]
    return " ".join(["eureka run", *map(shlex.quote, given), *folders])


def _usual(budget: str, llm: str) -> dict[str, object]:
    """What a config holds where nothing but the budget and the proposer was given."""
    config = dataclasses.asdict(RunConfig()) | {"llm": dataclasses.asdict(config_classes().get(llm, ProposerConfig)())}
    return flatten(config) | flatten(BUDGETS.get(budget, {}))


def _written(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _task_dirs(run: RunView) -> list[str]:
    return [str(folder) for folder in json.loads(run.facts.get("task_dirs", "[]"))]
