"""What the pool has a training worker do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from eureka.trainers.population.checkpoints import Key, key_of
from eureka.trainers.population.group import GroupJob


@dataclass(frozen=True)
class Work:
    """One population to train; its state is kept in `checkpoint`, and continued from there where that is its own.

    `starts` are the files of trainings of the same jobs that are carried on otherwise, one for each job in the same
    order; none where the jobs are new. `threads` step its worlds where the engine runs on cores; a device needs none.
    `apart` names the worker's death after which its groups are trained one by one; None: they are in company.
    """

    jobs: tuple[GroupJob, ...]
    checkpoint: Path
    starts: tuple[Path, ...] = ()
    threads: int = 1
    apart: int | None = None

    def without(self, finished: Collection[Key]) -> Work:
        """What is left of it when these groups have ended."""
        left = [index for index, job in enumerate(self.jobs) if key_of(job) not in finished]
        starts = tuple(self.starts[index] for index in left) if self.starts else ()
        return replace(self, jobs=tuple(self.jobs[index] for index in left), starts=starts)
