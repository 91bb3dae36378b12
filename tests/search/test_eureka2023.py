"""The published Eureka: who is the parent, when it begins anew, what it tells, and what its preset sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from histories import history_of

from eureka.app.configs import compose_config
from eureka.config import Halving, SearchConfig
from eureka.core.errors import ConfigError
from eureka.core.training import TrainingResult
from eureka.proposers.base import ProposerCapabilities
from eureka.search.history import History
from eureka.search.methods.base import Services
from eureka.search.methods.eureka2023 import Eureka2023, maximum_over_training
from eureka.tasks import load_task

Make = Callable[..., TrainingResult]
SPEC = load_task("cartpole").spec


def curve(result: TrainingResult, *metric: float) -> TrainingResult:
    return replace(result, metric=metric, steps=tuple(range(1, len(metric) + 1)))


def history(results: list[TrainingResult], finished: int) -> History:
    return history_of(SPEC, results, finished, generations=6)


def method(every: int | None = 2) -> Eureka2023:
    return Eureka2023(SearchConfig(restart_every=every), Services(ProposerCapabilities))


def test_a_score_is_the_highest_value_in_training(make_result: Make) -> None:
    fell = curve(make_result("g01-c01", (1.0,)), 0.0, 9.0, 1.0)
    assert maximum_over_training(fell) == 9.0
    assert maximum_over_training(replace(fell, metric=(), steps=(), checkpoint_scores=())) == 1.0


def test_the_parent_is_the_highest_of_the_last_generation(make_result: Make) -> None:
    results = [
        curve(make_result("g01-c01", (1.0,)), 20.0),
        curve(make_result("g02-c01", (5.0,)), 5.0),
        curve(make_result("g02-c02", (1.0,)), 9.0, 1.0),
    ]
    found = method(every=None).parent(history(results, finished=2))
    assert found is not None
    assert found.candidate.id == "g02-c02"
    # Of generations of two, the third begins anew.
    assert method(every=2).parent(history(results, finished=2)) is None
    late = [*results, curve(make_result("g03-c01", (1.0,)), 1.0)]
    second = method(every=2).parent(history(late, finished=3))
    assert second is not None
    assert second.candidate.id == "g03-c01"
    # The best of all is the result, whichever search it is from.
    assert method().select(history(late, finished=3)).best == "g01-c01"
    assert method().select(history([], finished=0)).best is None


def test_where_a_generation_failed_the_one_before_goes_on(make_result: Make) -> None:
    results = [curve(make_result("g01-c01", (1.0,)), 2.0)]
    found = method(every=5).parent(history(results, finished=2))
    assert found is not None
    assert found.candidate.id == "g01-c01"


def test_the_preset_is_the_publication() -> None:
    config = compose_config(["task=cartpole", "llm=program_search", "preset=eureka2023", "budget=quick"])
    search = config.search
    assert (search.method, search.generations, search.restart_every, search.samples) == ("eureka2023", 25, 5, 16)
    assert (search.repairs, search.finalists, search.confirmation_seeds) == (0, 1, 0)
    assert (config.train.halving, config.train.seeds, config.evaluation.seeds) == (Halving.off, 1, 5)
    assert config.preset == "eureka2023"
    fewer = compose_config(["task=cartpole", "llm=program_search", "preset=eureka2023", "search.samples=4"])
    assert (fewer.search.samples, fewer.search.method) == (4, "eureka2023")
    assert compose_config(["task=cartpole", "llm=program_search"]).preset == "none"
    with pytest.raises(ConfigError, match=r"preset=eureka: there is no such choice \(did you mean preset=eureka2023"):
        compose_config(["task=cartpole", "preset=eureka"])


@pytest.mark.parametrize("given", [["search.restart_every=2"], ["preset=eureka2023", "search.method=greedy"]])
def test_no_other_method_takes_restarts_without_a_word(given: list[str]) -> None:
    with pytest.raises(
        ConfigError, match=r"only search.method=eureka2023 begins anew, .* give search.restart_every=null"
    ):
        compose_config(["task=cartpole", "llm=program_search", *given])
