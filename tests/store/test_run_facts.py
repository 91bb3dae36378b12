"""The facts of a run: as rows and back, those of older folders, and what was changed by hand."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from eureka.core.costs import Spent, UnrecordedCosts
from eureka.core.errors import StoreError
from eureka.store import Fitness, RunFacts, RunStore
from eureka.store.facts import KEYS, read_facts, rows_of

FULL = RunFacts(
    fitness=Fitness.PREFERENCE,
    had_metric_access=False,
    sandbox_layers={"private memory": "on", "seccomp": "missing"},
    task_dirs=("a b", "c"),
    resumed_with=("seed=1",),
    seed_stride=100,
    evaluations_from_cache=("human 1000 500",),
    unrecorded_costs=UnrecordedCosts(Spent(3, 0.5, 1.0), calls_open=True),
    others={"of a newer version": "1"},
    **{each.name: each.name for each in fields(RunFacts) if each.default == "" and each.name != "fitness"},
)


def test_they_read_back_as_written(tmp_path: Path) -> None:
    assert read_facts(rows_of(FULL)) == FULL
    with RunStore.create(tmp_path / "run", "", FULL) as store:
        store.record_facts(replace(store.facts(), resumed_with=("seed=2",)))
    with RunStore.open(tmp_path / "run", read_only=True) as store:
        assert store.facts() == replace(FULL, resumed_with=("seed=2",))


def test_a_fact_can_be_what_it_was_before_it_was_set(tmp_path: Path) -> None:
    with RunStore.create(tmp_path / "run", "") as store:
        store.record_facts(replace(store.facts(), unrecorded_costs=UnrecordedCosts(calls_open=True), unsafe="yes"))
        store.record_facts(replace(store.facts(), unrecorded_costs=UnrecordedCosts(), unsafe=""))
        assert store.facts() == RunFacts()


def test_the_rows_are_those_of_older_folders() -> None:
    rows = {
        "sandbox layers": "private memory on; seccomp missing",
        "had metric access": "no, there is none",
        "fitness": "preference",
        "seeds between generations": "100",
        "evaluations from the cache": '["human 1000 500"]',
        "llm unrecorded costs": '{"spent":{"tokens":3,"usd":0.5,"seconds":1.0},"calls_open":true}',
        "stable-baselines3": "2.7",
        "task_dirs": '["a b", "c"]',
        "metric unit": "m/s",
    }
    assert read_facts(rows) == RunFacts(
        sandbox_layers={"private memory": "on", "seccomp": "missing"},
        had_metric_access=False,
        fitness=Fitness.PREFERENCE,
        seed_stride=100,
        evaluations_from_cache=("human 1000 500",),
        unrecorded_costs=UnrecordedCosts(Spent(3, 0.5, 1.0), calls_open=True),
        stable_baselines3="2.7",
        task_dirs=("a b", "c"),
        metric_unit="m/s",
    )
    assert read_facts(rows).metric_access == "no, there is none"
    assert len(set(KEYS.values())) == len(KEYS)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("seeds between generations", "many"),
        ("seeds between generations", "9" * 5000),
        ("fitness", "taste"),
        ("sandbox layers", '{"seccomp": 1}'),
        ("llm unrecorded costs", "{}}"),
        ("resumed with", "[1]"),
    ],
)
def test_a_fact_that_was_changed_by_hand_is_named(tmp_path: Path, key: str, text: str) -> None:
    with RunStore.create(tmp_path / "run", "") as store:
        store._database.set_value("fact", key, text)
        with pytest.raises(StoreError, match=f"run: the fact '{key}' of run.db was changed by hand: ") as caught:
            store.facts()
    assert len(str(caught.value)) < len(str(tmp_path)) + 300
