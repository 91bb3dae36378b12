"""What a metric says of one episode."""

import pytest
import torch

from eureka.core.types import MetricSpec
from eureka.tasks import Metric, load_task
from eureka.tasks.metric import THROUGH_NEW_STARTS


@pytest.mark.parametrize(("reduce", "score"), [("sum", 6.0), ("mean", 0.6), ("max", 3.0), ("last", 2.0)])
def test_an_episode_that_ended_after_three_of_ten_steps(reduce: str, score: float) -> None:
    """What it lacks of a mean counts as 0."""
    metric = Metric(value=lambda state: state, reduce=reduce, unit="1", description="")  # type: ignore[arg-type]
    assert metric.of_episode(torch.tensor([1.0, 3.0, 2.0]), 10) == pytest.approx(score)


def test_a_share_lies_between_0_and_1_and_a_time_ends_with_the_episode() -> None:
    share = Metric(value=lambda state: state, reduce="max", unit="of the time", description="in the target")
    assert share.as_told == MetricSpec("in the target", "of the time", lowest=0.0, highest=1.0)
    force = Metric(lambda state: state, "max", "of body weight", "force", lowest=0.0, highest=3.0)
    assert force.as_told == MetricSpec("force", "of body weight", lowest=0.0, highest=3.0)
    speed = Metric(value=lambda state: state, reduce="last", unit="m/s", description="speed")
    assert speed.as_told == MetricSpec("speed", "m/s")
    # 300 control steps of 0.02 s, and 1000 of 0.02 s.
    assert load_task("ball_balance").spec.metric.best == pytest.approx(6.0)  # type: ignore[union-attr]
    assert load_task("cartpole").spec.metric.best == pytest.approx(20.0)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["ant", "quadcopter", "swingup"])
def test_a_mean_is_told_to_go_on_through_new_starts(name: str) -> None:
    """A fall costs nothing by itself: the evaluation of a mean starts again and divides by the time limit."""
    task = load_task(name)
    assert task.metric.reduce == "mean"
    told = task.spec.metric
    assert told is not None
    assert told.description == f"{task.metric.description}, {THROUGH_NEW_STARTS}"
