"""Ways of choosing the best of several rewards from the scores of their trainings, played through on a table.

Each is a function of the table and of the seeds that it may use. `benchmarks/race.py` compares them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from eureka.search.estimates import estimates
from eureka.search.race import Race
from eureka.search.racing import RUNGS, late_mean

CHECKPOINTS = 8
"""Evaluations of a training in the table, at equal distances; a search makes half as many."""

Table = Mapping[str, Mapping[int, Mapping[int, float]]]
"""Scores by reward, seed and control steps of training."""
Choice = tuple[str, int]
"""The chosen reward and the steps that it took."""
Way = Callable[[Table, Sequence[int]], Choice]


def full_length(table: Table) -> int:
    """The control steps of a full training."""
    return max(next(iter(next(iter(table.values())).values())))


def by_maximum(table: Table, seeds: Sequence[int]) -> Choice:
    """The original's way: one seed each, and the maximum over training."""
    full = full_length(table)
    return max(table, key=lambda name: max(table[name][seeds[0]].values())), full * len(table)


def by_final(table: Table, seeds: Sequence[int]) -> Choice:
    """One seed each, and the final score."""
    full = full_length(table)
    return max(table, key=lambda name: table[name][seeds[0]][full]), full * len(table)


def by_late_mean(table: Table, seeds: Sequence[int]) -> Choice:
    """One seed each, and the mean over the later half of the training."""
    full = full_length(table)
    scores = {name: [score for _, score in sorted(rows[seeds[0]].items())] for name, rows in table.items()}
    return max(table, key=lambda name: late_mean(scores[name])), full * len(table)


def by_race(rungs: Sequence[int], budget: float, num_seeds: int = 3, every: int = 2) -> Way:
    """`Race` with rungs at these evaluations, and a budget in full trainings of the field.

    Args:
        every: of the evaluations that were collected, every so many-th is used; 2: as many as a search makes.
    """

    def choose(table: Table, seeds: Sequence[int]) -> Choice:
        lengths = sorted(next(iter(next(iter(table.values())).values())))[every - 1 :: every]
        steps = tuple(lengths[rung - 1] for rung in rungs)
        race = Race(steps, tuple(seeds[:num_seeds]), round(budget * steps[-1] * len(table)))
        evidence: dict[str, dict[int, dict[int, float]]] = {}
        spent = 0
        while (state := race.state(list(table), evidence)).trainings:
            for training in state.trainings:
                passed = [at for at in lengths if at <= training.steps]
                scores = [table[training.candidate][training.seed][at] for at in passed]
                worth = {at: late_mean(scores[:count]) for count, at in enumerate(passed, start=1)}
                evidence.setdefault(training.candidate, {})[training.seed] = worth
                spent += training.new_steps
        return state.ranked[0], spent

    return choose


def by_seeds(count: int) -> Way:
    """All to the end with this many seeds each, and the mean over the later half of the trainings."""

    def choose(table: Table, seeds: Sequence[int]) -> Choice:
        def worth(name: str) -> float:
            rows = [table[name][seed] for seed in seeds[:count]]
            return fmean(late_mean([score for _, score in sorted(row.items())]) for row in rows)

        return max(table, key=worth), full_length(table) * len(table) * count

    return choose


def by_retraining(leaders: int, count: int) -> Way:
    """All to the end with this many seeds, the leaders again with as many others, and the best estimate.

    It is how a search chooses what its next generation builds on (`search.retrain`).
    """

    def choose(table: Table, seeds: Sequence[int]) -> Choice:
        full = full_length(table)
        scores = {name: [table[name][seed][full] for seed in seeds[:count]] for name in table}
        for name in _by_worth(scores)[:leaders]:
            scores[name] += [table[name][seed][full] for seed in seeds[count : 2 * count]]
        return _by_worth(scores)[0], full * count * (len(table) + leaders)

    return choose


def _by_worth(scores: Mapping[str, Sequence[float]]) -> list[str]:
    found = estimates(scores)
    return sorted(found, key=lambda name: -found[name].mean)


def by_dominance(share: float) -> Way:
    """One seed each; at half time those stop that this share of the field beats at every evaluation so far."""

    def choose(table: Table, seeds: Sequence[int]) -> Choice:
        lengths = sorted(next(iter(next(iter(table.values())).values())))[1::2]
        before, full = lengths[: len(lengths) // 2], lengths[-1]
        rows = {name: row[seeds[0]] for name, row in table.items()}
        left = [name for name in rows if not is_dominated(name, rows, before, share)]
        spent = full * len(left) + before[-1] * (len(rows) - len(left))
        return max(left, key=lambda name: late_mean([rows[name][at] for at in lengths])), spent

    return choose


def is_dominated(name: str, rows: Mapping[str, Mapping[int, float]], at: Sequence[int], share: float) -> bool:
    """Whether this share of the others was above at every one of these evaluations, by curves that rose."""
    above = [
        other
        for other, row in rows.items()
        if all(row[steps] > rows[name][steps] for steps in at) and row[at[-1]] > row[at[0]]
    ]
    return len(above) >= share * (len(rows) - 1)


_OWN_RUNGS = tuple(math.ceil(share * CHECKPOINTS / 2) for share in RUNGS)
WAYS: Mapping[str, Way] = {
    "one seed, maximum over training (the original)": by_maximum,
    "one seed, final score": by_final,
    "one seed, mean of the later half (`train.halving=seeds`)": by_late_mean,
    "halving at a half": by_race(_OWN_RUNGS, 0.0, num_seeds=1),
    "halving at a quarter and a half": by_race((1, *_OWN_RUNGS), 0.0, num_seeds=1),
    "race, halving from an eighth on": by_race((1, 2, 4, 8), 1 / 3, every=1),
    "race, halving from a quarter on": by_race((1, *_OWN_RUNGS), 1.0),
    "race (`train.halving=race`)": by_race(_OWN_RUNGS, 1.0),
    "stop who is dominated by half at half time": by_dominance(0.5),
    "all to the end, then seeds for half as much again": by_race((CHECKPOINTS // 2,), 1.5),
    "all to the end, then seeds for as much again": by_race((CHECKPOINTS // 2,), 2.0),
    "one seed, the best two again (`search.retrain=2`)": by_retraining(2, 1),
    "one seed, the best three again": by_retraining(3, 1),
    "two seeds each": by_seeds(2),
    "two seeds, the best three again": by_retraining(3, 2),
    "three seeds each": by_seeds(3),
}
