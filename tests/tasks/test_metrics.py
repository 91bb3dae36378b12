"""What a metric says of one episode."""

import pytest
import torch

from eureka.tasks import Metric


@pytest.mark.parametrize(("reduce", "score"), [("sum", 6.0), ("mean", 0.6), ("max", 3.0), ("last", 2.0)])
def test_an_episode_that_ended_after_three_of_ten_steps(reduce: str, score: float) -> None:
    """What it lacks of a mean counts as 0."""
    metric = Metric(value=lambda state: state, reduce=reduce, unit="1", description="")  # type: ignore[arg-type]
    assert metric.of_episode(torch.tensor([1.0, 3.0, 2.0]), 10) == pytest.approx(score)
