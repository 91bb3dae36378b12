"""Which parts of a task's State a training reads: derived quantities that are not read need not be simulated.

For example, Ant's contact forces take a seventh of its physics time, and few rewards read them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch

from eureka.physics import OF_SENSORS, MujocoC, Snapshot
from eureka.tasks import Rng, Task
from eureka.tasks.base import state_tensors

_NUM_ENVS = 2


def reads_outputs(task: Task, fields: Collection[str]) -> bool:
    """Whether training on `task` with rewards that read the State's `fields` depends on values that only sensors
    compute.

    This includes what the task's own functions read: `observe`, `terminated`, the metric and the carry.
    """
    if OF_SENSORS.isdisjoint(task.info.outputs):
        return False
    rng = Rng.from_seed(0)
    start = task.reset(rng, _NUM_ENVS)
    sim = MujocoC(task.model, _NUM_ENVS, task.info.outputs)
    sim.reset(torch.arange(_NUM_ENVS), start.qpos, start.qvel)
    known = {name: sim.output(name) for name in task.info.outputs}
    outputs = {name: value * torch.nan if name in OF_SENSORS else value for name, value in known.items()}
    unknown = Snapshot(sim.qpos, sim.qvel, outputs)
    action = torch.zeros(_NUM_ENVS, task.num_actions)
    carry = task.advance(start.carry, unknown, action, rng)
    if any(bool(value.isnan().any()) for value in state_tensors(carry).values()):
        return True
    state = task.state(unknown, carry, action)
    names = set(fields)
    watched = _watched(state, names)
    task.observe(watched)
    task.is_over(watched)
    task.metric.value(watched)
    dependent = {name for name, value in state_tensors(state).items() if bool(value.isnan().any())}
    return not dependent.isdisjoint(names)


def observes_outputs(task: Task) -> bool:
    """Whether policies observe any of the task's outputs, so that they must be computed for the first observation of an
    episode.

    Rewards do not need this, since they read the State after a step.
    """
    rng = Rng.from_seed(0)
    start = task.reset(rng, _NUM_ENVS)
    sim = MujocoC(task.model, _NUM_ENVS, task.info.outputs)
    unknown = {name: sim.output(name) * torch.nan for name in task.info.outputs}
    action = torch.zeros(_NUM_ENVS, task.num_actions)
    state = task.read_state(Snapshot(start.qpos, start.qvel, unknown), start.carry, action)
    return bool(task.observe(state).isnan().any())


def _watched(state: Any, names: set[str]) -> Any:
    """A proxy of `state` that adds the fields read to `names`."""

    class Watched(type(state)):  # type: ignore[misc]
        def __getattribute__(self, name: str) -> Any:
            names.add(name)
            return super().__getattribute__(name)

    return Watched(**state_tensors(state))
