"""A cache of the baselines' trainings, which are the same for all searches.

A training is a function of its job and of its trainer's provenance (the environment's files, the trainer's source,
versions of libraries). Both are in the key, so a cached result equals a new one.
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
    """A folder with one file per training of the task `name`. Files may be deleted at any time."""

    def __init__(self, folder: Path, name: str, provenance: str) -> None:
        self._folder, self._name, self._provenance = folder, name, provenance

    def get(self, job: TrainingJob) -> TrainingResult | None:
        """The cached result of the same training, under this job's candidate id; None if there is none."""
        try:
            found = loads(TrainingResult, self._path(job).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, DecodeError):
            return None
        return replace(found, candidate_id=job.candidate_id)

    def put(self, job: TrainingJob, result: TrainingResult) -> None:
        """Store a result. If the folder cannot be written, the next run trains again."""
        with suppress(OSError):
            write_atomically(self._path(job), dumps(result).encode())

    def _path(self, job: TrainingJob) -> Path:
        parts = [self._provenance, job.reward, repr(job.length), repr(sorted(job.options.items())), str(job.seed)]
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
        return self._folder / f"{self._name}_{key}.json"
