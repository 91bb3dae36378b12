"""What is trained again, and what is taken from the run or from the cache."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from comparison_fakes import LENGTH, Listening, ScoreTrainer, graph, result

from eureka.core.events import Trained, TrainingProgress, TrainingStarted
from eureka.core.training import TrainingJob
from eureka.evaluation.cache import TrainingCache
from eureka.evaluation.trainings import Retraining, Trainings, fresh_seeds
from eureka.store import RunStore
from eureka.tasks import find_tasks
from eureka.trainers.base import TrainingEvent
from eureka.trainers.population.trainer import PopulationTrainer

HUMAN = Retraining("human", graph(1.0), is_baseline=True)
FOUND = Retraining("g01-c01", graph(2.0))
SCORES: dict[str, Callable[[int], float | None]] = {"human": float, "g01-c01": lambda seed: 2.0 * seed}


def make(store: RunStore, seeds: int = 2, cache: TrainingCache | None = None, steps: int = 100) -> Trainings:
    length = replace(LENGTH, steps=steps)
    return Trainings(
        store, ScoreTrainer(SCORES), store.checkpoint_folder, length, fresh_seeds(store, seeds), Listening(), cache
    )


def trained(trainings: Trainings) -> list[tuple[str, int]]:
    assert isinstance(trainings.trainer, ScoreTrainer)
    return trainings.trainer.trained


def test_seeds_are_fresh_for_all_that_is_compared(store: RunStore) -> None:
    store.record_result(result("g01-c01", 1001, 1.0))
    assert fresh_seeds(store, 3) == (1000, 1002, 1003)


def test_what_is_recorded_is_not_trained_again(store: RunStore) -> None:
    first = make(store)
    assert first.train([HUMAN, FOUND]) == {}
    assert trained(first) == [("human", 1000), ("human", 1001), ("g01-c01", 1000), ("g01-c01", 1001)]
    assert isinstance(first.observe, Listening)
    begun, *others = first.observe.events
    assert begun == TrainingStarted(
        ("human", "human", "g01-c01", "g01-c01"), (1000, 1001, 1000, 1001), steps=100, whole_steps=100
    )
    assert [type(event) for event in others] == [TrainingProgress, Trained] * 4
    more = make(store, seeds=3)
    more.train([HUMAN, FOUND])
    assert trained(more) == [("human", 1002), ("g01-c01", 1002)]
    assert {seed: found.score for seed, found in more.results("g01-c01").items()} == {
        1000: 2000,
        1001: 2002,
        1002: 2004,
    }
    assert more.cached("human") == ()


def test_trainings_of_another_length_do_not_count(store: RunStore) -> None:
    make(store).train([HUMAN])
    longer = make(store, steps=200)
    assert longer.results("human") == {}
    longer.train([HUMAN])
    assert [found.steps[-1] for found in longer.results("human").values()] == [200, 200]
    assert make(store).results("human") == {}


def test_a_training_that_is_given_up_is_named(store: RunStore) -> None:
    trainings = Trainings(
        store, ScoreTrainer({"human": lambda seed: None}), store.checkpoint_folder, LENGTH, (1000,), Listening(), None
    )
    assert trainings.train([HUMAN]) == {"human": "it became NaN"}
    assert trainings.results("human") == {}


# ---- the cache ---------------------------------------------------------------------------------------------------


@pytest.fixture
def other_store(tmp_path: Path) -> RunStore:
    with RunStore.create(tmp_path / "other", "") as made:
        yield made


def test_baselines_are_trained_once_for_all_runs(store: RunStore, other_store: RunStore, tmp_path: Path) -> None:
    cache = TrainingCache(tmp_path / "cache", "cartpole", "here")
    first, second = make(store, cache=cache), make(other_store, cache=cache)
    first.train([HUMAN, FOUND])
    second.train([HUMAN, FOUND])
    assert trained(second) == [("g01-c01", 1000), ("g01-c01", 1001)]
    assert second.results("human") == first.results("human")
    assert (first.cached("human"), second.cached("human")) == ((), (1000, 1001))
    assert second.cached("g01-c01") == ()
    # Known from then on from the run itself.
    assert make(other_store, seeds=1).cached("human") == (1000,)


def test_what_a_training_depends_on_is_in_the_key(tmp_path: Path) -> None:
    job = TrainingJob("human", graph(1.0), 1000, LENGTH)
    cache = TrainingCache(tmp_path / "cache", "cartpole", "here")
    cache.put(job, result("human", 1000, 5.0))
    assert cache.get(job) == result("human", 1000, 5.0)
    assert cache.get(replace(job, candidate_id="sparse")) == replace(result("human", 1000, 5.0), candidate_id="sparse")
    assert cache.get(replace(job, reward=graph(3.0))) is None
    assert cache.get(replace(job, seed=1001)) is None
    assert cache.get(replace(job, length=replace(LENGTH, steps=300))) is None
    assert cache.get(replace(job, options={"learning_rate": 1e-3})) is None
    assert TrainingCache(tmp_path / "cache", "cartpole", "elsewhere").get(job) is None


def test_provenance_changes_with_the_tasks_files(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(find_tasks()["cartpole"], tmp_path / "tasks" / "cartpole"))
    before = PopulationTrainer("cartpole").provenance
    assert PopulationTrainer("cartpole", [copy]).provenance == before
    assert PopulationTrainer("cartpole", num_envs=3).provenance != before
    env = copy / "env.py"
    env.write_text(env.read_text().replace("0.2", "0.1"))
    assert PopulationTrainer("cartpole", [copy]).provenance != before


def test_a_cache_that_is_damaged_or_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    job = TrainingJob("human", graph(1.0), 1000, LENGTH)
    cache = TrainingCache(tmp_path / "cache", "cartpole", "here")
    cache.put(job, result("human", 1000, 5.0))
    (path,) = (tmp_path / "cache").iterdir()
    path.write_text("{")
    assert cache.get(job) is None
    (tmp_path / "file").write_text("")
    nowhere = TrainingCache(tmp_path / "file" / "cache", "cartpole", "here")
    nowhere.put(job, result("human", 1000, 5.0))
    assert nowhere.get(job) is None


def test_a_training_with_fewer_worlds_is_not_kept_for_other_runs(
    store: RunStore, other_store: RunStore, tmp_path: Path
) -> None:
    """As where a device had no room."""

    class Small(ScoreTrainer):
        def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
            for job in jobs:
                yield replace(result(job.candidate_id, job.seed, 1.0), deviation="with fewer worlds")

    cache = TrainingCache(tmp_path / "cache", "cartpole", "here")
    small = replace(make(store, cache=cache), trainer=Small(SCORES))
    small.train([HUMAN])
    assert list(small.results("human")) == [1000, 1001]
    other = make(other_store, cache=cache)
    other.train([HUMAN])
    assert trained(other) == [("human", 1000), ("human", 1001)]
