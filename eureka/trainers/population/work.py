"""What a training worker is given to do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from eureka.trainers.population.group import GroupJob


@dataclass(frozen=True)
class Work:
    """One population to train; continued from `checkpoint` where that file is there and belongs to these jobs.

    `starts` are the files of shorter trainings of the same jobs, in the same order, that are carried on; none where
    the jobs are new. The states in which they end are left beside `checkpoint`. `threads` step its worlds where the
    engine runs on cores; a device needs none.
    """

    task: str
    task_dirs: tuple[Path, ...]
    jobs: tuple[GroupJob, ...]
    checkpoint: Path
    starts: tuple[Path, ...] = ()
    threads: int = 1

    def without(self, finished: Collection[tuple[str, int]]) -> Work:
        """What is left of it when the jobs with these (candidate id, seed) have ended."""
        left = [index for index, job in enumerate(self.jobs) if (job.candidate_id, job.seed) not in finished]
        starts = tuple(self.starts[index] for index in left) if self.starts else ()
        return replace(self, jobs=tuple(self.jobs[index] for index in left), starts=starts)
