"""Training with fewer environments on a device that has too little memory for a population."""

from __future__ import annotations

import gc
from collections.abc import Collection, Sequence
from dataclasses import replace

import torch

from eureka.core.errors import TrainingError
from eureka.trainers.population.checkpoints import Key, key_of
from eureka.trainers.population.group import GroupJob


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch or Warp could not allocate memory on a device."""
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "Failed to allocate" in str(error)
    )


def halved(jobs: Sequence[GroupJob], device: str, finished: Collection[Key]) -> tuple[GroupJob, ...]:
    """The jobs without those `finished`, with half the environments per group, to be trained from the start.

    The number of control steps stays the same, since results of another length could not be compared.

    Raises:
        TrainingError: there is only one environment per group.
    """
    left = [job for job in jobs if key_of(job) not in finished]
    worlds = left[0].schedule.num_envs // 2
    if worlds == 0:
        raise TrainingError(
            f"{device} has no memory for {len(left)} trainings with one world each: train fewer at a time "
            "(search.samples=, train.seeds=)"
        )
    wholes = (replace(job.schedule, ends_after=None).trained_steps for job in left)
    schedules = (replace(j.schedule, num_envs=worlds, steps=n) for j, n in zip(left, wholes, strict=True))
    return tuple(replace(job, schedule=smaller) for job, smaller in zip(left, schedules, strict=True))


def release() -> None:
    """Release the memory that torch still holds for a deleted population."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
