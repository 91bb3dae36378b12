"""Races within a run's generations: successive halving, or full training of all candidates.

The rules are in `eureka.search.race`.

The race counts steps in evaluations of the schedule, so that a training that was stopped has scores at the rungs it
passed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from eureka.core.ids import generation_of
from eureka.core.training import TrainingJob, TrainingLength, TrainingResult
from eureka.search.history import History
from eureka.search.race import Champion, Evidence, Race, RaceTraining

RUNGS = (1 / 2, 1)
"""Shares of the full training after which the worse half of the candidates is stopped. Earlier scores of Ant's and
Hopper's policies carry no information: see benchmarks/race.py."""

TO_THE_END = (1.0,)
"""No candidate is stopped early: some rewards written by models learn late (benchmarks/race.py recorded)."""


def make_race(
    evaluations: int, seeds: Sequence[int], first_seeds: int, samples: int, shares: Sequence[float] = RUNGS
) -> Race:
    """The race of each generation, with a budget of as many steps as training all of its samples to the end.

    Args:
        shares: shares of the training after which the worse half is stopped; only 1: no candidate is stopped.
        evaluations: number of evaluations in a full training; a rung lies at the first evaluation at or after its
            share.
        seeds: all seeds that a candidate may be trained with, in order, counted from 0 (see `Racing`).
        first_seeds: how many of them every candidate starts with.
    """
    rungs = sorted({math.ceil(evaluations * share) for share in shares})
    return Race(tuple(rungs), tuple(seeds), samples * evaluations * first_seeds, first_seeds=first_seeds)


@dataclass(frozen=True)
class Racing:
    """A race in every generation of a run, which the incumbent of earlier generations joins.

    The race counts each candidate's seeds from 0, because every generation has its own (`History.first_seed`).
    """

    race: Race

    def jobs(self, history: History) -> list[TrainingJob]:
        """The next trainings, to be run together."""
        return [
            TrainingJob(
                w.candidate,
                history.rewards[w.candidate].graph,
                history.first_seed(w.candidate) + w.seed,
                length_of(history.budget.length, w, self.race),
            )
            for w in self._trainings(history)
        ]

    def _trainings(self, history: History) -> tuple[RaceTraining, ...]:
        """The next trainings of the first race that is not decided; empty if all are.

        A candidate that was rejected in training leaves its race, which is then decided without it. This may reopen the
        race of an earlier generation.
        """
        evidence = {
            name: {seed - history.first_seed(name): worth for seed, worth in of_seeds.items()}
            for name, of_seeds in evidence_of(history.results).items()
        }
        fields: dict[tuple[int, bool], list[str]] = {}
        for name in history.rewards:
            if name not in history.rejections:
                fields.setdefault((generation_of(name), history.is_tuned(name)), []).append(name)
        leader: Champion | None = None
        for key in sorted(fields):
            state = self._race_of(key, fields[key]).state(fields[key], evidence, leader)
            if state.trainings:
                return state.trainings
            first = state.ranked[0]
            known = leader.num_seeds if leader and leader.candidate == first else 0
            leader = Champion(first, max(state.num_seeds, known))
        return ()

    def _race_of(self, key: tuple[int, bool], names: Sequence[str]) -> Race:
        """The race of a group of candidates. Tuned candidates train after the generation's answers: to the full length,
        with the first seeds, on a budget of their own.
        """
        _, tuned = key
        whole = self.race.rungs[-1] * self.race.first_seeds
        return replace(self.race, rungs=self.race.rungs[-1:], budget=len(names) * whole) if tuned else self.race


def length_of(length: TrainingLength, training: RaceTraining, race: Race) -> TrainingLength:
    """The length of a training in a race: the first part of the full training, or all of it."""
    return replace(length, stop_after=training.steps if training.steps < race.rungs[-1] else None)


def stopped_after(results: Mapping[str, Sequence[TrainingResult]]) -> dict[str, int]:
    """The control steps of every candidate that a race stopped early, that is, with fewer evaluations than the run's
    longest training.
    """
    whole = max((len(result.checkpoint_scores) for each in results.values() for result in each), default=0)
    return {
        name: min(result.trained_steps for result in each)
        for name, each in results.items()
        if min(len(result.checkpoint_scores) for result in each) < whole
    }


def evidence_of(results: Mapping[str, Sequence[TrainingResult]]) -> Evidence:
    """The score of every training after each of its evaluations, as `late_mean`."""
    return {name: {result.seed: _worth(result) for result in each} for name, each in results.items()}


def _worth(result: TrainingResult) -> dict[int, float]:
    scores = result.checkpoint_scores
    return {count: late_mean(scores[:count]) for count in range(1, len(scores) + 1)}


def late_mean(scores: Sequence[float]) -> float:
    """The mean of the later half of a training's evaluations.

    The last evaluation alone is noisy, and the highest one is biased upwards. benchmarks/race.py measures how much this
    improves the choice of candidates.
    """
    return fmean(scores[len(scores) // 2 :])
