"""The search: how the task metric went over the generations, and which candidate came from which."""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from eureka.core.ideas import JOB, STATE
from eureka.core.types import Candidate
from eureka.search.outcomes import Outcome, estimated
from eureka.ui.report.candidates import worker_seconds
from eureka.ui.report.charts import Dot, generation_chart, quantile
from eureka.ui.report.lineage import LineageNode, lineage_tree
from eureka.ui.report.reading import spending
from eureka.ui.report.section import ReportView, Section
from eureka.ui.report.templating import fill
from eureka.ui.report.text import number
from eureka.ui.report.views import CandidateView, GenerationView, RunView, Spending


@dataclass(frozen=True)
class GenerationRow:
    """One generation in numbers; `quartiles` are the first, the median and the third of those trained to the end."""

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
class JobRow:
    """Counts of the answers with one job.

    Of those `with_parents` that trained to the end, `above` have a higher estimate than the best of their parents.
    """

    job: str
    asked: int
    trained: int
    above: int
    with_parents: int
    best: CandidateView | None


def render(view: ReportView) -> Markup:
    """Two pictures of the search, and their numbers."""
    run = view.run
    rows = generation_rows(run)
    highest = rows[-1].best_so_far if rows else None
    return fill(
        "search.jinja2",
        run=run,
        chart=chart(run),
        tree=lineage(run),
        rows=rows,
        jobs=job_rows(run),
        states=states(run),
        is_best_below=run.best is not None and highest is not None and run.best.id != highest.id,
    )


SECTION = Section("search", "Search", render)


def generation_rows(run: RunView) -> list[GenerationRow]:
    """The generations in numbers."""
    return [_generation_row(generation, run) for generation in run.generations]


def job_rows(run: RunView) -> list[JobRow]:
    """The jobs that a search gave, in the order in which it first did; empty where it gave none."""
    trained = [c for c in run.candidates if c.status == "trained" and c.preference is None]
    judged = estimated(Outcome(Candidate(c.id, c.source, ()), c.results) for c in trained)
    worth = {outcome.candidate.id: outcome.estimate.mean for outcome in judged if outcome.estimate is not None}
    rows = []
    for job in dict.fromkeys(c.notes[JOB] for c in run.candidates if JOB in c.notes):
        candidates = [c for c in run.candidates if c.notes.get(JOB) == job]
        scored = [c for c in candidates if c.score is not None]
        against = {c.id: [worth[parent] for parent in c.parents if parent in worth] for c in scored if c.id in worth}
        children = {name: parents for name, parents in against.items() if parents}
        rows.append(
            JobRow(
                job=job,
                asked=len(candidates),
                trained=len(scored),
                above=sum(worth[name] > max(parents) for name, parents in children.items()),
                with_parents=len(children),
                best=max(scored, key=lambda c: c.score or 0.0, default=None),
            )
        )
    return rows


def states(run: RunView) -> dict[int, str]:
    """The state of the search before each generation that had jobs."""
    return {c.generation: c.notes[STATE] for c in run.candidates if STATE in c.notes}


def chart(run: RunView) -> Markup | None:
    """The metric of every candidate by generation; None where nothing has a score."""
    rows = generation_rows(run)
    position = {generation.number: place for place, generation in enumerate(run.generations, start=1)}
    dots = [
        Dot(position[c.generation], c.score, c.id, f"#{c.id}", _dot_kind(c, run), c.stopped_after is None)
        for c in run.candidates
        if c.score is not None and math.isfinite(c.score)
    ]
    so_far = [row.best_so_far.score if row.best_so_far else None for row in rows]
    reached = [value for value in so_far if value is not None]
    if not dots:
        return None
    alt = f"{run.metric} of every candidate by generation"
    if reached:
        alt += f"; the highest so far goes from {number(reached[0])} to {number(reached[-1])} {run.unit}"
    return generation_chart(dots, so_far, alt=alt, unit=run.unit)


def lineage(run: RunView) -> Markup:
    """Which candidate's training each generation was shown."""
    nodes = [_node(candidate, run) for candidate in run.candidates]
    alt = f"lineage of {len(nodes)} candidates in {len(run.generations)} generations; "
    return lineage_tree(nodes, alt=f"{alt}the same is in the list of candidates")


def _dot_kind(candidate: CandidateView, run: RunView) -> str:
    return "dot best" if run.best is not None and candidate.id == run.best.id else "dot"


def _node(candidate: CandidateView, run: RunView) -> LineageNode:
    note = ""
    if candidate.rejected is not None:
        twin = f" = {candidate.duplicate_of}" if candidate.duplicate_of else ""
        note = f"{candidate.rejected.stage.value}{twin}"
    elif candidate.given:
        note = candidate.given
    elif candidate.duplicate_of is not None:
        note = f"= {candidate.duplicate_of}"
    elif candidate.is_tuned:
        note = "tuned"
    elif candidate.repairs:
        note = "repaired"
    elif candidate.stopped_after and candidate.score is not None:
        note = "stopped"
    kind = "duplicate" if candidate.duplicate_of and candidate.status == "trained" else candidate.status
    is_best = run.best is not None and candidate.id == run.best.id
    score = candidate.score if candidate.score is not None and math.isfinite(candidate.score) else None
    # What the search started from stands before the first generation.
    generation = 0 if candidate.given else candidate.generation
    return LineageNode(candidate.id, generation, candidate.parents, score, kind, note, is_best)


def _generation_row(generation: GenerationView, run: RunView) -> GenerationRow:
    candidates = generation.candidates
    trained = [c for c in candidates if c.score is not None]
    whole = [c for c in trained if c.stopped_after is None]
    scores = sorted(c.score for c in whole if c.score is not None)
    best = max(whole or trained, key=lambda c: c.score or 0.0, default=None)
    return GenerationRow(
        number=generation.number,
        asked=sum(c.was_asked for c in candidates),
        trained=len(trained),
        rejected=sum(c.status == "rejected" for c in candidates),
        duplicates=sum(c.duplicate_of is not None for c in candidates),
        best=best,
        quartiles=(quantile(scores, 0.25), quantile(scores, 0.5), quantile(scores, 0.75)) if scores else None,
        best_so_far=run.best_until(generation.number),
        parent=next((c.parent for c in candidates if c.parent), None),
        spending=spending(generation.answers),
        worker_s=sum(worker_seconds(candidates).values()),
    )
