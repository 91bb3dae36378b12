"""The study of the race: ways of choosing by hand, the table, a tiny collection, and the form of what is committed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import race  # noqa: E402
import race_ways  # noqa: E402
from race import Found, Races  # noqa: E402

# By its first seed `lucky` ends highest and `peak` was highest on the way; `good` is best with every other seed.
TABLE = {
    "good": {seed: {1: 0.5, 2: 0.6, 4: 0.9} for seed in (0, 1, 2)},
    "lucky": {0: {1: 0.6, 2: 0.7, 4: 1.0}, 1: {1: 0.1, 2: 0.1, 4: 0.1}, 2: {1: 0.1, 2: 0.1, 4: 0.1}},
    "peak": {seed: {1: 0.1, 2: 2.0, 4: 0.2} for seed in (0, 1, 2)},
    "low": {seed: {1: 0.2, 2: 0.2, 4: 0.2} for seed in (0, 1, 2)},
}


def test_ways_of_choosing() -> None:
    assert race_ways.by_maximum(TABLE, (0, 1)) == ("peak", 16)
    assert race_ways.by_final(TABLE, (0, 1)) == ("lucky", 16)
    # Rungs of 1, 2 and 4 steps: 4 + 2 + 2 * 2; then a second seed for both that are left, 2 * 4.
    assert race_ways.by_race((1, 2, 3), 1.125, every=1)(TABLE, (0, 1)) == ("good", 18)
    assert race_ways.by_race((1, 2, 3), 1.0, every=1)(TABLE, (0, 1)) == ("lucky", 10)  # no budget for that
    # The later half of three evaluations are the last two.
    assert race_ways.by_late_mean(TABLE, (0, 1)) == ("peak", 16)


def test_ways_with_more_seeds_and_with_dominance() -> None:
    assert race_ways.by_seeds(1)(TABLE, (0, 1)) == ("peak", 16)
    assert race_ways.by_seeds(2)(TABLE, (0, 1)) == ("peak", 32)
    rows = {"a": {1: 0.1, 2: 0.3}, "b": {1: 0.2, 2: 0.1}, "c": {1: 0.0, 2: 0.05}}
    # `c` is below both at both; `a` rose and `b` fell, so half of the others dominate it and not all.
    assert race_ways.is_dominated("c", rows, [1, 2], 0.5)
    assert not race_ways.is_dominated("c", rows, [1, 2], 1.0)
    assert not race_ways.is_dominated("a", rows, [1, 2], 0.5)


def test_what_stopping_early_does_to_what_a_model_wrote() -> None:
    found = {(each.task, each.generation, each.rule): each for each in race.stop_in_recorded()}
    assert len(found) == 12
    lost = found["swingup", 2, "halving at half time"]
    # g02-c06 and g02-c08 ended at 0.772 and 0.763, from 0.007 and 0 at half time.
    assert (lost.stopped, lost.wrongly, lost.near) == (4, 2, 2)
    assert lost.best == pytest.approx(0.772, abs=5e-4)
    assert len(race.stopped_lines(list(found.values()))) == 14


def test_a_sure_thing_is_always_found() -> None:
    rows = {"good": 1.0, "bad": 0.5}
    table = {name: {seed: dict.fromkeys(range(1, 9), score) for seed in range(4)} for name, score in rows.items()}
    for found in race.play("ant", table, repetitions=3):
        assert (found.best, found.within, found.regret) == (1.0, 1.0, 0.0)


def test_the_table() -> None:
    found = (Found("ant", "a way", 0.1, 0.25, 0.5, 0.3), Found("hopper", "a way", 0.2, 0.75, 0.1, 0.5))
    lines = race.race_lines(Races(1, 16, 10, {"ant": 200_000, "hopper": 1_000}, found))
    assert lines[:3] == [
        "| way of choosing | steps | ant | hopper | mean |",
        "| --- | --- | --- | --- | --- |",
        "| a way | 0.40 | 25% (50%) | 75% (10%) | 50% (30%) |",
    ]
    assert "16 rewards a task with 10 seeds each" in lines[4]
    assert "ant 200,000, hopper 1,000" in lines[4]


@pytest.mark.process
@pytest.mark.parametrize("task", race.TASKS)
def test_every_pool_is_sixteen_rewards_that_can_be_verified(task: str) -> None:
    assert len({reward.graph for reward in race.rewards(task)}) == 16


@pytest.mark.wide
def test_a_tiny_collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):  # the second finds all there
        race.collect("cartpole", 2, 8 * 512, tmp_path)
    table = race.read_table(tmp_path / "race_cartpole.json")
    assert len(table) == 16
    assert {tuple(rows) for rows in table.values()} == {(0, 1)}
    assert {len(scores) for rows in table.values() for scores in rows.values()} == {8}
    with pytest.raises(SystemExit, match="give --steps"):
        race.collect("cartpole", 2, 2048, tmp_path)
    monkeypatch.setattr(race, "TASKS", ("cartpole",))
    assert {found.task for found in race.choose(tmp_path).found} == {"cartpole"}


def test_the_committed_races_have_this_form() -> None:
    races = race.read_races()
    assert races is not None
    assert races.version == race.VERSION
    for task in races.lengths:
        table = race.read_table(race.COMMITTED / race.table_file(task))
        assert len(table) == races.rewards
        assert {len(rows) for rows in table.values()} == {races.seeds}
    ways = [each.way for each in races.found if each.task == "swingup"]
    assert ways == list(race_ways.WAYS)
