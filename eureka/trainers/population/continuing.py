"""Trainings that were ended can be carried on: more steps of the same job continue where fewer ended, bit for bit.

So a race can give a candidate a short training first and more of it later, at the price of one long training.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from eureka.trainers.population.group import GroupJob

_FOLDER = "trained"


def training_key(job: GroupJob) -> str:
    """What a training is but for its length and its evaluations: jobs with the same key are one training."""
    schedule = replace(job.schedule, steps=0, checkpoints=0, eval_episodes=0, ends_after=None)
    return hashlib.sha256(repr((job.graph, job.seed, schedule, job.init)).encode()).hexdigest()[:20]


def group_state(state: dict[str, Any], group: int) -> dict[str, Any]:
    """One group's part of `Population.state_dict()`, as the state of a population of one."""
    return {
        **state,
        "jobs": state["jobs"][group : group + 1],
        "groups": {key: value[group : group + 1].clone() for key, value in state["groups"].items()},
        "records": state["records"][group : group + 1],
    }


def joined_state(states: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The state of one population of several groups that have made equally many updates."""
    first = states[0]
    return {
        **first,
        "jobs": [job for state in states for job in state["jobs"]],
        "wall_s": max(state["wall_s"] for state in states),
        "groups": {key: torch.cat([state["groups"][key] for state in states]) for key in first["groups"]},
        "records": [record for state in states for record in state["records"]],
    }


def trained_path(folder: Path, job: GroupJob, updates: int) -> Path:
    """The file of a job's training after so many updates."""
    return folder / _FOLDER / f"{training_key(job)}-{updates}.pt"


def forget_trainings(folder: Path) -> None:
    """Remove what trainings could be carried on from: many megabytes that nothing reads once a search is over."""
    shutil.rmtree(folder / _FOLDER, ignore_errors=True)


def longest_start(folder: Path, job: GroupJob) -> tuple[int, Path | None]:
    """The most updates of `job` that lie in `folder`, but no more than it asks for, and their file; or (0, None)."""
    best: tuple[int, Path | None] = (0, None)
    for path in (folder / _FOLDER).glob(f"{training_key(job)}-*.pt"):
        number = path.stem.rpartition("-")[2]
        if number.isdecimal() and best[0] < int(number) <= job.schedule.num_updates:
            best = (int(number), path)
    return best
