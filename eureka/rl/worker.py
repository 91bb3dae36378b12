"""A training worker: a process that trains one population at a time, started as `python -m eureka.rl FD`.

It talks over one socket. It receives `Work`, and sends `Progress`, `Rejected` and `TrainingResult` values, then
`Done`; or `Broken` where the host's own machinery failed. Every update sends something, so silence means it hangs.
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

from eureka.errors import EurekaError, TaskError, TrainingError
from eureka.rl.population import Population
from eureka.tasks import Task, load_task
from eureka.tasks.checks import line_in
from eureka.types import TrainingJob

CHECKPOINT_INTERVAL_S = 5.0


@dataclass(frozen=True)
class Work:
    """One population to train; continued from `checkpoint` where that file is there and belongs to these jobs."""

    task: str
    task_dirs: tuple[Path, ...]
    jobs: tuple[TrainingJob, ...]
    checkpoint: Path


@dataclass(frozen=True)
class Done:
    """The population is trained and all its results are sent."""


@dataclass(frozen=True)
class Broken:
    """The host's machinery failed with a sentence for the user."""

    message: str


def fingerprint(jobs: Sequence[TrainingJob]) -> str:
    """What a checkpoint belongs to: the jobs with their graphs, seeds and schedules, in order."""
    return hashlib.sha256(repr(tuple(jobs)).encode()).hexdigest()[:20]


def save_checkpoint(path: Path, population: Population) -> None:
    """Write atomically: a reader finds the old checkpoint or the new one.

    Raises:
        TrainingError: it cannot be written, as on a full disk.
    """
    buffer = io.BytesIO()
    torch.save({"fingerprint": fingerprint(population.jobs), "state": population.state_dict()}, buffer)
    partial = path.with_suffix(f".{os.getpid()}.partial")  # a worker of a killed run may still be writing its own
    try:
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
        saved: dict[str, Any] = torch.load(path, weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
        return None
    return saved


def load_checkpoint(path: Path, task: Task, jobs: Sequence[TrainingJob]) -> Population:
    """The population of `jobs`, at the point that `path` recorded where it was made by the same jobs.

    Groups that had left the population when it was saved are not in it.
    """
    saved = read_checkpoint(path)
    if saved is not None:
        left = [(candidate, seed) for candidate, seed in saved["state"]["jobs"]]
        kept = [job for job in jobs if (job.candidate_id, job.seed) in left]
        if fingerprint(kept) == saved["fingerprint"]:
            population = Population(task, kept)
            population.load_state_dict(saved["state"])
            return population
    return Population(task, jobs)


def train(work: Work, connection: Connection) -> None:
    """Train one population to the end, sending events and results.

    Raises:
        TaskError: the task's own code raised on a state that it met in training.
        TrainingError: a checkpoint cannot be written.
    """
    task = load_task(work.task, work.task_dirs)
    try:
        _train(task, work, connection)
    except Exception as error:
        path = task.folder / "env.py"
        place = line_in(error, path)
        if not place:
            raise
        raise TaskError(
            f"{path}{place}: {type(error).__name__}: {error} (met in training; mend it and resume the run)"
        ) from error


def _train(task: Task, work: Work, connection: Connection) -> None:
    population = load_checkpoint(work.checkpoint, task, work.jobs)
    saved = time.monotonic()
    while not population.finished:
        for event in population.advance():
            connection.send(event)
        if time.monotonic() - saved > CHECKPOINT_INTERVAL_S and population.jobs:
            save_checkpoint(work.checkpoint, population)
            saved = time.monotonic()
    if population.jobs:
        save_checkpoint(work.checkpoint, population)
        for result in population.results():
            connection.send(result)
    connection.send(Done())


def main() -> None:
    """Serve work until the parent closes the socket."""
    torch.set_num_threads(1)
    connection = Connection(int(sys.argv[1]))
    while True:
        try:
            work = connection.recv()
        except EOFError:
            return
        try:
            train(work, connection)
        except EurekaError as error:
            connection.send(Broken(str(error)))
        except BrokenPipeError:
            return
