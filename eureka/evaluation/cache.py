"""Trainings of the baselines, kept from run to run: they depend on nothing that a search finds.

A training is a function of its graph, schedule and seed, of the task's files, and of the trainer; all of these are in
the key, so what is found is what would be computed again.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from eureka.core.serialize import DecodeError, dumps, loads
from eureka.core.types import TrainingJob, TrainingResult
from eureka.store.files import write_atomically
from eureka.tasks import Task
from eureka.trainers.population.surroundings import digest, surroundings


class TrainingCache:
    """A folder with a file per training by the engine that `physics` identifies. Deleting any costs time only."""

    def __init__(self, folder: Path, task: Task, physics: str = "c") -> None:
        self._folder = folder
        self._task = task.info.name
        self._surroundings = digest([surroundings(task), physics])

    def get(self, job: TrainingJob) -> TrainingResult | None:
        """The result of the same training, under this job's candidate id."""
        try:
            found = loads(TrainingResult, self._path(job).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, DecodeError):
            return None
        return replace(found, candidate_id=job.candidate_id)

    def put(self, job: TrainingJob, result: TrainingResult) -> None:
        """Keep a result. Where the folder cannot be written, the next run trains again."""
        with suppress(OSError):
            write_atomically(self._path(job), dumps(result).encode())

    def _path(self, job: TrainingJob) -> Path:
        key = digest([self._surroundings, job.graph, repr(job.schedule), str(job.seed)])
        return self._folder / f"{self._task}_{key}.json"
