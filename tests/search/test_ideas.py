"""What goes with high and low scores: properties of graphs, compared by the worth of those that have them."""

from collections.abc import Callable

import pytest
from test_jobs import history, outcome

from eureka.core.training import TrainingResult
from eureka.core.types import Reward
from eureka.search import ideas as module
from eureka.search.ideas import contrasts, properties

Make = Callable[..., TrainingResult]


def test_a_clear_contrast_is_told_and_an_unclear_one_is_not(make_result: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that read `speed` score 0.8 or so, the others 0.1; `noise` is spread over both."""
    told = {f"g01-c0{i}": ["read `speed`"] * (i <= 4) + ["read `noise`"] * (i % 2) for i in range(1, 9)}
    scores = [0.8, 0.9, 0.8, 0.7, 0.1, 0.2, 0.1, 0.0]
    outcomes = [outcome(make_result, name, (0.0, score)) for name, score in zip(told, scores, strict=True)]
    run = history(2)
    rewards = {name: Reward(name, name, ("a",)) for name in told}
    monkeypatch.setattr(module, "properties", lambda graph, result: told[graph])
    object.__setattr__(run, "rewards", rewards)
    (found,) = contrasts(run, outcomes)
    assert (found.property_, found.num_with, found.num_without) == ("read `speed`", 4, 4)
    assert found.mean_with == pytest.approx(0.8)
    assert found.mean_without == pytest.approx(0.1)
    # The two means of four trainings each differ by 0.7. Of noise of 0.49 their difference has 0.49 (1/4 + 1/4)^(1/2) =
    # 0.346, of which 0.7 is more than twice as much; of noise of 0.5 it is 0.354.
    assert contrasts(run, outcomes, 0.49)
    assert not contrasts(run, outcomes, 0.5)


def test_what_cannot_be_read_has_no_properties(make_result: Make) -> None:
    assert properties("{}", make_result("g01-c01", (1.0,))) == []
