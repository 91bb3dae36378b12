"""Re-training with fresh seeds, and IQM with its interval by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from eureka.errors import StoreError, TrainingError
from eureka.evaluation import best_reward, evaluations, fresh_seeds, retrain, retraining_jobs, summarise
from eureka.rl.backend import Event
from eureka.store import RunStore
from eureka.types import PPOConfig, Progress, Rejected, Reward, Schedule, Stage, TrainingJob, TrainingResult

SCHEDULE = Schedule(num_envs=2, steps=10, checkpoints=1, eval_episodes=1, ppo=PPOConfig())
REWARD = Reward("g02-c01", "{}", ("a",))


def result(job: TrainingJob) -> TrainingResult:
    return TrainingResult(
        job.candidate_id, job.seed, (10,), (1.0,), (1.0,), (1.0,), {}, {}, (float(job.seed),), (1.0,), b"policy"
    )


@dataclass
class CountingBackend:
    """Finishes every job with its seed as the score, or rejects it."""

    fails: bool = False
    seeds: list[int] = field(default_factory=list)

    def train(self, jobs: Sequence[TrainingJob]) -> Iterator[Event]:
        for job in jobs:
            self.seeds.append(job.seed)
            yield Progress(job.candidate_id, job.seed, 5, 0.0, 1.0)
            yield Rejected(job.candidate_id, Stage.TRAIN, "NaN", "NaN") if self.fails else result(job)

    def close(self) -> None:
        """Nothing to stop."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    with RunStore.create(tmp_path / "run", "", {}) as made:
        for name in ("g01-c01", "g02-c01"):
            made.record_reward(Reward(name, "{}", ("a",)))
        yield made


def test_iqm_by_hand() -> None:
    # A quarter of five, rounded down, goes at each end: (2 + 3 + 4) / 3.
    assert summarise([100.0, 2.0, 3.0, 4.0, 1.0]).iqm == 3.0
    # Nothing goes of two: their mean. Resampled, it is 0 or 1 a quarter of the time each, so the interval is all.
    summary = summarise([0.0, 1.0])
    assert summary.iqm == 0.5
    assert summary.interval == (0.0, 1.0)
    assert summarise([2.0, 2.0, 2.0]).interval == (2.0, 2.0)
    assert summarise([7.0]).interval is None
    assert summarise([1.0, 2.0, 5.0]) == summarise([1.0, 2.0, 5.0])


def test_the_best_is_that_of_the_last_generation_that_has_one(store: RunStore) -> None:
    with pytest.raises(StoreError, match="no generation has finished with a usable reward"):
        best_reward(store)
    store.record_generation(1, "g01-c01")
    assert best_reward(store).candidate_id == "g01-c01"
    store.record_generation(2, "g02-c01")
    assert best_reward(store) == REWARD


def test_seeds_are_fresh_and_done_ones_are_kept(store: RunStore) -> None:
    used = TrainingJob("g02-c01", "{}", 1001, SCHEDULE)
    store.record_result(result(used))
    assert fresh_seeds(store, "g02-c01", 3) == [1000, 1002, 1003]
    backend = CountingBackend()
    events = list(retrain(store, backend, retraining_jobs(store, REWARD, SCHEDULE, 2)))
    assert [type(event) for event in events] == [Progress, TrainingResult] * 2
    list(retrain(store, backend, retraining_jobs(store, REWARD, SCHEDULE, 3)))
    assert backend.seeds == [1000, 1002, 1003]
    assert [found.score for found in evaluations(store, "g02-c01")] == [1000.0, 1002.0, 1003.0]
    assert evaluations(store, "g01-c01") == []


def test_a_rejected_training_ends_it(store: RunStore) -> None:
    with pytest.raises(TrainingError, match="re-training g02-c01 failed: NaN"):
        list(retrain(store, CountingBackend(fails=True), retraining_jobs(store, REWARD, SCHEDULE, 1)))
