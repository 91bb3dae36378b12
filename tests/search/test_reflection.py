"""Reflection's numbers, by hand."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from eureka.core.training import EpisodeTrace, TrainingResult
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
    assert reflection.metric_max == 4.0  # no seed lost anything: 2 and 6 are the best of each
    assert reflection.steps == (100, 200)
    component = reflection.components[0]
    assert component.points == (0.5, 1.5)  # curves (0, 1) and (1, 2)
    assert (component.minimum, component.maximum) == (-1.0, 2.0)
    assert component.metric_correlation == pytest.approx(0.15)  # of 0.1 and 0.2


def test_the_noise_of_actions_is_a_mean_over_the_seeds_that_tell(make_result: Callable[..., TrainingResult]) -> None:
    told = [replace(make_result("g01-c01", (1.0,), seed=i), action_std=std) for i, std in enumerate((0.2, 0.4, None))]
    candidate = Candidate("g01-c01", "source", ("x",))
    assert reflect(candidate, told).action_std == pytest.approx(0.3)
    assert reflect(candidate, told[2:]).action_std is None


def test_episodes_shown_are_the_typical_one_and_the_worst_of_any_seed(
    make_result: Callable[..., TrainingResult],
) -> None:
    def episodes(*scores: float) -> tuple[EpisodeTrace, ...]:
        return tuple(
            EpisodeTrace(score=score, steps=10, ended="time limit", fields={"height": (score,)}) for score in scores
        )

    low = replace(make_result("g01-c01", (1.0,)), episodes=episodes(0.1, 0.2))
    middle = replace(make_result("g01-c01", (5.0,), seed=1), episodes=episodes(0.4, 0.5))
    high = replace(make_result("g01-c01", (9.0,), seed=2), episodes=episodes(0.8, 0.9))
    reflection = reflect(Candidate("g01-c01", "source", ("x",)), [high, low, middle])
    assert [episode.score for episode in reflection.episodes if episode.fields] == [0.1, 0.5]


def test_lengths_before_the_first_episode_has_ended_are_not_taken_for_zeros(
    make_result: Callable[..., TrainingResult],
) -> None:
    result = replace(make_result("g01-c01", (1.0,), metric=(0.0, 0.0, 0.0)), episode_length=(0.0, 400.0, 300.0))
    assert reflect(Candidate("g01-c01", "source", ("x",)), [result]).episode_length_points == (400.0, 400.0, 300.0)


def test_a_component_goes_with_the_score_of_episodes_within_the_policies_of_the_seeds(
    make_result: Callable[..., TrainingResult],
) -> None:
    """One seed is better and has more of the component, which goes against the score within each seed."""

    def episodes(*pairs: tuple[float, float]) -> tuple[EpisodeTrace, ...]:
        return tuple(
            EpisodeTrace(score=score, steps=10, ended="time limit", components={"a": mean}) for mean, score in pairs
        )

    low = replace(make_result("g01-c01", (1.0,)), episodes=episodes((0.0, 1.6), (0.1, 1.1), (0.2, 0.6)))
    high = replace(make_result("g01-c01", (5.0,), seed=1), episodes=episodes((1.0, 5.6), (1.1, 5.1), (1.2, 4.6)))
    component = reflect(Candidate("g01-c01", "source", ("x",)), [low, high]).components[0]
    assert component.name == "a"
    assert component.episode_correlation == pytest.approx(-1.0)
