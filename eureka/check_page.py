"""What `eureka check` prints: one page about one reward."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eureka.analysis.analyse import Analysis
from eureka.analysis.behaviour import Behaviour
from eureka.analysis.findings import Severity
from eureka.analysis.parameters import Parameter
from eureka.analysis.ranking import Ranking
from eureka.analysis.structure import Entry
from eureka.checking import Checked
from eureka.console import line, paragraph, table
from eureka.reward.runtime import RewardFunction
from eureka.reward.shapes import Problem
from eureka.rl.trajectories import KINDS
from eureka.types import Rejected

_MARK = {Severity.PROBLEM: "PROBLEM", Severity.WARNING: "warning", Severity.NOTE: "note"}
_INDENT = "  "


def print_page(checked: Checked) -> None:
    """The page, with the verdict as its last line."""
    line(f"{checked.path} for task {checked.task.info.name}: {checked.task.info.description}")
    line()
    if checked.rejected is not None:
        _print_rejected(checked.rejected)
        return
    assert checked.reward is not None
    _print_checks(checked, checked.reward)
    if checked.problem is not None:
        _print_problem(checked.problem)
        return
    assert checked.analysis is not None
    analysis = checked.analysis
    _section("components, on those transitions", _components(analysis))
    _section("constants, and how far the total moves where one is changed", _parameters(analysis.parameters))
    if analysis.ranking is not None:
        _print_ranking(analysis.ranking, checked.task.metric.unit)
    _print_findings(analysis)


def _section(title: str, rows: Sequence[Sequence[str]]) -> None:
    if len(rows) > 1:
        line(title)
        for text in table(rows):
            line(_INDENT + text)
        line()


def _print_rejected(rejected: Rejected) -> None:
    paragraph(rejected.feedback)
    line()
    line(f"verdict: it cannot be used as a reward (found at: {rejected.stage})")


def _print_problem(problem: Problem) -> None:
    where = f"line {problem.line}: " if problem.line else ""
    paragraph(f"{where}{problem.message}, of skilled policies among others. {problem.remedy}")
    line()
    line("verdict: training with it would break off")


def _print_checks(checked: Checked, reward: RewardFunction) -> None:
    confined = "in the sandbox" if checked.confined else "WITHOUT CONFINEMENT (sandbox=unsafe)"
    paragraph(
        f"traced {confined} to {len(reward.graph.nodes)} tensor operations, which give what its Python gives; no "
        "environment sees another"
    )
    if checked.problem is None:
        paragraph(f"finite on {checked.num_transitions:,} recorded transitions of random and of skilled policies")
    line()


def _components(analysis: Analysis) -> list[tuple[str, ...]]:
    header = ("component", "in total", "variance", "mean", "std", "least", "greatest", "reads")
    rows = [
        (name, _weight(analysis.structure.entries[name]), *_moments(value), _reads(analysis, name))
        for name, value in analysis.components.items()
    ]
    return [header, *rows, ("total", "", *_moments(analysis.total), ", ".join(analysis.structure.reads))]


def _weight(entry: Entry) -> str:
    if not entry.reaches:
        return "no"
    return "shaped" if entry.weight is None else f"x {_number(entry.weight)}"


def _moments(value: Behaviour) -> tuple[str, ...]:
    part = "-" if value.variance_share is None else f"{value.variance_share:.1%}"
    return (part, *map(_number, (value.mean, value.std, value.minimum, value.maximum)))


def _reads(analysis: Analysis, name: str) -> str:
    return ", ".join(analysis.structure.component_reads[name]) or "nothing"


def _parameters(found: Sequence[Parameter]) -> list[tuple[str, ...]]:
    header = ("constant", "value", "lines", "if doubled", "if halved")
    rows = [
        (p.name, _number(p.value), ", ".join(map(str, p.lines)), _effect(p.doubled), _effect(p.halved)) for p in found
    ]
    return [header, *rows]


def _effect(change: float | None) -> str:
    """How far the total moves, in its own standard deviations."""
    return "-" if change is None else f"{change:.2g} std"


def _print_ranking(ranking: Ranking, unit: str) -> None:
    line(f"recorded trajectories: task score in {unit}, and what they are worth under this reward (discounted return)")
    rows = [("policy", "number", "score", "worth", *(f"of {name}" for name in ranking.component_right))]
    for kind in KINDS:
        judged = [j for j in ranking.judged if j.kind == kind]
        parts = [_mean([j.components[name] for j in judged]) for name in ranking.component_right]
        rows.append(
            (kind, str(len(judged)), _mean([j.score for j in judged]), _mean([j.worth for j in judged]), *parts)
        )
    if ranking.pairs:
        shares = [f"{right / ranking.pairs:.0%}" for right in ranking.component_right.values()]
        rows.append(("ranked as scored", "", "", f"{ranking.share:.0%}", *shares))
    for text in table(rows):
        line(_INDENT + text)
    line()


def _mean(values: Sequence[float]) -> str:
    return _number(sum(values) / len(values)) if values else "-"


def _print_findings(analysis: Analysis) -> None:
    if analysis.findings:
        line("what stands out")
        for finding in analysis.findings:
            where = f"line {finding.line}: " if finding.line else ""
            paragraph(f"{_INDENT}{_MARK[finding.severity]:8} {where}{finding.text}")
        line()
    line(f"verdict: {'; '.join(_verdict(analysis))}")


def _verdict(analysis: Analysis) -> Iterator[str]:
    counts = {mark: sum(f.severity is mark for f in analysis.findings) for mark in Severity}
    yield "training with it would be in vain" if counts[Severity.PROBLEM] else "it can be trained with"
    for mark, word in ((Severity.PROBLEM, "problem"), (Severity.WARNING, "warning"), (Severity.NOTE, "note")):
        if counts[mark]:
            yield f"{counts[mark]} {word}{'' if counts[mark] == 1 else 's'}"


def _number(value: float) -> str:
    return f"{value:.3g}"
