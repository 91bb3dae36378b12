"""Components over generations: which names appeared, stayed and disappeared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from markupsafe import Markup

from eureka.ui.report.section import ReportView, Section
from eureka.ui.report.templating import fill
from eureka.ui.report.views import CandidateView, GenerationView, RunView

MAX_ROWS = 48
"""Maximum number of names in the table; the rarest are only counted."""


@dataclass(frozen=True)
class Cell:
    """One component in one generation: used by `count` of the `of` candidates that have components."""

    count: int
    of: int
    in_best: bool

    @property
    def level(self) -> int:
        """The share of candidates that use it, on a scale from 0 (none) to 4 (all)."""
        return 0 if self.count == 0 else max(round(4 * self.count / self.of), 1)


@dataclass(frozen=True)
class ComponentHistory:
    """One component name through the search; `with_it` and `without` are median scores of trained candidates."""

    name: str
    cells: tuple[Cell, ...]
    story: str
    with_it: float | None
    without: float | None

    @property
    def uses(self) -> int:
        """The number of candidates that used it."""
        return sum(cell.count for cell in self.cells)


@dataclass(frozen=True)
class ComponentTable:
    """The table's rows, and the number of omitted names."""

    rows: tuple[ComponentHistory, ...]
    left_out: int


def render(view: ReportView) -> Markup:
    """A table with one row per component name and one column per generation."""
    return fill(
        "components.jinja2",
        table=component_table(view.run),
        generations=[generation.number for generation in view.run.generations if _having(generation)],
    )


SECTION = Section("components", "Components", render)


def component_table(run: RunView) -> ComponentTable:
    """Every component name of the run's verified rewards, by first appearance and then by use."""
    generations = [generation for generation in run.generations if _having(generation)]
    names: dict[str, None] = {}
    for generation in generations:
        used = [name for candidate in _having(generation) for name in candidate.components]
        names |= dict.fromkeys(sorted(dict.fromkeys(used), key=lambda name: -used.count(name)))
    rows = [_history(name, generations, run) for name in names]
    best = set(run.best.components) if run.best else set()
    kept = {row.name for row in sorted(rows, key=lambda row: (row.name not in best, -row.uses))[:MAX_ROWS]}
    return ComponentTable(tuple(row for row in rows if row.name in kept), len(rows) - len(kept))


def _having(generation: GenerationView) -> list[CandidateView]:
    return [candidate for candidate in generation.candidates if candidate.components]


def _history(name: str, generations: Sequence[GenerationView], run: RunView) -> ComponentHistory:
    cells = []
    for generation in generations:
        having = _having(generation)
        best = run.best_until(generation.number)
        count = sum(name in candidate.components for candidate in having)
        cells.append(Cell(count, len(having), best is not None and name in best.components))
    trained = [candidate for candidate in run.candidates if candidate.score is not None]
    return ComponentHistory(
        name,
        tuple(cells),
        _story([cell.count for cell in cells], [generation.number for generation in generations]),
        _median([c.score for c in trained if name in c.components]),
        _median([c.score for c in trained if name not in c.components]),
    )


def _story(counts: Sequence[int], numbers: Sequence[int]) -> str:
    present = [number for count, number in zip(counts, numbers, strict=True) if count]
    if len(numbers) < 2:
        return ""
    if any(not count for count in counts[numbers.index(present[0]) : numbers.index(present[-1]) + 1]):
        return "comes and goes"
    came = "from the start" if present[0] == numbers[0] else f"came in generation {present[0]}"
    if present[0] == numbers[-1]:
        return came  # no later generation in which it could have disappeared
    if present[-1] == numbers[-1]:
        return "stayed throughout" if present[0] == numbers[0] else f"{came}, stayed"
    if len(present) == 1:
        return f"only generation {present[0]}"
    return f"{came}, gone after generation {present[-1]}"


def _median(scores: Sequence[float | None]) -> float | None:
    known = [score for score in scores if score is not None]
    return median(known) if known else None
