"""A device without room: half the worlds, from the start, and somebody is told."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import torch

from eureka.core.errors import TrainingError
from eureka.core.training import TrainingResult, WorkerRestarted
from eureka.physics import Engine
from eureka.tasks import Task, load_task
from eureka.trainers.population import worker
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.out_of_memory import halved, is_out_of_memory
from eureka.trainers.population.population import Population
from eureka.trainers.population.wire import Checkpoint, Line, Message, Order, WorkDone
from eureka.trainers.population.worker import train

MakeJob = Callable[..., GroupJob]


class SmallDevice(Population):
    """Room for 16 worlds in all."""

    def __init__(self, task: Task, jobs: Sequence[GroupJob], *options: Any) -> None:
        super().__init__(task, jobs, *options)
        if len(jobs) * self.schedule.num_envs > 16:
            raise torch.OutOfMemoryError("CUDA out of memory")


@pytest.mark.process
def test_worlds_are_halved_until_there_is_room(
    monkeypatch: pytest.MonkeyPatch, make_job: MakeJob, schedule: Schedule
) -> None:
    monkeypatch.setattr(worker, "Population", SmallDevice)
    large = replace(schedule, num_envs=32, steps=32 * 16 * 2, checkpoints=1, eval_episodes=1)
    jobs = tuple(replace(make_job(f"g01-c0{k}", k), schedule=large) for k in range(2))
    ours, theirs = (Line(end.detach()) for end in socket.socketpair())
    train(load_task("cartpole"), Order(jobs), (), theirs, Engine())
    theirs.close()
    events: list[Message] = []
    with suppress(EOFError):
        while True:
            events.append(ours.receive().message)
    ours.close()
    assert not [event for event in events if isinstance(event, Checkpoint)]  # nobody could carry it on
    restarts = [event for event in events if isinstance(event, WorkerRestarted)]
    assert [event.reason for event in restarts] == [
        "cpu ran out of memory, so each group has 16 worlds",
        "cpu ran out of memory, so each group has 8 worlds",
    ]
    assert restarts[0].candidate_ids == ("g01-c00", "g01-c01")
    results = [event for event in events if isinstance(event, TrainingResult)]
    assert [result.steps[-1] for result in results] == [large.steps] * 2  # as many steps as were asked for
    assert isinstance(events[-1], WorkDone)


def test_a_training_with_fewer_worlds_is_as_long(make_job: MakeJob, schedule: Schedule) -> None:
    """824 steps are 2 updates of 32 x 16, and would be 3 of 16 x 16."""
    large = replace(schedule, num_envs=32, steps=824)
    assert (large.ppo.horizon, large.trained_steps) == (16, 1024)
    (job,) = halved([replace(make_job("g01-c01", 0), schedule=large)], "cuda:0", set())
    assert (job.schedule.num_envs, job.schedule.trained_steps) == (16, 1024)


def test_one_world_that_does_not_fit_is_said(make_job: MakeJob, schedule: Schedule) -> None:
    job = replace(make_job("g01-c01", 0), schedule=replace(schedule, num_envs=1))
    with pytest.raises(TrainingError, match=r"cuda:1 has no memory for 1 trainings.*search\.samples="):
        halved([job], "cuda:1", set())


def test_what_counts_as_out_of_memory() -> None:
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"))
    assert is_out_of_memory(RuntimeError("Failed to allocate 1073741824 bytes on device 'cuda:0'"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_out_of_memory(MemoryError())
