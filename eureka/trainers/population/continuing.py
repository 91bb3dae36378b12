"""Continuation of finished trainings: a longer training of the same job continues bit for bit where a shorter one
ended.

So a race can train a candidate briefly first and further later, at the cost of one long training.
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
    """A key of a training without its length and evaluations: jobs with the same key are parts of one training."""
    schedule = replace(job.schedule, steps=0, checkpoints=0, eval_episodes=0, ends_after=None)
    return hashlib.sha256(repr((job.graph, job.seed, schedule, job.init)).encode()).hexdigest()[:20]


def group_state(state: dict[str, Any], group: int) -> dict[str, Any]:
    """One group's part of `Population.state_dict()`, as the state of a population with one group."""
    return {
        **state,
        "jobs": state["jobs"][group : group + 1],
        "groups": {key: value[group : group + 1].clone() for key, value in state["groups"].items()},
        "records": state["records"][group : group + 1],
    }


def joined_state(states: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The state of one population made of several groups that have had the same number of updates."""
    first = states[0]
    return {
        **first,
        "jobs": [job for state in states for job in state["jobs"]],
        "wall_s": max(state["wall_s"] for state in states),
        "groups": {key: torch.cat([state["groups"][key] for state in states]) for key in first["groups"]},
        "records": [record for state in states for record in state["records"]],
    }


def trained_path(folder: Path, job: GroupJob, updates: int) -> Path:
    """The path of the state of a job's training after so many updates."""
    return folder / _FOLDER / f"{training_key(job)}-{updates}.pt"


def forget_trainings(folder: Path) -> None:
    """Delete the states from which trainings could be continued: many megabytes that are not needed after a search."""
    shutil.rmtree(folder / _FOLDER, ignore_errors=True)


def longest_start(folder: Path, job: GroupJob) -> tuple[int, Path | None]:
    """The longest stored training of `job` in `folder` that is not longer than requested: its updates and file, or (0,
    None).
    """
    best: tuple[int, Path | None] = (0, None)
    for path in (folder / _FOLDER).glob(f"{training_key(job)}-*.pt"):
        number = path.stem.rpartition("-")[2]
        if number.isdecimal() and best[0] < int(number) <= job.schedule.num_updates:
            best = (int(number), path)
    return best
