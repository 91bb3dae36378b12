"""Estimators for a small number of noisy trainings, with bootstrap intervals.

Those of Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice", as their library
rliable has them, for one task: interquartile mean, probability of improvement, and percentile intervals from
resampling every method's seeds independently. Resampling has a seed of its own, so that equal scores give equal
intervals. All scores are sequences over seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from eureka.evaluation.data import Estimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NUM_RESAMPLES = 10_000
"""Number of bootstrap samples of an interval."""

LEVEL = 0.95
"""Confidence level of all intervals."""


def iqm(scores: Sequence[float]) -> Estimate:
    """Interquartile mean: the mean without the lowest and the highest quarter, each rounded down to whole seeds."""
    return bootstrap(interquartile_mean, scores)


def probability_of_improvement(scores: Sequence[float], others: Sequence[float]) -> Estimate:
    """P(X > Y) for a training X of `scores` and Y of `others`, ties counted half: Mann and Whitney's U over n m."""
    return bootstrap(share_above, scores, others)


def difference(scores: Sequence[float], others: Sequence[float]) -> Estimate:
    """IQM of `scores` minus IQM of `others`."""
    return bootstrap(lambda x, y: interquartile_mean(x) - interquartile_mean(y), scores, others)


def normalised(scores: Sequence[float], human: Sequence[float], sparse: Sequence[float]) -> Estimate:
    """Human-normalised score of Ma et al. 2023, (method - sparse) / |human - sparse|, of the IQMs.

    0 is the bare metric as reward, 1 the human reward where that is better. It is meaningless if human and sparse do
    not differ, so check `excludes_zero(difference(human, sparse))` first.
    """

    import numpy as np

    def ratio(x: Array, h: Array, s: Array) -> Array:
        base = interquartile_mean(s)
        with np.errstate(divide="ignore", invalid="ignore"):
            return (interquartile_mean(x) - base) / abs(interquartile_mean(h) - base)

    return bootstrap(ratio, scores, human, sparse)


def bootstrap(statistic: Callable[..., Array], *samples: Sequence[float]) -> Estimate:
    """`statistic` of the samples, with a percentile interval from resampling each of them independently.

    Args:
        statistic: function of arrays with seeds in the last axis, which it reduces.
    """
    import numpy as np

    arrays = [np.asarray(sample, dtype=np.float64) for sample in samples]
    value = float(statistic(*arrays))
    if min(map(len, arrays)) < 2:
        return Estimate(value, None)
    rng = np.random.default_rng(0)
    drawn = statistic(*(rng.choice(array, (NUM_RESAMPLES, len(array))) for array in arrays))
    # A resampled ratio may divide by zero; such values are dropped from the quantiles.
    low, high = np.quantile(drawn[np.isfinite(drawn)], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, (float(low), float(high)))


def excludes_zero(estimate: Estimate) -> bool:
    """Whether the interval is known and lies on one side of 0."""
    return estimate.interval is not None and (estimate.interval[0] > 0 or estimate.interval[1] < 0)


def correlation(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Pearson's correlation, None where either is constant."""
    import numpy as np

    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return float(np.clip(np.corrcoef(a, b)[0, 1], -1.0, 1.0))


def interquartile_mean(scores: Array) -> Array:
    """The interquartile mean over the last axis."""
    from scipy.stats import trim_mean

    trimmed: Array = trim_mean(scores, 0.25, axis=-1)
    return trimmed


def share_above(scores: Array, others: Array) -> Array:
    """The share of pairs over the last axes in which the first is higher; equal ones count half."""
    above = scores[..., :, None] > others[..., None, :]
    equal = scores[..., :, None] == others[..., None, :]
    share: Array = (above + 0.5 * equal).mean(axis=(-2, -1))
    return share
