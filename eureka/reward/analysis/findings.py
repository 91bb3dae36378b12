"""What is remarkable about a reward, in sentences for a person: problems first, then warnings and notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from eureka.reward.analysis.behaviour import BEYOND, Behaviour, Beyond
from eureka.reward.analysis.ranking import Ranking
from eureka.reward.analysis.structure import Structure, Unreported

DOMINANT_SHARE = 0.9
NEGLIGIBLE_SHARE = 0.001
SATURATED = 0.95
"""Share of transitions at one end of its range from which on a component hardly varies."""


class Severity(IntEnum):
    """How much a finding matters: a problem stops a reward from being any good, a warning may, a note is to know."""

    PROBLEM = 0
    WARNING = 1
    NOTE = 2


@dataclass(frozen=True)
class Finding:
    """One remarkable thing; `line` is the source's, where one is to blame."""

    severity: Severity
    text: str
    line: int | None = None


def findings(
    form: Structure,
    total: Behaviour,
    components: dict[str, Behaviour],
    unreported: Sequence[tuple[Unreported, float | None]],
    beyond: Sequence[Beyond],
    ranking: Ranking | None,
) -> tuple[Finding, ...]:
    """Everything that stands out, the most important first.

    Args:
        unreported: the terms that no component reports, each with its share of the total's variance.
        ranking: None where no trajectories were looked at.
    """
    found = [
        *_about_total(form, total),
        *(_about_ranking(ranking) if ranking else ()),
        *(finding for name, behaviour in components.items() for finding in _about(name, behaviour, form, components)),
        *(_unreported(term, share) for term, share in unreported),
        *_beyond(beyond),
    ]
    return tuple(sorted(found, key=lambda finding: finding.severity))


def _about_total(form: Structure, total: Behaviour) -> Iterator[Finding]:
    if total.is_constant:
        text = f"the total is {total.mean:.4g} on every recorded transition: there is nothing to learn from it"
        yield Finding(Severity.PROBLEM, text)
    if form.constant:
        text = f"the total holds a constant of {form.constant:.4g} a step that no component reports"
        yield Finding(Severity.WARNING, text)


def _about(name: str, value: Behaviour, form: Structure, every: dict[str, Behaviour]) -> Iterator[Finding]:
    if not form.entries[name].reaches:
        text = f"`{name}` does not reach the total: it is reported, and trains nothing"
        yield Finding(Severity.WARNING, text)
        return
    if value.is_constant:
        where = f"`{name}` is {value.mean:.4g} on every recorded transition"
        if value.mean == 0.0:
            yield Finding(Severity.WARNING, f"{where}: it does nothing there")
        else:
            yield Finding(Severity.NOTE, f"{where}: it acts through the length of episodes alone")
        return
    for share, end, edge in ((value.at_minimum, "least", value.minimum), (value.at_maximum, "greatest", value.maximum)):
        if share >= SATURATED:
            text = f"`{name}` hardly varies: on {share:.1%} of transitions it is at its {end} value, {edge:.4g}"
            yield Finding(Severity.WARNING, text)
    several = sum(not other.is_constant for other in every.values()) > 1
    if several and value.variance_share is not None and value.variance_share > DOMINANT_SHARE:
        text = f"`{name}` dwarfs the other components: it makes up {value.variance_share:.0%} of the total's variance"
        yield Finding(Severity.NOTE, text)
    elif several and value.variance_share is not None and abs(value.variance_share) < NEGLIGIBLE_SHARE:
        text = f"`{name}` is negligible: it makes up {value.variance_share:.2%} of the total's variance"
        yield Finding(Severity.NOTE, text)


def _unreported(term: Unreported, share: float | None) -> Finding:
    named = f"`{term.name}`" if term.name else "a term"
    reads = f" (of {', '.join(term.reads)})" if term.reads and term.reads != (term.name,) else ""
    part = (
        "" if share is None else ", under 1% of its variance" if abs(share) < 0.01 else f", {share:.0%} of its variance"
    )
    text = f"{named}{reads} is in the total{part}, and in no component"
    return Finding(Severity.WARNING, text, term.line)


def _beyond(found: Sequence[Beyond]) -> Iterator[Finding]:
    for value in found:
        what = "the total" if value.name == "total" else f"`{value.name}`"
        text = f"{what} becomes NaN or infinite on {value.share:.0%} of states {BEYOND:g} times as large as recorded"
        yield Finding(Severity.WARNING, text, value.line)


def _about_ranking(ranking: Ranking) -> Iterator[Finding]:
    if ranking.share is None:
        yield Finding(
            Severity.NOTE, "the recorded trajectories score alike, so whether it ranks them right is not known"
        )
    elif ranking.is_backwards:
        yield Finding(Severity.PROBLEM, backwards(ranking))
    elif ranking.share < 1.0:
        text = f"it ranks {ranking.right} of {ranking.pairs} pairs of recorded trajectories as the task metric does"
        yield Finding(Severity.NOTE, text)


def backwards(ranking: Ranking) -> str:
    """That a reward prefers worse trajectories, with an example, and the component that speaks for them most."""
    best, worst = ranking.best, ranking.worst
    text = (
        f"it prefers failing to succeeding: of {ranking.pairs} pairs of recorded trajectories with clearly different "
        f"task scores it ranks {ranking.right} right; one with a score of {best.score:.3g} is worth {best.worth:.3g} "
        f"under it (discounted return), one with a score of {worst.score:.3g} is worth {worst.worth:.3g}"
    )
    gaps = {name: best.components[name] - worst.components[name] for name in best.components}
    against = min(gaps, key=lambda name: gaps[name], default="")
    if against and gaps[against] < 0.0:
        text += f"; the component `{against}` speaks most for the failing one"
    return text
