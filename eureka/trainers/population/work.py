"""The unit of work that the pool gives to a training worker."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from eureka.trainers.population.checkpoints import Key, key_of
from eureka.trainers.population.group import GroupJob


@dataclass(frozen=True)
class Work:
    """One population to train; its state is written to `checkpoint`, and continued from there if that belongs to the
    same jobs.

    `starts` are files of shorter trainings of the same jobs to continue otherwise, one per job in the same order; empty
    if the jobs are new. `threads` is the number of physics threads on the CPU. `apart` identifies the worker's death
    after which its groups are trained one by one; None: they are trained together.
    """

    jobs: tuple[GroupJob, ...]
    checkpoint: Path
    starts: tuple[Path, ...] = ()
    threads: int = 1
    apart: int | None = None

    def without(self, finished: Collection[Key]) -> Work:
        """The remaining work when these groups have ended."""
        left = [index for index, job in enumerate(self.jobs) if key_of(job) not in finished]
        starts = tuple(self.starts[index] for index in left) if self.starts else ()
        return replace(self, jobs=tuple(self.jobs[index] for index in left), starts=starts)
