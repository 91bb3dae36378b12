"""How evaluation episodes ended, in a sentence."""

from dataclasses import replace

from eureka.core.training import EpisodeTrace
from eureka.core.types import MetricSpec
from eureka.prompts.render import endings, field_rows, metric_words


def test_the_condition_and_what_is_left_of_the_score_are_told() -> None:
    episodes = [
        EpisodeTrace(score=4.0, steps=100, ended="time limit"),
        EpisodeTrace(score=2.0, steps=100, ended="time limit"),
        EpisodeTrace(score=0.5, steps=20, ended="terminated", condition="height < 0.2"),
        EpisodeTrace(score=1.0, steps=30, ended="terminated", condition="height < 0.2"),
        EpisodeTrace(score=0.0, steps=5, ended="diverged"),
    ]
    text = endings(episodes)
    assert "2 ended at the time limit" in text
    assert "2 were terminated by `height < 0.2` (after 20 to 30 steps)" in text
    assert "1 diverged (after 5 steps)" in text
    assert "Mean score 3 where it lasted to the limit, 0.5 where not." in text


def test_nothing_is_left_to_compare_where_all_ended_alike() -> None:
    text = endings([EpisodeTrace(score=1.0, steps=7, ended="terminated")] * 2)
    assert "2 were terminated (after 7 steps)" in text
    assert "where it lasted" not in text


def test_when_the_metric_first_rose_is_told_where_no_episode_began_above_0() -> None:
    late = EpisodeTrace(score=0.5, steps=50, ended="time limit", first_metric_step=20)
    later = EpisodeTrace(score=0.2, steps=50, ended="time limit", first_metric_step=30)
    never = EpisodeTrace(score=0.0, steps=50, ended="time limit")
    at_once = EpisodeTrace(score=-3.0, steps=50, ended="time limit", first_metric_step=1)
    assert "The metric was first above 0 after 20 to 30 steps, in 2 of them." in endings([late, later, never])
    assert "stayed above 0" not in endings([late, later, never])  # traces from before this was counted
    held = replace(late, longest_metric_steps=30)
    brief = replace(later, longest_metric_steps=4)
    assert endings([held, brief, never]).endswith("At the longest it stayed above 0 for 4 to 30 steps in a row.")
    assert endings([replace(late, longest_metric_steps=1)]).endswith("At the longest it stayed above 0 for 1 step.")
    assert "first above 0" not in endings([late, at_once])
    assert "first above 0" not in endings([never, never])


def test_a_table_of_episodes_has_what_all_of_them_recorded_and_nothing_twice() -> None:
    still = (0.0, 0.0)
    typical = EpisodeTrace(
        score=2.0,
        steps=9,
        ended="time limit",
        fields={"speed": (1.0, 2.0), "rate": (1.0, 2.0), "height": (1.0, 2.0), "a": still, "b": still, "c": (3.0, 4.0)},
    )
    worst = EpisodeTrace(
        score=1.0,
        steps=9,
        ended="time limit",
        fields={"speed": (5.0, 6.0), "rate": (5.0, 6.0), "height": (0.5, 0.1), "a": still, "b": still},
    )
    rows = field_rows([typical, worst])
    assert rows == {
        "speed": [(1.0, 2.0), (5.0, 6.0)],  # `rate` is the same twice over, `height` only in one episode
        "height": [(1.0, 2.0), (0.5, 0.1)],
        "a": [still, still],
        "b": [still, still],
    }


def test_the_unit_of_a_metric_is_told_unless_its_description_has_it() -> None:
    assert metric_words(MetricSpec("Eureka's time until it falls", "s", best=6.0)) == (
        "Eureka's time until it falls; unit s; the best possible is 6; more is better"
    )
    assert metric_words(MetricSpec("progress in m/s", "m/s")) == "progress in m/s; more is better"
    share = MetricSpec("share of the time in the target", "of the time", lowest=0.0, highest=1.0)
    assert metric_words(share) == "share of the time in the target; from 0 to 1; more is better"
