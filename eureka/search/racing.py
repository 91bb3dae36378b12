"""The race within a run's generations: what the store says of it. The rules are `eureka.search.race`.

The race counts steps in evaluations of the schedule, so that a training which was stopped has the scores of the rungs
that it passed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from eureka.core.types import TrainingLength, TrainingResult
from eureka.search.race import Champion, Evidence, Race, Wanted
from eureka.store import RunStore

RUNGS = (1 / 2, 1)
"""Shares of the training after which the worse half of the candidates is left behind. Sooner, the scores of Ant's and
Hopper's policies say nothing yet: benchmarks/race.py."""


def make_race(evaluations: int, seeds: Sequence[int], first_seeds: int, samples: int) -> Race:
    """The race of each generation, which may take as many steps as training all of its samples to the end.

    Args:
        evaluations: of a whole training; a rung lies at the first one that is not before its share.
        seeds: all that a candidate may be trained with, in order.
        first_seeds: how many of them every candidate starts with.
    """
    rungs = sorted({math.ceil(evaluations * share) for share in RUNGS})
    return Race(tuple(rungs), tuple(seeds), samples * evaluations * first_seeds, first_seeds=first_seeds)


def stand(race: Race, store: RunStore, generation: int) -> tuple[tuple[Wanted, ...], Champion | None]:
    """What is to be trained next, and who leads after the last race that is over, up to this generation.

    Every generation's race has the winner of the one before in it. What was rejected while it trained is not in its
    race any more, which is then decided again: so an earlier race than the generation's own may want trainings.
    """
    evidence = evidence_of(store)
    rejected = {rejection.candidate_id for rejection in store.rejections()}
    leader: Champion | None = None
    for number in range(1, generation + 1):
        names = [reward.candidate_id for reward in store.rewards(number)]
        field = [name for name in names if name not in rejected]
        if not field:
            continue
        standing = race.standing(field, evidence, leader)
        if standing.wanted:
            return standing.wanted, leader
        first = standing.ranked[0]
        known = leader.num_seeds if leader and leader.candidate == first else 0
        leader = Champion(first, max(standing.num_seeds, known))
    return (), leader


def until(length: TrainingLength, wanted: Wanted, race: Race) -> TrainingLength:
    """The length of a training that the race wants: the beginning of the whole one, or all of it."""
    return replace(length, stop_after=wanted.steps if wanted.steps < race.rungs[-1] else None)


def stopped_after(results: Mapping[str, Sequence[TrainingResult]]) -> dict[str, int]:
    """The control steps of those that a race left behind: with fewer evaluations than the longest training of all."""
    whole = max((len(result.checkpoint_scores) for each in results.values() for result in each), default=0)
    return {
        name: min(result.steps[-1] for result in each)
        for name, each in results.items()
        if min(len(result.checkpoint_scores) for result in each) < whole
    }


def evidence_of(store: RunStore) -> Evidence:
    """What every training was worth, by how many evaluations it had had."""
    found: dict[str, dict[int, dict[int, float]]] = {}
    for result in store.results():
        scores = result.checkpoint_scores
        worth = {count: late_mean(scores[:count]) for count in range(1, len(scores) + 1)}
        found.setdefault(result.candidate_id, {})[result.seed] = worth
    return found


def late_mean(scores: Sequence[float]) -> float:
    """The mean of the later half of a training's evaluations: the last alone is noise, and the highest flatters.

    benchmarks/race.py has what it does for the choice.
    """
    return fmean(scores[len(scores) // 2 :])
