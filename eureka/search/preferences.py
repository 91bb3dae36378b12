"""A person's preferences as scores, for a task that has no metric (`fitness: preference`).

The model is Bradley and Terry's (1952), as in reinforcement learning from human feedback (Christiano et al. 2017): a is
preferred to b with probability 1 / (1 + exp(b's score - a's score)). A generation's parent is shown together with it,
so that scores of different generations are comparable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from eureka.core.types import Feedback, Verdict
from eureka.store import RunStore

PRIOR = 0.1
"""Precision of the normal prior on every score. Without it, a candidate that always wins would have an infinite
score."""
_TOLERANCE = 1e-10


class PairwiseChoice(NamedTuple):
    """One comparison of two candidates; a tie counts as half a comparison in each direction."""

    winner: str
    loser: str
    weight: float = 1.0


def comparisons(feedback: Sequence[Feedback]) -> list[PairwiseChoice]:
    """All comparisons that follow from a person's answers: the best beats all others, all others beat the worst.

    A tie counts half in both directions for every pair. An answer that none is good, or a missing answer, gives none.
    """
    pairs: list[PairwiseChoice] = []
    for said in feedback:
        if said.verdict is Verdict.TIE:
            for one, other in combinations(said.shown, 2):
                pairs += [PairwiseChoice(one, other, 0.5), PairwiseChoice(other, one, 0.5)]
        if said.best is not None:
            pairs += [PairwiseChoice(said.best, other) for other in said.shown if other != said.best]
        if said.worst is not None:
            pairs += [PairwiseChoice(other, said.worst) for other in said.shown if other not in (said.best, said.worst)]
    return pairs


def bradley_terry(pairs: Sequence[PairwiseChoice], prior: float = PRIOR) -> dict[str, float]:
    """Scores of all compared candidates: the maximum of the posterior, by Newton's method with step halving.

    Args:
        prior: precision of the normal prior around 0; above 0.
    """
    names = sorted({name for pair in pairs for name in (pair.winner, pair.loser)})
    place = {name: index for index, name in enumerate(names)}
    winners = np.array([place[pair.winner] for pair in pairs], dtype=int)
    losers = np.array([place[pair.loser] for pair in pairs], dtype=int)
    weights = np.array([pair.weight for pair in pairs])
    difference = np.zeros((len(pairs), len(names)))
    rows = np.arange(len(pairs))
    difference[rows, winners], difference[rows, losers] = 1.0, -1.0

    def loss(scores: np.ndarray) -> float:
        return float(weights @ np.logaddexp(0.0, -difference @ scores) + prior / 2 * scores @ scores)

    # Imported here, since the report of a run with a metric does not need it.
    from scipy.special import expit

    scores = np.zeros(len(names))
    while True:
        lost = expit(-difference @ scores)
        gradient = prior * scores - difference.T @ (weights * lost)
        if np.abs(gradient).max(initial=0.0) < _TOLERANCE:
            return dict(zip(names, scores.tolist(), strict=True))
        curvature = difference.T @ (difference * (weights * lost * (1 - lost))[:, None]) + prior * np.eye(len(names))
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while size > _TOLERANCE and loss(scores - size * step) > loss(scores):
            size /= 2
        scores = scores - size * step
        if size <= _TOLERANCE:
            return dict(zip(names, scores.tolist(), strict=True))


def preference_scores(store: RunStore) -> Mapping[str, float] | None:
    """The score of every candidate that a person compared; None if the run's task has a metric."""
    if store.facts().has_metric:
        return None
    return bradley_terry(comparisons(store.feedback()))


def score_of(candidate: str, scores: Mapping[str, float] | None) -> float | None:
    """A candidate's preference score, 0 if it was never compared; None if candidates are scored by a metric."""
    return None if scores is None else scores.get(candidate, 0.0)
