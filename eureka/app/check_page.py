"""Prints the page of `eureka check` about one reward."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence

from eureka.app.checking import CheckResult
from eureka.core.diagnosis import Severity
from eureka.core.text import table
from eureka.core.types import Rejected
from eureka.prompts import for_person
from eureka.reward.analysis.analyse import Analysis
from eureka.reward.analysis.behaviour import Behaviour
from eureka.reward.analysis.parameters import RewardConstant
from eureka.reward.analysis.ranking import Ranking
from eureka.reward.analysis.structure import ComponentEntry
from eureka.reward.graph.runtime import RewardFunction
from eureka.reward.graph.shapes import Problem
from eureka.trainers.trajectories import KINDS
from eureka.ui.console import line, paragraph
from eureka.ui.console.output import is_terminal

_MARK = {Severity.PROBLEM: "PROBLEM", Severity.WARNING: "warning", Severity.NOTE: "note"}
_INDENT = "  "
_NARROW = 16
"""Minimum width in characters for a list of fields."""


def print_page(checked: CheckResult) -> None:
    """Print the page, with the verdict as its last line."""
    paragraph(f"{checked.path} for task {checked.spec.name}: {checked.spec.sentence}")
    line()
    if checked.rejected is not None:
        _print_rejected(checked.rejected, checked.confined)
        return
    assert checked.reward is not None
    _print_checks(checked, checked.reward)
    if checked.problem is not None:
        _print_problem(checked.problem)
        return
    assert checked.analysis is not None
    analysis = checked.analysis
    _print_components(analysis)
    _section("constants, and how far the total moves where one is changed", _parameters(analysis.parameters))
    if analysis.ranking is not None:
        _print_ranking(analysis.ranking, checked.spec.unit)
    _print_diagnoses(analysis)


def _section(title: str, rows: Sequence[Sequence[str]]) -> None:
    if len(rows) > 1:
        paragraph(title)
        for text in table(rows):
            line(_INDENT + text)
        line()


def _print_rejected(rejected: Rejected, confined: bool) -> None:
    paragraph(rejected.feedback)
    if not confined:
        line("its code ran WITHOUT CONFINEMENT (sandbox=unsafe)")
    line()
    line(f"verdict: it cannot be used as a reward (found at: {rejected.stage})")


def _print_problem(problem: Problem) -> None:
    where = f"line {problem.line}: " if problem.line else ""
    paragraph(f"{where}{problem.message}, of skilled policies among others. {problem.remedy}")
    line()
    line("verdict: training with it would break off")


def _print_checks(checked: CheckResult, reward: RewardFunction) -> None:
    confined = "in the sandbox" if checked.confined else "WITHOUT CONFINEMENT (sandbox=unsafe)"
    paragraph(
        f"traced {confined} to {len(reward.graph.nodes)} tensor operations, which give what its Python gives; no "
        "environment sees another"
    )
    if checked.problem is None:
        paragraph(f"finite on {checked.num_transitions:,} recorded transitions of random and of skilled policies")
    line()


def _print_components(analysis: Analysis) -> None:
    header = ("component", "in total", "variance", "mean", "std", "least", "greatest")
    numbers = [
        (name, _weight(analysis.structure.entries[name]), *_moments(value))
        for name, value in analysis.components.items()
    ]
    numbers = [header, *numbers, ("total", "", *_moments(analysis.total))]
    reads = ["reads", *(_reads(analysis, name) for name in analysis.components), ", ".join(analysis.structure.reads)]
    title = "components, on those transitions"
    beside = _broken([(*row, what) for row, what in zip(numbers, reads, strict=True)])
    if beside is not None:
        _section(title, beside)
        return
    _section(title, [row[:5] for row in numbers])
    below = [(row[0], *row[5:], what) for row, what in zip(numbers, reads, strict=True)]
    _section("their range, and what they read", _broken(below) or below)


def _broken(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]] | None:
    """Rows with the last column broken between words if the terminal is too narrow; None if even that does not fit."""
    if not is_terminal():
        return list(rows)
    taken = len(_INDENT) + sum(max(map(len, column)) + 2 for column in list(zip(*rows, strict=True))[:-1])
    room = shutil.get_terminal_size().columns - taken
    if room < _NARROW:
        return None
    broken: list[tuple[str, ...]] = []
    for *cells, last in rows:
        first, *others = textwrap.wrap(last, room, break_long_words=False) or [""]
        broken.append((*cells, first))
        broken += [(*[""] * len(cells), other) for other in others]
    return broken


def _weight(entry: ComponentEntry) -> str:
    if not entry.reaches:
        return "no"
    return "shaped" if entry.weight is None else f"x {_number(entry.weight)}"


def _moments(value: Behaviour) -> tuple[str, ...]:
    part = "-" if value.variance_share is None else f"{value.variance_share:.1%}"
    return (part, *map(_number, (value.mean, value.std, value.minimum, value.maximum)))


def _reads(analysis: Analysis, name: str) -> str:
    return ", ".join(analysis.structure.component_reads[name]) or "nothing"


def _parameters(found: Sequence[RewardConstant]) -> list[tuple[str, ...]]:
    header = ("constant", "value", "lines", "if doubled", "if halved")
    rows = [
        (p.name, _number(p.value), ", ".join(map(str, p.lines)), _effect(p.doubled), _effect(p.halved)) for p in found
    ]
    return [header, *rows]


def _effect(change: float | None) -> str:
    """The change of the total in words, in its own standard deviations."""
    return "-" if change is None else f"{change:.2g} std"


def _print_ranking(ranking: Ranking, unit: str) -> None:
    groups = [[judged for judged in ranking.judged if judged.kind == kind] for kind in KINDS]

    def row(name: str, values: Sequence[Sequence[float]], right: int | None) -> tuple[str, ...]:
        share = "" if right is None or not ranking.pairs else f"{right / ranking.pairs:.0%}"
        return (name, *map(_mean, values), share)

    rows = [
        ("", *KINDS, "ranked as scored" if ranking.pairs else ""),
        ("number", *(str(len(group)) for group in groups), f"{ranking.pairs} pairs" if ranking.pairs else ""),
        row(f"task score ({unit})", [[judged.score for judged in group] for group in groups], None),
        row("worth", [[judged.worth for judged in group] for group in groups], ranking.right),
        *(
            row(f"  of {name}", [[judged.components[name] for judged in group] for group in groups], right)
            for name, right in ranking.component_right.items()
        ),
    ]
    _section("recorded trajectories, and what they are worth under this reward (discounted return)", rows)


def _mean(values: Sequence[float]) -> str:
    return _number(sum(values) / len(values)) if values else "-"


def _print_diagnoses(analysis: Analysis) -> None:
    if analysis.diagnoses:
        line("what stands out")
        places = [f"line {diagnosis.line}: " if diagnosis.line else "" for diagnosis in analysis.diagnoses]
        rows = [(_MARK[d.severity], at + for_person(d)) for d, at in zip(analysis.diagnoses, places, strict=True)]
        for text in table(_broken(rows) or rows):
            line(_INDENT + text)
        line()
    line(f"verdict: {'; '.join(_verdict(analysis))}")


def _verdict(analysis: Analysis) -> Iterator[str]:
    counts = {mark: sum(diagnosis.severity is mark for diagnosis in analysis.diagnoses) for mark in Severity}
    yield "training with it would be in vain" if counts[Severity.PROBLEM] else "it can be trained with"
    for mark, word in ((Severity.PROBLEM, "problem"), (Severity.WARNING, "warning"), (Severity.NOTE, "note")):
        if counts[mark]:
            yield f"{counts[mark]} {word}{'' if counts[mark] == 1 else 's'}"


def _number(value: float) -> str:
    return f"{value:.3g}"
