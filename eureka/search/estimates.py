"""Estimates of candidates' true scores: means of few seeds, shrunk towards the scores of the run's other candidates.

The best of many candidates with one seed each is mostly the luckiest one. So a candidate's score is modelled as its
worth (its expected score) plus seed noise. The distribution of worths is estimated from the scores themselves: by
nonparametric maximum likelihood (Kiefer & Wolfowitz 1956; Koenker & Mizera 2014), found by expectation maximisation on
a grid. A candidate's estimate is its posterior mean (empirical Bayes, Robbins 1956). No shape of the distribution is
assumed, since rewards that work and rewards that do not form two clusters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

GRID = 100
ITERATIONS = 10
"""Deliberately few: with a dozen scores, the fully converged estimate puts all of its weight on a handful of points."""
PRIOR_NOISE = 0.15
"""Standard deviation over seeds, as a share of the best mean score, assumed before any candidate has two seeds; about
that of Ant."""
PRIOR_WEIGHT = 2.0
"""Weight of `PRIOR_NOISE` in the pooled estimate, in degrees of freedom."""
_SMALLEST = 1e-3
"""Lower bound of the noise, as a share of the range of all scores."""


@dataclass(frozen=True)
class WorthEstimate:
    """Posterior mean and standard deviation of a candidate's worth, and the number of seeds behind them."""

    mean: float
    std: float
    num_seeds: int


def seed_noise(scores: Mapping[str, Sequence[float]]) -> float:
    """The standard deviation of one training's score over seeds, pooled over all candidates with a weak prior."""
    means = {name: float(np.mean(row)) for name, row in scores.items()}
    squares = sum((score - means[name]) ** 2 for name, row in scores.items() for score in row)
    degrees = sum(len(row) - 1 for row in scores.values())
    prior = PRIOR_NOISE * max((abs(mean) for mean in means.values()), default=0.0)
    return float(np.sqrt((PRIOR_WEIGHT * prior**2 + squares) / (PRIOR_WEIGHT + degrees)))


def estimates(scores: Mapping[str, Sequence[float]]) -> dict[str, WorthEstimate]:
    """The worth of every candidate.

    Args:
        scores: by candidate the score of each of its seeds; at least one each.
    """
    if not scores:
        return {}
    means = np.array([float(np.mean(row)) for row in scores.values()])
    counts = np.array([len(row) for row in scores.values()], dtype=float)
    room = float(means.max() - means.min())
    if room == 0.0:
        return {name: WorthEstimate(float(means[0]), 0.0, len(row)) for name, row in scores.items()}
    noise = max(seed_noise(scores), _SMALLEST * room)
    grid = np.linspace(means.min(), means.max(), GRID)
    # (candidates, grid): the likelihood of each mean score if the worth is that grid point.
    distance = (means[:, None] - grid) / (noise / np.sqrt(counts)[:, None])
    likelihood = np.exp(-0.5 * (distance**2 - (distance**2).min(axis=1, keepdims=True)))
    prior = np.full(GRID, 1.0 / GRID)
    for _ in range(ITERATIONS):
        posterior = _posterior(likelihood, prior)
        prior = posterior.mean(axis=0)
    posterior = _posterior(likelihood, prior)
    mean = posterior @ grid
    std = np.sqrt(np.maximum(posterior @ grid**2 - mean**2, 0.0))
    rows = zip(scores.items(), mean, std, strict=True)
    return {name: WorthEstimate(float(m), float(s), len(row)) for (name, row), m, s in rows}


def _posterior(likelihood: FloatArray, prior: FloatArray) -> FloatArray:
    weighted: FloatArray = likelihood * prior
    posterior: FloatArray = weighted / weighted.sum(axis=1, keepdims=True)
    return posterior
