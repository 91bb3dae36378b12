"""Who gets the cores."""

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from eureka.core.types import TrainingResult
from eureka.tasks import load_task
from eureka.trainers.population import layout
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.layout import fastest_threads, spare_threads
from eureka.trainers.population.pool import WorkerPool


def test_cores_without_a_population_are_dealt_out() -> None:
    assert [spare_threads(8, populations) for populations in (0, 1, 2, 3, 5, 8)] == [8, 8, 4, 2, 1, 1]


def test_the_fastest_of_powers_of_two_and_all_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def seconds(task: object, num_worlds: int, threads: int) -> float:
        tried.append(threads)
        return {1: 3.0, 2: 1.0, 4: 1.5, 6: 2.0}[threads]

    monkeypatch.setattr(layout, "_step_s", seconds)
    assert fastest_threads(load_task("cartpole"), 8, 6) == 2
    assert tried == [1, 2, 4, 6]
    assert fastest_threads(load_task("cartpole"), 8, 1) == 1
    assert len(tried) == 4  # nothing to measure


def test_it_is_measured_by_steps_of_the_task() -> None:
    assert fastest_threads(load_task("ant"), 16, 3) in (1, 2, 3)


@pytest.mark.process
def test_a_lone_training_on_many_threads_is_the_same(
    tmp_path: Path, make_job: Callable[..., GroupJob], schedule: Schedule
) -> None:
    job = replace(make_job("g01-c01", seed=3), schedule=schedule)
    policies = []
    for workers in (1, 4):
        with closing(WorkerPool("cartpole", (), tmp_path / str(workers), dict(os.environ), workers)) as backend:
            policies += [event.policy for event in backend.train([job]) if isinstance(event, TrainingResult)]
    assert policies[0] == policies[1]
