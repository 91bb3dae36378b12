"""Trained candidates with the results of their trainings."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from eureka.core.training import TrainingResult
from eureka.core.types import Candidate, Rejected
from eureka.search.estimates import WorthEstimate, estimates
from eureka.search.preferences import preference_scores
from eureka.store import RunStore

Record = TypeVar("Record", Rejected, TrainingResult)


@dataclass(frozen=True)
class Outcome:
    """A trained candidate and its trainings, one per seed.

    `preference` is its score where the task has no metric. `estimate` is its estimated worth given all scores of the
    run; None if a person decides, and for trainings that were stopped early.
    """

    candidate: Candidate
    results: tuple[TrainingResult, ...]
    preference: float | None = None
    estimate: WorthEstimate | None = None

    @property
    def score(self) -> float:
        """The score by a person's preferences if there is no metric, else `pooled_score`."""
        return pooled_score(self.results) if self.preference is None else self.preference

    @property
    def worth(self) -> float:
        """The mean of the estimate, or the score if there is none. Candidates are chosen by this number."""
        return self.score if self.estimate is None else self.estimate.mean

    @property
    def num_evaluations(self) -> int:
        """The length of training, as the number of evaluations that each of its trainings has had."""
        return min(len(result.checkpoint_scores) for result in self.results)

    def without_seeds(self, seeds: Collection[int]) -> Outcome:
        """This outcome without the trainings of these seeds, and without an estimate."""
        return replace(self, results=tuple(r for r in self.results if r.seed not in seeds), estimate=None)


def estimated(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """The outcomes, with joint estimates for those with the longest training."""
    outcomes = list(outcomes)
    farthest = max((outcome.num_evaluations for outcome in outcomes), default=0)
    judged = [o for o in outcomes if o.num_evaluations == farthest and o.preference is None]
    found = estimates({o.candidate.id: [result.score for result in o.results] for o in judged})
    return [replace(outcome, estimate=found.get(outcome.candidate.id)) for outcome in outcomes]


def pooled_score(results: Sequence[TrainingResult]) -> float:
    """The mean task metric over every evaluation episode of every seed's final policy."""
    scores = [score for result in results for score in result.final_scores]
    return sum(scores) / len(scores) if scores else math.nan


def steps_to_threshold(results: Sequence[TrainingResult], share: float = 0.9) -> float:
    """Mean number of steps until training first reached `share` of the final score; all steps if it never did."""
    steps = []
    for result in results:
        reached = (n for n, metric in zip(result.steps, result.metric, strict=True) if metric >= share * result.score)
        steps.append(next(reached, result.trained_steps))
    return sum(steps) / len(steps)


def ranked(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """The outcomes by worth, best first; ties go to the one that reached 90% sooner, then to fewer components.

    Candidates whose training was stopped early come after those that were trained further.
    """
    return sorted(
        outcomes,
        key=lambda o: (
            -o.num_evaluations,
            -o.worth,
            steps_to_threshold(o.results),
            len(o.results[0].components),
            o.candidate.id,
        ),
    )


def incumbent(outcomes: Iterable[Outcome]) -> Outcome | None:
    """The first of `ranked`; None if there are no outcomes."""
    return next(iter(ranked(outcomes)), None)


def highest_score(outcomes: Iterable[Outcome]) -> Outcome | None:
    """The outcome with the highest score of those that were trained farthest; of equals the first.

    It is the best as a person reads it from the scores. A method may put another one first: a score is noisy.
    """
    found = list(outcomes)
    farthest = max((outcome.num_evaluations for outcome in found), default=0)
    return max((o for o in found if o.num_evaluations == farthest), key=lambda o: o.score, default=None)


def make_outcomes(
    candidates: Mapping[str, Candidate],
    results: Mapping[str, tuple[TrainingResult, ...]],
    rejected: Collection[str],
    preferences: Mapping[str, float] | None,
) -> tuple[Outcome, ...]:
    """Every trained candidate that was not rejected afterwards, in the order of `results`.

    Args:
        preferences: scores by a person's preferences, where the task has no metric.
    """
    return tuple(
        estimated(
            Outcome(candidates[name], trainings, None if preferences is None else preferences.get(name, 0.0))
            for name, trainings in results.items()
            if name in candidates and name not in rejected
        )
    )


def outcomes(store: RunStore) -> tuple[Outcome, ...]:
    """The outcomes of a run, in order of ids."""
    candidates = {candidate.id: candidate for candidate in store.candidates()}
    rejected = {rejection.candidate_id for rejection in store.rejections()}
    return make_outcomes(candidates, by_candidate(store.results()), rejected, preference_scores(store))


def by_candidate(records: Iterable[Record]) -> dict[str, tuple[Record, ...]]:
    """Records grouped by candidate, each group in its original order."""
    grouped: dict[str, list[Record]] = {}
    for record in records:
        grouped.setdefault(record.candidate_id, []).append(record)
    return {name: tuple(group) for name, group in grouped.items()}
