"""How evaluation episodes ended, in a sentence."""

from eureka.core.training import EpisodeTrace
from eureka.prompts.render import endings


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
    assert "first above 0" not in endings([late, at_once])
    assert "first above 0" not in endings([never, never])
