"""Checks that a task follows its contract by building it and stepping it once, before a search starts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import mujoco
import torch

from eureka.core.errors import EurekaError, TaskError
from eureka.core.missing import what_failed
from eureka.physics import MujocoC
from eureka.tasks.base import Controls, Reset, Task, state_tensors
from eureka.tasks.metric import Trace
from eureka.tasks.rng import Rng

_NUM_ENVS = 3
T = TypeVar("T")


class _Call(Protocol):
    def __call__(self, name: str, function: Callable[[], T]) -> T:
        """Call a function of the task; its error, with its line, becomes a TaskError."""
        ...


def check_task(task: Task) -> None:
    """Build the model, reset, step once, and check the shape of everything that comes back.

    Raises:
        TaskError: the contract is violated; the message names the function or State field, its value and the expected
            one.
    """
    where = task.folder / "env.py"

    def call(name: str, function: Callable[[], T]) -> T:
        try:
            return function()
        except EurekaError:
            raise
        except Exception as error:
            raise TaskError(f"{where}{line_in(error, where)}: `{name}` {what_failed(error)}") from error

    model = call("extend_model", lambda: task.model)
    if not call("num_actions", lambda: task.num_actions):
        raise TaskError(
            f"{task.folder / 'task.yaml'}: the model `{task.info.model}` has no actuators, so a policy has nothing to "
            "act with: add an <actuator> to it, or actuators in `extend_model`"
        )
    if task.info.randomisation.push and (not model.njnt or model.jnt_type[0] != mujoco.mjtJoint.mjJNT_FREE):
        raise TaskError(f"{task.folder / 'task.yaml'}: `randomisation.push` needs a model whose first joint is free")
    sim = MujocoC(model, _NUM_ENVS, task.info.outputs)
    ones = {name: torch.ones(_NUM_ENVS) for name in task.info.randomisation.factors}
    call("randomisation", lambda: sim.scale_model(torch.arange(_NUM_ENVS), ones))
    rng = Rng.from_seed(0)
    start = call("reset", lambda: task.reset(rng, _NUM_ENVS))
    _carry(where, task, "reset: carry", start.carry)
    _shape(where, "reset: qpos", start.qpos, (_NUM_ENVS, model.nq))
    _shape(where, "reset: qvel", start.qvel, (_NUM_ENVS, model.nv))
    _extras(where, task, start)
    everyone = torch.arange(_NUM_ENVS)
    call("reset: model_fields", lambda: sim.set_model(everyone, start.model_fields))
    sim.reset(everyone, start.qpos, start.qvel, start.act, start.mocap)
    _carry(where, task, "start", call("start", lambda: task.start(sim, rng)))
    action = torch.zeros(_NUM_ENVS, call("num_actions", lambda: task.num_actions))
    controls = call("control", lambda: task.control(sim, start.carry, action))
    if not isinstance(controls, Controls):
        raise TaskError(f"{where}: `control` must give a Controls, not {type(controls).__name__}")
    _shape(where, "control: ctrl", controls.ctrl, (_NUM_ENVS, model.nu))
    if controls.mocap is not None:
        _shape(where, "control: mocap", controls.mocap, (_NUM_ENVS, model.nmocap, 7))
    sim.step(task.info.physics.substeps)
    carry = call("advance", lambda: task.advance(start.carry, sim, action, rng))
    _carry(where, task, "advance", carry)
    _readings(where, task, call("state", lambda: task.read_state(sim, carry, action)), call)


def _readings(where: Path, task: Task, state: Any, call: _Call) -> None:
    """Check the State, and everything computed from it."""
    for spec in task.fields:
        _shape(where, f"State.{spec.name}", state_tensors(state)[spec.name], (_NUM_ENVS, *spec.shape))
    observation = call("observe", lambda: task.observe(state))
    if observation.dim() != 2 or observation.shape[0] != _NUM_ENVS or not observation.shape[1]:
        raise TaskError(f"{where}: `observe` must give (num_envs, obs_dim), gave {tuple(observation.shape)}")
    for name, value in (
        *(
            (f"terminated{f' ({name})' if name else ''}", value)
            for name, value in call("terminated", lambda: task.end_conditions(state)).items()
        ),
        ("metric", call("metric", lambda: task.metric.value(state))),
        ("human_reward", call("human_reward", lambda: task.human_reward(state)[0])),
        ("sparse_reward", call("sparse_reward", lambda: task.sparse_reward(state))),
    ):
        if value is not None:
            _shape(where, name, value, (_NUM_ENVS,))
    reduce = task.metric.reduce
    if callable(reduce):
        trace = Trace(torch.zeros(2, _NUM_ENVS), torch.ones(2, _NUM_ENVS, dtype=torch.bool))
        _shape(where, "metric: reduce", call("metric", lambda: reduce(trace)), (_NUM_ENVS,))


def _extras(where: object, task: Task, start: Reset) -> None:
    """Check the optional parts of a reset besides positions and velocities."""
    if start.act is not None:
        _shape(where, "reset: act", start.act, (_NUM_ENVS, task.model.na))
    if start.mocap is not None:
        _shape(where, "reset: mocap", start.mocap, (_NUM_ENVS, task.model.nmocap, 7))
    both = sorted(start.model_fields.keys() & task.info.randomisation.factors.keys())
    if both:
        raise TaskError(
            f"{where}: `{both[0]}` is set by reset's model_fields and by `randomisation.factors`: choose one"
        )


def _carry(where: object, task: Task, what: str, value: object) -> None:
    wanted = getattr(task, "Carry", None)
    if not isinstance(wanted, type) or not dataclasses.is_dataclass(wanted):
        raise TaskError(
            f"{where}: the task's class needs a frozen dataclass `Carry`, without fields if it keeps nothing"
        )
    if not isinstance(value, wanted):
        raise TaskError(f"{where}: {what} must be a {wanted.__name__}, not {type(value).__name__}")
    for field in dataclasses.fields(wanted):
        rows = getattr(value, field.name)
        if not isinstance(rows, torch.Tensor) or not rows.dim() or len(rows) != _NUM_ENVS:
            got = tuple(rows.shape) if isinstance(rows, torch.Tensor) else type(rows).__name__
            raise TaskError(
                f"{where}: {what}: Carry.{field.name} must be a tensor with num_envs in front; with "
                f"num_envs={_NUM_ENVS} it is {got}"
            )


def _shape(where: object, what: str, value: object, wanted: tuple[int, ...]) -> None:
    if not isinstance(value, torch.Tensor):
        raise TaskError(f"{where}: {what} must be a tensor, not {type(value).__name__}")
    if tuple(value.shape) != wanted:
        shown = ", ".join(["num_envs", *map(str, wanted[1:])])
        raise TaskError(
            f"{where}: {what} must have the shape ({shown}); with num_envs={_NUM_ENVS} it has {tuple(value.shape)}"
        )


def line_in(error: BaseException, path: Path) -> str:
    """`:12` for the deepest line of `path` in the error's traceback, or nothing."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f":{error.lineno}"
    line = ""
    traceback = error.__traceback__
    while traceback:
        if traceback.tb_frame.f_code.co_filename == str(path):
            line = f":{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return line
