"""A comparison as rows of text and sentences, for output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eureka.evaluation.data import ComparedMethod, Comparison, Estimate, Role
from eureka.evaluation.statistics import excludes_zero

NONE = "-"
"""Shown in place of a missing number."""

_FEW_SEEDS = 5
_WORDS = {Role.HUMAN: "human-written", Role.SPARSE: "bare metric"}
REWARD_NAMES = {role.value: word for role, word in _WORDS.items()}
"""The display names of the baselines' rewards, by the names under which they are trained."""


@dataclass(frozen=True)
class TextTable:
    """A table: a header and rows of equal length, with names in the first column, and sentences below it."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def summary_rows(comparison: Comparison) -> TextTable:
    """One row per reward: estimates with their intervals, and notes that are needed to read them."""
    header = ("reward", f"IQM ({comparison.unit})", "95% interval", "better than human", "normalised")
    rows = tuple(
        (
            label(method),
            value(method.iqm),
            interval(method.iqm),
            with_interval(method.improvement),
            with_interval(method.normalised),
        )
        for method in _shown(comparison)
    )
    return TextTable(f"{comparison.task}: {comparison.metric}", header, rows, tuple(notes(comparison)))


def seed_rows(comparison: Comparison) -> TextTable:
    """One row per reward, one column per seed: the score of each training."""
    seeds = sorted({seed for method in comparison.methods for seed in method.seeds})
    rows = []
    for method in _shown(comparison):
        scores = dict(zip(method.seeds, method.scores, strict=True))
        rows.append((label(method), *(number(scores[seed]) if seed in scores else NONE for seed in seeds)))
    header = ("seed", *map(str, seeds))
    return TextTable(f"{comparison.task}: score of every training ({comparison.unit})", header, tuple(rows))


def label(method: ComparedMethod) -> str:
    """The display name of a method: `best (g02-c05)`, `human-written`, `bare metric`."""
    return f"best ({method.name})" if method.role is Role.BEST else _WORDS[method.role]


def _shown(comparison: Comparison) -> list[ComparedMethod]:
    """Every method, without baselines that equal another baseline."""
    return [method for method in comparison.methods if method.role is Role.BEST or method.same_as is None]


def verdict(comparison: Comparison) -> str:
    """One sentence that compares the best reward with the human-written one."""
    best, human = comparison.method(Role.BEST), comparison.method(Role.HUMAN)
    assert best is not None
    assert human is not None
    if best.same_as == human.name:
        return f"{best.name} computes the human-written reward itself"
    if best.iqm is None or human.iqm is None or best.improvement is None:
        return f"{best.name} could not be compared with the human-written reward: {best.failed or human.failed}"
    known = best.improvement.interval
    if known is None:
        sure = "one seed says little"
    elif known[0] > 0.5:
        sure = "better"
    elif known[1] < 0.5:
        sure = "worse"
    else:
        sure = "these seeds do not tell which is better"
    return (
        f"{best.name} scores {number(best.iqm.value)} {comparison.unit} and the human-written reward "
        f"{number(human.iqm.value)}: better with probability {with_interval(best.improvement)} ({sure})"
    )


def notes(comparison: Comparison) -> list[str]:
    """Notes on how the numbers were made, and why one is missing."""
    count = max(len(method.seeds) for method in comparison.methods)
    seeds = "1 fresh seed" if count == 1 else f"{count} fresh seeds"
    share = comparison.steps / comparison.search_steps
    length = ", as in the search" if share == 1 else f" ({share:.2g} of a training in the search)"
    said = [
        f"each trained with {seeds} for {comparison.steps:,} control steps{length}; "
        f"a score is the mean of {comparison.eval_episodes} evaluation episodes"
    ]
    if 1 < count < _FEW_SEEDS:
        said.append(f"intervals of {count} seeds are rough")
    said.append(
        "better than human: the probability that a training with it scores above one with the human-written reward"
    )
    said.append(_normalisation(comparison))
    best = comparison.method(Role.BEST)
    if best and best.correlation is not None:
        said.append(
            f"on {comparison.transitions} recorded transitions {best.name} correlates with the human-written reward by "
            f"{best.correlation:.2f} (Pearson)"
        )
    if comparison.unsafe:
        said.append(f"UNSAFE: {comparison.unsafe}")
    if comparison.choice:
        said.append(_choice(comparison))
    for method in comparison.methods:
        if method.same_as:
            said.append(
                f"{label(method)}: the same function as {REWARD_NAMES[method.same_as]}, and so the same trainings"
            )
        elif method.cached:
            said.append(f"{label(method)}: from the cache of an earlier run (seeds {_listed(method.cached)})")
        if method.failed:
            said.append(f"{label(method)}: a training was given up: {method.failed}")
    return said


def _normalisation(comparison: Comparison) -> str:
    sparse = comparison.method(Role.SPARSE)
    if sparse is None:
        return "no normalised score: the task has no sparse reward"
    if sparse.same_as:
        return f"no normalised score: bare metric and {REWARD_NAMES[sparse.same_as]} are the same function"
    if comparison.gap is None:
        return "no normalised score: a baseline has no scores"
    between = f" {interval(comparison.gap)}" if comparison.gap.interval else ""
    gap = f"human-written - bare metric is {value(comparison.gap)}{between} {comparison.unit}"
    if excludes_zero(comparison.gap):
        return f"normalised: (reward - bare metric) / |human-written - bare metric|; {gap}"
    return f"no normalised score: {gap}, which is not clear of zero"


def _choice(comparison: Comparison) -> str:
    assert comparison.choice is not None
    first, *others = comparison.choice.contenders
    names = " and ".join(contender.candidate_id for contender in (first, *others))
    scores = " against ".join(value(contender.iqm) for contender in (first, *others))
    return (
        f"the search could not tell {names} apart, so each was trained with the fresh seeds ({scores}); "
        f"{first.candidate_id} is best by all trainings together, and its own figure flatters it"
    )


def number(figure: float) -> str:
    """A number with four significant digits."""
    return f"{figure:,.0f}" if abs(figure) >= 10_000 else f"{figure:.4g}"


def value(estimate: Estimate | None) -> str:
    """The value of the estimate without its interval."""
    return NONE if estimate is None else number(estimate.value)


def interval(estimate: Estimate | None) -> str:
    """The interval as text, such as `[1.7, 2.82]`, or a dash."""
    if estimate is None or estimate.interval is None:
        return NONE
    return f"[{number(estimate.interval[0])}, {number(estimate.interval[1])}]"


def with_interval(estimate: Estimate | None) -> str:
    """An estimate near 1 with its interval and two decimals: `0.89 [0.56, 1.00]`."""
    if estimate is None:
        return NONE
    low_high = "" if estimate.interval is None else f" [{estimate.interval[0]:.2f}, {estimate.interval[1]:.2f}]"
    return f"{estimate.value:.2f}{low_high}"


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))
