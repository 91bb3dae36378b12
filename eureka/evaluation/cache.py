"""Trainings of the baselines, kept from run to run: they depend on nothing that a search finds.

A training is a function of its job and of what its trainer calls its provenance (the environment's files, the trainer's
source, versions of libraries). Both are in the key, so what is found is what would be computed again.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from eureka.core.serialize import DecodeError, dumps, loads
from eureka.core.training import TrainingJob, TrainingResult
from eureka.store.files import write_atomically


class TrainingCache:
    """A folder with a file per training of the task `name`. Deleting any costs time only."""

    def __init__(self, folder: Path, name: str, provenance: str) -> None:
        self._folder, self._name, self._provenance = folder, name, provenance

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
        parts = [self._provenance, job.reward, repr(job.length), repr(sorted(job.options.items())), str(job.seed)]
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
        return self._folder / f"{self._name}_{key}.json"
