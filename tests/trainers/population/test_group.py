"""When a schedule evaluates and ends, by hand."""

from dataclasses import replace

from eureka.tasks.ppo import PPOConfig
from eureka.trainers.population.group import Schedule

# 8 worlds of 16 steps: 128 control steps an update.
SCHEDULE = Schedule(num_envs=8, steps=12 * 128, checkpoints=4, eval_episodes=1, ppo=PPOConfig(horizon=16))


def test_evaluations_are_evenly_spaced_and_the_last_is_at_the_end() -> None:
    assert SCHEDULE.evaluated_after == (3, 6, 9, 12)
    assert (SCHEDULE.num_updates, SCHEDULE.trained_steps) == (12, 1536)
    # 1,700 steps are 13.3 updates: a quarter of 13 is 3.25.
    assert replace(SCHEDULE, steps=1700).evaluated_after == (3, 6, 10, 13)
    assert replace(SCHEDULE, checkpoints=1).evaluated_after == (12,)


def test_fewer_updates_than_evaluations() -> None:
    assert replace(SCHEDULE, steps=2 * 128).evaluated_after == (1, 2)
    assert replace(SCHEDULE, steps=1).evaluated_after == (1,)


def test_what_ends_early_is_the_beginning_of_the_whole() -> None:
    beginning = replace(SCHEDULE, steps=1700, ends_after=3)
    assert beginning.evaluated_after == (3, 6, 10)
    assert (beginning.num_updates, beginning.trained_steps) == (10, 1280)
    assert replace(beginning, ends_after=9).evaluated_after == (3, 6, 10, 13)
