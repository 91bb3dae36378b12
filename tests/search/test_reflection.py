"""Reflection's numbers, by hand."""

from collections.abc import Callable

import pytest

from eureka.core.training import TrainingResult
from eureka.core.types import Candidate
from eureka.search.reflection import points, reflect


def test_points_are_means_of_ten_stretches() -> None:
    assert points([float(i) for i in range(20)]) == tuple(0.5 + 2 * i for i in range(10))
    assert points([1.0, 2.0, 3.0]) == (1.0, 2.0, 3.0)


def test_seeds_are_pooled(make_result: Callable[..., TrainingResult]) -> None:
    one = make_result("g01-c01", (1.0, 3.0), metric=(0.0, 2.0))
    two = make_result("g01-c01", (5.0, 7.0), seed=1, metric=(2.0, 4.0))
    reflection = reflect(Candidate("g01-c01", "source", ("x",)), [one, two])
    assert reflection.source == "source"
    assert reflection.metric_points == (1.0, 3.0)
    assert reflection.metric_final == 4.0  # mean of the means 2 and 6
    assert reflection.metric_max == 6.0  # the best checkpoint of either seed
    assert reflection.steps == (100, 200)
    component = reflection.components[0]
    assert component.points == (0.5, 1.5)  # curves (0, 1) and (1, 2)
    assert (component.minimum, component.maximum) == (-1.0, 2.0)
    assert component.metric_correlation == pytest.approx(0.15)  # of 0.1 and 0.2
