"""States of tasks with fields of one's choice."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from shipped_tasks import skip_without_model

from eureka.tasks import Task, load_task
from eureka.trainers.population.worlds import Worlds


def one_state(name: str, **changed: Any) -> tuple[Task, Any]:
    """A task, and the State of one world at its start with some fields changed."""
    skip_without_model(name)
    task = load_task(name)
    worlds = Worlds(task, [torch.Generator().manual_seed(0)], 1, desynchronise=False)
    state = task.read_state(worlds.sim, worlds.carry, torch.zeros(1, task.num_actions))
    return task, dataclasses.replace(state, **{key: torch.tensor([value]) for key, value in changed.items()})
