"""A training worker: a process that trains one population at a time.

It is started as `python -m eureka.trainers.population FD [ENGINE DEVICE]`.

It talks over one socket. It receives `Work`, and sends `Progress`, `Rejected` and `TrainingResult` values, then
`WorkDone`; or `WorkerFailure` where the host's own machinery failed. Every update sends something, so silence means
that it hangs.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from eureka.core.errors import EurekaError, TaskError, TrainingError
from eureka.core.training import WorkerRestarted
from eureka.core.types import Rejected
from eureka.physics import Engine
from eureka.tasks import Task, load_task
from eureka.tasks.checks import line_in
from eureka.trainers.population.continuing import group_state, joined_state, trained_path
from eureka.trainers.population.group import GroupJob
from eureka.trainers.population.out_of_memory import halved, is_out_of_memory, release
from eureka.trainers.population.population import Population
from eureka.trainers.population.work import Work

CHECKPOINT_INTERVAL_S = 5.0


@dataclass(frozen=True)
class WorkDone:
    """The population is trained and all its results are sent."""


@dataclass(frozen=True)
class WorkerFailure:
    """The host's machinery failed with a sentence for the user."""

    message: str


def fingerprint(jobs: Sequence[GroupJob]) -> str:
    """What a checkpoint belongs to: the jobs with their graphs, seeds and schedules, in order."""
    return hashlib.sha256(repr(tuple(jobs)).encode()).hexdigest()[:20]


def save_checkpoint(path: Path, jobs: Sequence[GroupJob], state: dict[str, Any]) -> None:
    """Write the state of a population of `jobs` atomically: a reader finds the old checkpoint or the new one.

    Raises:
        TrainingError: it cannot be written, as on a full disk.
    """
    buffer = io.BytesIO()
    torch.save({"fingerprint": fingerprint(jobs), "state": state}, buffer)
    partial = path.with_suffix(f".{os.getpid()}.partial")  # a worker of a killed run may still be writing its own
    try:
        path.parent.mkdir(exist_ok=True)
        partial.write_bytes(buffer.getbuffer())
        os.replace(partial, path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise TrainingError(
            f"the training's checkpoint cannot be written to {path.parent}: {error.strerror}; "
            "make room there and resume the run, nothing that was recorded is lost"
        ) from error


def read_checkpoint(path: Path) -> dict[str, Any] | None:
    """What `save_checkpoint` wrote, or None where there is nothing whole (a machine that lost power)."""
    try:
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
        return None
    return saved


def start_population(task: Task, work: Work, engine: Engine = Engine()) -> Population:  # noqa: B008
    """The population of `work.jobs`, as far as its checkpoint or else its starts have brought it.

    Groups that had left the population when its checkpoint was saved are not in it.
    """
    jobs = work.jobs
    saved = read_checkpoint(work.checkpoint)
    if saved is not None:
        left = [(candidate, seed) for candidate, seed in saved["state"]["jobs"]]
        kept = [job for job in jobs if (job.candidate_id, job.seed) in left]
        if fingerprint(kept) == saved["fingerprint"]:
            population = Population(task, kept, work.threads, engine)
            population.load_state_dict(saved["state"])
            return population
    population = Population(task, jobs, work.threads, engine)
    starts = [read_checkpoint(path) for path in work.starts]
    if starts and all(start is not None for start in starts):
        population.load_state_dict(joined_state([start["state"] for start in starts if start]))
    return population


def train(work: Work, connection: Connection, engine: Engine = Engine()) -> None:  # noqa: B008
    """Train one population to the end, sending events and results.

    Where the device has no room for it, it starts again with half the worlds in every group.

    Raises:
        TaskError: the task's own code raised on a state that it met in training.
        TrainingError: a checkpoint cannot be written, or the device has no room for one world.
        PhysicsError: the engine cannot step the task.
    """
    task = load_task(work.task, work.task_dirs)
    finished: set[tuple[str, int]] = set()
    while not _trained(task, work, connection, engine, finished):
        work = halved(work, engine.device, finished)
        release()
        reason = f"{engine.device} ran out of memory, so each group has {work.jobs[0].schedule.num_envs} worlds"
        connection.send(WorkerRestarted(0, reason, tuple(job.candidate_id for job in work.jobs)))
    connection.send(WorkDone())


def _trained(task: Task, work: Work, connection: Connection, engine: Engine, finished: set[tuple[str, int]]) -> bool:
    """Train to the end; False where the device ran out of memory. Jobs that end early are added to `finished`."""
    try:
        _train(task, work, connection, engine, finished)
    except Exception as error:
        if is_out_of_memory(error):
            return False
        path = task.folder / "env.py"
        place = line_in(error, path)
        if not place:
            raise
        raise TaskError(
            f"{path}{place}: {type(error).__name__}: {error} (met in training; mend it and resume the run)"
        ) from error
    return True


def _train(task: Task, work: Work, connection: Connection, engine: Engine, finished: set[tuple[str, int]]) -> None:
    population = start_population(task, work, engine)
    saved = time.monotonic()
    while not population.finished:
        for event in population.advance():
            connection.send(event)
            if isinstance(event, Rejected):
                finished |= {
                    (job.candidate_id, job.seed) for job in work.jobs if job.candidate_id == event.candidate_id
                }
        if time.monotonic() - saved > CHECKPOINT_INTERVAL_S and population.jobs:
            save_checkpoint(work.checkpoint, population.jobs, population.state_dict())
            saved = time.monotonic()
    if population.jobs:
        state = population.state_dict()
        save_checkpoint(work.checkpoint, population.jobs, state)
        for group, job in enumerate(population.jobs):
            path = trained_path(work.checkpoint.parent, job, population.updates)
            save_checkpoint(path, [job], group_state(state, group))
        for result in population.results():
            connection.send(result)


def main() -> None:
    """Serve work until the parent closes the socket."""
    torch.set_num_threads(1)
    connection = Connection(int(sys.argv[1]))
    engine = Engine("warp", sys.argv[3]) if sys.argv[2:3] == ["warp"] else Engine()
    if engine.device.startswith("cuda"):
        torch.cuda.set_device(engine.device)  # what is made on no device in particular is made on this one
    while True:
        try:
            work = connection.recv()
        except EOFError:
            return
        try:
            train(work, connection, engine)
        except EurekaError as error:
            connection.send(WorkerFailure(str(error)))
        except BrokenPipeError:
            return
