"""Estimators by hand, and against SciPy's own of the same things."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from eureka.evaluation.data import Estimate
from eureka.evaluation.statistics import (
    bootstrap,
    correlation,
    difference,
    excludes_zero,
    iqm,
    normalised,
    probability_of_improvement,
)

X = (2.27, 1.70, 2.82, 2.4, 1.9)
Y = (1.9, 2.14, 1.86, 2.17, 1.5)


def test_iqm() -> None:
    # A quarter of five, rounded down, goes at each end: (2 + 3 + 4) / 3.
    assert iqm([100.0, 2.0, 3.0, 4.0, 1.0]).value == 3.0
    # Two of eight go at each end: (3 + 4 + 5 + 6) / 4.
    assert iqm([8.0, 1.0, 7.0, 2.0, 6.0, 3.0, 5.0, 4.0]).value == 4.5
    # Nothing goes of two: their mean. Resampled, it is 0 or 1 a quarter of the time each, so the interval is all.
    assert iqm([0.0, 1.0]) == Estimate(0.5, (0.0, 1.0))
    assert iqm([2.0, 2.0, 2.0]) == Estimate(2.0, (2.0, 2.0))
    assert iqm([7.0]) == Estimate(7.0, None)


def test_probability_of_improvement() -> None:
    # 3 beats both; 1 loses to 2 and ties with 1: (1 + 1 + 0 + 0.5) / 4.
    assert probability_of_improvement([3.0, 1.0], [2.0, 1.0]).value == 0.625
    assert probability_of_improvement([5.0, 6.0, 7.0], [1.0, 2.0]) == Estimate(1.0, (1.0, 1.0))
    u = scipy.stats.mannwhitneyu(X, Y).statistic
    assert probability_of_improvement(X, Y).value == pytest.approx(u / 25)
    assert probability_of_improvement(X, Y[:1]).interval is None


def test_differences_and_normalised_scores() -> None:
    assert difference([3.0, 3.0], [1.0, 1.0]) == Estimate(2.0, (2.0, 2.0))
    # (5 - 1) / |3 - 1|, and the same where the human reward is the worse one.
    assert normalised([5.0, 5.0], [3.0, 3.0], [1.0, 1.0]) == Estimate(2.0, (2.0, 2.0))
    assert normalised([5.0, 5.0], [1.0, 1.0], [3.0, 3.0]) == Estimate(1.0, (1.0, 1.0))
    # Human and sparse meet in some resamples: the ratios that are then infinite are left out.
    estimate = normalised([4.0, 5.0], [1.0, 3.0], [0.0, 1.0])
    assert estimate.value == pytest.approx((4.5 - 0.5) / 1.5)
    assert estimate.interval is not None
    assert np.isfinite(estimate.interval).all()


def test_intervals_are_those_of_scipy() -> None:
    def trimmed(values: np.ndarray, axis: int) -> np.ndarray:
        return scipy.stats.trim_mean(values, 0.25, axis=axis)

    peer = scipy.stats.bootstrap(
        (X,), trimmed, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert iqm(X).interval == pytest.approx((peer.low, peer.high), abs=0.03)
    peer = scipy.stats.bootstrap(
        (X, Y),
        lambda x, y, axis: trimmed(x, axis) - trimmed(y, axis),
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert difference(X, Y).interval == pytest.approx((peer.low, peer.high), abs=0.03)


def test_estimates_are_those_of_rliable() -> None:
    # rliable 1.2 on the same scores: `aggregate_iqm` with 20,000 resamples, `probability_of_improvement` with 2,000.
    assert iqm(X).value == pytest.approx(2.19)
    assert iqm(X).interval == pytest.approx((1.76666667, 2.68), abs=0.01)
    assert probability_of_improvement(X, Y).value == pytest.approx(0.74)
    assert probability_of_improvement(X, Y).interval == pytest.approx((0.36, 1.0), abs=0.03)


def test_resampling_is_the_same_every_time() -> None:
    assert iqm(X) == iqm(X)
    assert bootstrap(lambda x: x.mean(axis=-1), X) == bootstrap(lambda x: x.mean(axis=-1), X)


def test_what_excludes_zero() -> None:
    low, middle = Estimate(1.0, (0.0, 2.0)), Estimate(2.0, (2.0, 3.0))
    assert excludes_zero(middle)
    assert excludes_zero(Estimate(-1.0, (-2.0, -0.5)))
    assert not excludes_zero(low)
    assert not excludes_zero(Estimate(5.0, None))


def test_correlation() -> None:
    assert correlation([1.0, 2.0, 3.0], [10.0, 20.0, 30.0]) == pytest.approx(1.0)
    # Deviations (-1, 0, 1) and (-1, 2, -1): they are orthogonal.
    assert correlation([1.0, 2.0, 3.0], [0.0, 3.0, 0.0]) == pytest.approx(0.0)
    assert correlation([1.0, 1.0], [1.0, 2.0]) is None
