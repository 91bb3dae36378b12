"""Distributes trainings over workers, and finds the files from which they are continued."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from eureka.trainers.population.checkpoints import fingerprint, key_of, read_header, read_state
from eureka.trainers.population.continuing import longest_start
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.population import population_key
from eureka.trainers.population.work import Work


def checkpoint_path(folder: Path, jobs: Sequence[GroupJob]) -> Path:
    """The path of the checkpoint of a population of these jobs."""
    return folder / f"{fingerprint(jobs)}.pt"


def deal(folder: Path, jobs: Sequence[GroupJob], num_workers: int, num_groups: int | None) -> list[Work]:
    """Split the jobs: those with a common checkpoint in `folder` stay together, the rest is distributed over the
    workers.

    Checkpoints of other jobs are removed.

    Args:
        num_groups: number of groups that fit into memory at a time; None: no limit.
    """
    pending = {key_of(job): job for job in jobs}
    populations = []
    for path in folder.glob("*.partial"):
        with suppress(OSError):
            path.unlink()
    for path in sorted(folder.glob("*.pt")):
        kept = read_header(path)
        together = [pending[key] for key in kept.keys if key in pending] if kept else []
        if kept and together and len(together) == len(kept.keys) and fingerprint(together) == kept.fingerprint:
            populations.append(Work(tuple(pending.pop(key) for key in kept.keys), path))
        else:
            with suppress(OSError):
                path.unlink()
    buckets: dict[tuple[Schedule, int, bool], list[GroupJob]] = {}
    for job in pending.values():
        done, _ = longest_start(folder, job)
        buckets.setdefault((population_key(job.schedule), done, job.init is None), []).append(job)
    for bucket in buckets.values():
        for share in _shares(bucket, num_workers, num_groups):
            starts = [path for _, path in (longest_start(folder, job) for job in share) if path]
            whole = tuple(starts) if len(starts) == len(share) else ()
            populations.append(Work(tuple(share), checkpoint_path(folder, share), whole))
    return populations


def _shares(jobs: Sequence[GroupJob], num_workers: int, num_groups: int | None) -> list[Sequence[GroupJob]]:
    """The jobs for each worker, in parts that it trains one after another."""
    count = min(num_workers, len(jobs))
    dealt = [jobs[index::count] for index in range(count)]
    most = len(jobs) if num_groups is None else max(num_groups // num_workers, 1)
    rounds = range(0, len(dealt[0]), most)
    return [share[first : first + most] for first in rounds for share in dealt if len(share) > first]


def stored_states(work: Work) -> tuple[list[bytes], tuple[tuple[int, int], ...]]:
    """The states that a population is continued from, and for each job the state and its place in it.

    They come from the population's own checkpoint, else from its `starts`; empty if it is new, or if one of them is
    invalid.
    """
    own = read_header(work.checkpoint)
    keys = [key_of(job) for job in work.jobs]
    paths = (work.checkpoint,) * len(keys) if own and set(own.keys) >= set(keys) else work.starts
    files = list(dict.fromkeys(paths))
    headers, states = [read_header(path) for path in files], [read_state(path) for path in files]
    carried = []
    for key, path in zip(keys, paths, strict=False):
        header = headers[files.index(path)]
        if header is None or (len(header.keys) > 1 and key not in header.keys):
            return [], ()
        # A training of another candidate with the same reward and seed can be reused for this one.
        carried.append((files.index(path), header.keys.index(key) if key in header.keys else 0))
    read = [state for state in states if state is not None]
    return (read, tuple(carried)) if len(read) == len(files) else ([], ())
