"""Who gets the cores."""

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from eureka.core.training import TrainingResult
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.layout import spare_threads
from eureka.trainers.population.pool import WorkerPool


def test_cores_without_a_population_are_dealt_out() -> None:
    assert [spare_threads(8, populations) for populations in (0, 1, 2, 3, 5, 8)] == [8, 8, 4, 2, 1, 1]


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
