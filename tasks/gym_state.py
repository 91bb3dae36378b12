"""A task's State, read from a running Gymnasium environment."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from eureka.core.errors import TaskError
from eureka.core.missing import what_failed
from eureka.physics import Snapshot
from eureka.tasks.rng import Rng

if TYPE_CHECKING:
    from eureka.tasks.base import Task

CarryReader = Callable[[Any], Any]
"""Reads one field of a Carry from the given environment."""


class GymState:
    """Follows one Gymnasium MuJoCo environment and returns the task's State after each of its steps.

        reader = task.state_from_gym(env)
        env.reset(seed=0)
        reader.reset()
        env.step(action)
        state = reader.step(action)        # fields of shape (1, ...)

    It reads `qpos`, `qvel`, `ctrl` and the task's outputs from `env.unwrapped.data` and keeps the task's carry.

    Args:
        carry: where the environment keeps what the task draws at random, such as a target or a command: for fields of
            the Carry a function of `env`, which gives the value without the leading dimension of environments. It is
            asked after every reset and step: `{"target": lambda env: env.unwrapped.goal}`.

    Raises:
        TaskError: the environment has no MuJoCo data, another body than the task, or another control step; or the task
            draws random numbers for a field that `carry` does not read, which would be others than the environment's.
    """

    def __init__(self, task: Task, env: Any, carry: Mapping[str, CarryReader] = MappingProxyType({})) -> None:
        base = env.unwrapped
        if not hasattr(base, "data") or not hasattr(base, "model"):
            raise TaskError(f"task `{task.info.name}` reads its State from MuJoCo data, which {base} does not have")
        if (base.model.nq, base.model.nv, base.model.nu) != (task.model.nq, task.model.nv, task.model.nu):
            raise TaskError(
                f"{base} has another body than task `{task.info.name}`: their qpos, qvel or ctrl differ in size"
            )
        self._task = task
        self._env = base
        self._given = env
        self._carry_readers = dict(carry)
        known = [field.name for field in dataclasses.fields(task.Carry)]
        for name, reader in carry.items():
            if not callable(reader):
                raise TaskError(
                    f"carry: `{name}` must be a function of the environment, such as `lambda env: env.unwrapped.goal`, "
                    f"and is {reader!r}"
                )
            if name not in known:
                raise TaskError(
                    f"carry: `{name}` is no field of the Carry of task `{task.info.name}`, which has "
                    f"{', '.join(known) or 'none'}"
                )
        if not np.isclose(base.dt, task.control_timestep_s):
            raise TaskError(
                f"{base} has a control step of {base.dt} s, not the {task.control_timestep_s} s of `{task.info.name}`; "
                "set the environment's frame_skip"
            )
        low, high = base.model.actuator_ctrlrange.T
        self._middle, self._half_range = (high + low) / 2, (high - low) / 2
        sim = self._snapshot()
        # Not read yet: before its first reset, an environment may have no target.
        self._carry = self._checked("start", lambda rng: self._task.start(sim, rng))

    def reset(self) -> Any:
        """Call after `env.reset`: starts the episode's carry, and gives the State of the start."""
        sim = self._snapshot()
        self._carry = self._read("start", lambda rng: self._task.start(sim, rng))
        return self._state(sim, torch.zeros(1, self._task.num_actions))

    def step(self, action: np.ndarray) -> Any:
        """Call after `env.step(action)`: the State that a reward of that step reads, before any automatic reset.

        The State's action is the control that reached the engine, whatever wrappers made of `action` on the way; where
        the task's actions are no controls (see `Task.control`), it is `action` itself, within -1 and 1.
        """
        if self._task.has_own_control:
            taken = torch.as_tensor(np.asarray(action, dtype=np.float32))
        else:
            taken = torch.from_numpy((self._env.data.ctrl - self._middle) / self._half_range).float()
        scaled = taken[None].clamp(-1, 1)
        sim, before = self._snapshot(), self._carry
        self._carry = self._read("advance", lambda rng: self._task.advance(before, sim, scaled, rng))
        return self._state(sim, scaled)

    def _state(self, sim: Snapshot, action: torch.Tensor) -> Any:
        with self._failures_of("state"):
            return self._task.read_state(sim, self._carry, action)

    def _read(self, what: str, make: Callable[[Rng], Any]) -> Any:
        """The carry returned by `make`, with the fields that are read from the environment."""
        carry = self._checked(what, make)
        read = {name: self._as_rows(name, reader, getattr(carry, name)) for name, reader in self._carry_readers.items()}
        return dataclasses.replace(carry, **read)

    def _checked(self, what: str, make: Callable[[Rng], Any]) -> Any:
        """The carry returned by `make`.

        Raises:
            TaskError: a field that is not read depends on the random numbers.
        """
        rng = _CountingRng([torch.Generator().manual_seed(0)])
        with self._failures_of(what):
            carry = make(rng)
            if not rng.draws:
                return carry
            other = make(Rng.from_seed(1))
        names = [field.name for field in dataclasses.fields(carry) if field.name not in self._carry_readers]
        drawn = [name for name in names if not torch.equal(getattr(carry, name), getattr(other, name))]
        if drawn:
            raise TaskError(
                f"task `{self._task.info.name}` draws {_listed(drawn)} of its Carry at random (in `{what}`), and "
                f"{self._env} has values of its own: say where it keeps them, with "
                f'carry={{"{drawn[0]}": lambda env: env.unwrapped.NAME}} for the wrapper, or in the task\'s '
                "`state_from_gym` (docs/drop-in.md)"
            )
        return carry

    def _as_rows(self, name: str, reader: CarryReader, like: torch.Tensor) -> torch.Tensor:
        where = f"carry: the function for `{name}` of task `{self._task.info.name}`"
        try:
            value = reader(self._given)
        except (AttributeError, LookupError) as error:
            raise TaskError(f"{where} {what_failed(error)}; say where {self._env} keeps it") from error
        try:
            rows = torch.as_tensor(np.asarray(value)).to(like.dtype)[None]
        except (TypeError, ValueError) as error:
            raise TaskError(f"{where} gave {value!r:.80} for {self._env}, and numbers are needed") from error
        if rows.shape != like.shape:
            raise TaskError(
                f"{where} must give the shape {tuple(like.shape[1:])}, and gave {tuple(rows.shape[1:])} for {self._env}"
            )
        return rows

    @contextmanager
    def _failures_of(self, what: str) -> Iterator[None]:
        """What the task's function `what` asks for, and the environment does not have, as a TaskError."""
        try:
            yield
        except (AttributeError, LookupError) as error:
            raise TaskError(
                f"task `{self._task.info.name}`: `{what}` {what_failed(error)}; of {self._env} it can read qpos, qvel "
                "and the task's outputs"
            ) from error

    def _snapshot(self) -> Snapshot:
        data = self._env.data
        with self._failures_of("outputs"):
            outputs = {name: torch.tensor(getattr(data, name))[None] for name in self._task.info.outputs}
        return Snapshot(torch.tensor(data.qpos)[None], torch.tensor(data.qvel)[None], outputs)


class _CountingRng(Rng):
    """Counts how often its generators are used, by its own methods or by a task itself."""

    draws = 0

    @property
    def generators(self) -> list[torch.Generator]:
        self.draws += 1
        return self._counted

    @generators.setter
    def generators(self, generators: Sequence[torch.Generator]) -> None:
        self._counted = list(generators)


def _listed(names: Sequence[str]) -> str:
    """`a`, `b`."""
    return ", ".join(f"`{name}`" for name in names)
