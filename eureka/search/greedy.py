"""Eureka's evolution (Ma et al. 2023, algorithm 1): every generation mutates one parent, the best so far.

The original's parent is the best of the last generation, with a score that is the maximum over one training; here
it is the best of all by the pooled estimate of its evaluations, unless `parent` asks for the original's choice. A
person's choice goes before both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from eureka.core.ids import generation_of
from eureka.core.types import Candidate, Feedback, Reflection, Rejected, TrainingResult
from eureka.search.reflection import reflect

MAX_MISTAKES = 8
"""How many kinds of errors a prompt warns of."""


@dataclass(frozen=True)
class Outcome:
    """A trained candidate and its trainings, one per seed; `preference` is its score where the task has no metric."""

    candidate: Candidate
    results: tuple[TrainingResult, ...]
    preference: float | None = None

    @property
    def score(self) -> float:
        return pooled_score(self.results) if self.preference is None else self.preference

    @property
    def num_evaluations(self) -> int:
        """How far it was trained: the evaluations that each of its trainings has had."""
        return min(len(result.checkpoint_scores) for result in self.results)


def pooled_score(results: Sequence[TrainingResult]) -> float:
    """The mean task metric over every evaluation episode of every seed's final policy."""
    scores = [score for result in results for score in result.final_scores]
    return sum(scores) / len(scores)


def steps_to_threshold(results: Sequence[TrainingResult], share: float = 0.9) -> float:
    """Mean number of steps until training first showed `share` of the final score; all steps where it never did."""
    steps = []
    for result in results:
        reached = (n for n, metric in zip(result.steps, result.metric, strict=True) if metric >= share * result.score)
        steps.append(next(reached, result.steps[-1]))
    return sum(steps) / len(steps)


@dataclass(frozen=True)
class Greedy:
    """Chooses the parent of the next generation.

    Args:
        parent: `best_so_far`, or `best_of_generation` as the original does.
    """

    parent: Literal["best_so_far", "best_of_generation"] = "best_so_far"

    def ranked(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """By pooled score, best first; of equals the one that came near it sooner, then that with fewer components.

        Those that a race has left behind come after those that were trained further.
        """
        return sorted(
            outcomes,
            key=lambda o: (
                -o.num_evaluations,
                -o.score,
                steps_to_threshold(o.results),
                len(o.results[0].components),
                o.candidate.id,
            ),
        )

    def best(self, outcomes: Sequence[Outcome]) -> Outcome | None:
        """The first of `ranked`, or None of nothing."""
        return next(iter(self.ranked(outcomes)), None)

    def reflection(
        self,
        generation: int,
        outcomes: Sequence[Outcome],
        feedback: Sequence[Feedback] = (),
        leader: str | None = None,
    ) -> Reflection | None:
        """What `generation` is to be told: its parent's reflection, or None where nothing has been trained.

        The parent is whom a person called best after the generation before; where they named nobody the score decides,
        or the race that has a `leader`.
        """
        liked = next((f.best for f in feedback if f.generation == generation - 1), None)
        latest = [o for o in outcomes if generation_of(o.candidate.id) == generation - 1]
        pool = latest if self.parent == "best_of_generation" and latest else outcomes
        chosen = _named(outcomes, liked) or _named(pool, leader) or self.best(pool)
        return reflect(chosen.candidate, chosen.results, chosen.preference) if chosen else None

    def mistakes(self, generation: int, rejections: Sequence[Rejected]) -> tuple[Rejected, ...]:
        """What the next prompt warns of: of all rejections before it one of each kind, the newest first."""
        earlier = [r for r in rejections if generation_of(r.candidate_id) < generation]
        newest_first = sorted(earlier, key=lambda r: -generation_of(r.candidate_id))
        kinds = {_kind(rejected): rejected for rejected in reversed(newest_first)}
        return tuple(r for r in newest_first if kinds[_kind(r)] is r)[:MAX_MISTAKES]


def _named(outcomes: Sequence[Outcome], candidate_id: str | None) -> Outcome | None:
    return next((outcome for outcome in outcomes if outcome.candidate.id == candidate_id), None)


def _kind(rejected: Rejected) -> str:
    """The error without what differs from candidate to candidate: its code and its numbers."""
    return re.sub(r"`[^`]*`|\d+", "", rejected.feedback)
