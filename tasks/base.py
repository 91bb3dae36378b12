"""The contract of a task: batched torch on whatever device, pure functions of tensors.

One control step of the trainer:

    controls = task.control(simulator, carry, action)    what the action does, by default the scaled action itself
    simulator.step(substeps)
    carry = task.advance(carry, simulator, action, rng)
    state = task.state(simulator, carry, action)          what a reward may read, before any reset
    observation = task.observe(state)                     what the policy sees
    done = task.is_over(state)                            where one of `task.terminated` holds

`carry` is the episode's memory (previous position, commands, ...). After a reset it comes from `reset` (or, where
somebody else chose the state, from `start`), and the first observation from `state(simulator, carry, zero action)`.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import mujoco
import torch

from eureka.core.errors import TaskError
from eureka.core.types import FieldSpec, TaskSpec
from eureka.physics import WorldStates
from eureka.tasks.gym_state import GymState
from eureka.tasks.info import TaskInfo
from eureka.tasks.metric import Metric
from eureka.tasks.models import find_model
from eureka.tasks.on_device import OnDevice
from eureka.tasks.rng import Rng
from eureka.tasks.source import shown_source
from eureka.tasks.terminations import Terminated, any_of, conditions
from eureka.tasks.urdf import read_urdf

_DTYPES = {"float32": torch.float32, "bool": torch.bool, "int64": torch.int64}
_INTEGRATORS = {
    "euler": mujoco.mjtIntegrator.mjINT_EULER,
    "rk4": mujoco.mjtIntegrator.mjINT_RK4,
    "implicit": mujoco.mjtIntegrator.mjINT_IMPLICIT,
    "implicitfast": mujoco.mjtIntegrator.mjINT_IMPLICITFAST,
}
_SOLVERS = {
    "pgs": mujoco.mjtSolver.mjSOL_PGS,
    "cg": mujoco.mjtSolver.mjSOL_CG,
    "newton": mujoco.mjtSolver.mjSOL_NEWTON,
}


def state_field(
    shape: tuple[int, ...],
    unit: str,
    frame: str,
    description: str,
    dtype: Literal["float32", "bool", "int64"] = "float32",
) -> Any:
    """A field of a State with its documentation. `shape` excludes `num_envs`; a pure number has the unit "1"."""
    return dataclasses.field(
        metadata={"spec": {"shape": shape, "dtype": dtype, "unit": unit, "frame": frame, "description": description}}
    )


@dataclass(frozen=True)
class NoCarry:
    """The carry of tasks that remember nothing between steps."""


@dataclass(frozen=True)
class Reset:
    """Start states of n episodes: `qpos` (n, nq), `qvel` (n, nv) and the carry that belongs to them.

    If given, `act` (n, na) holds the actuators' activations, else 0; `mocap` (n, nmocap, 7) positions and quaternions
    of the mocap bodies, else the model's own; and `model_fields` values of MjModel fields by name for these episodes
    alone, (n, ...) with the field's own shape, such as a door's place or an object's mass.
    """

    qpos: torch.Tensor
    qvel: torch.Tensor
    carry: Any = NoCarry()
    act: torch.Tensor | None = None
    mocap: torch.Tensor | None = None
    model_fields: Mapping[str, torch.Tensor] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Controls:
    """The simulator's inputs in one control step, derived from an action.

    `ctrl` (num_envs, nu) in the actuators' own units; `mocap`, where mocap bodies are driven, their positions and
    quaternions, (num_envs, nmocap, 7).
    """

    ctrl: torch.Tensor
    mocap: torch.Tensor | None = None


class Task(ABC):
    """Base of every task's one class; see the module's docstring for the order of calls.

    `Carry` and `State` are frozen dataclasses of tensors with a leading `num_envs`; every field of State is made by
    `state_field`. A task without a `Carry` remembers nothing between steps, and needs no `start` and `advance`.
    `action` has shape (num_envs, num_actions) in [-1, 1]; see `control` for its effect.
    """

    Carry: ClassVar[type[Any]] = NoCarry
    State: ClassVar[type[Any]]

    def __init__(self, info: TaskInfo, folder: Path) -> None:
        self.info = info
        self.folder = folder
        self.fields = self._state_fields()
        self._conditions = conditions(type(self))

    # ---- what a task defines -------------------------------------------------------------------------------------

    @abstractmethod
    def reset(self, rng: Rng, num: int) -> Reset:
        """Start states of `num` new episodes."""

    def start(self, sim: WorldStates, rng: Rng) -> Any:
        """The carry of episodes that start in the given states, for states not made by `reset`."""
        del sim, rng
        return self.Carry()

    def advance(self, carry: Any, sim: WorldStates, action: torch.Tensor, rng: Rng) -> Any:
        """The carry after a control step; may resample commands and targets."""
        del sim, action, rng
        return carry

    @abstractmethod
    def state(self, sim: WorldStates, carry: Any, action: torch.Tensor) -> Any:
        """The State that a reward may read, after the step and before any reset."""

    @abstractmethod
    def observe(self, state: Any) -> torch.Tensor:
        """The policy's observation, shape (num_envs, obs_dim)."""

    @abstractmethod
    def terminated(self, state: Any) -> Terminated:
        """Whether episodes terminate (not by the time limit), shape (num_envs,) bool, or several such by name of the
        condition, such as `{"fell over": height < 0.2}`.
        """

    @property
    @abstractmethod
    def metric(self) -> Metric:
        """The task metric F."""

    @abstractmethod
    def human_reward(self, state: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The published human-written reward: total (num_envs,) and its components. A baseline, never in a prompt."""

    def sparse_reward(self, state: Any) -> torch.Tensor | None:
        """The metric as a reward, shape (num_envs,); None if the task has none."""
        del state
        return None

    @property
    def num_actions(self) -> int:
        """The size of an action: one number per actuator, unless the task has its own `control`."""
        return int(self.model.nu)

    def control(self, sim: WorldStates, carry: Any, action: torch.Tensor) -> Controls:
        """The simulator's inputs for an action (num_envs, num_actions) in [-1, 1]; by default scaled to the control
        ranges.
        """
        del sim, carry
        middle, half_range = self._control_ranges.on(action.device)
        return Controls(middle + half_range * action)

    def extend_model(self, spec: mujoco.MjSpec) -> None:
        """Change the loaded model before it is compiled: add sites, sensors, actuators. The default changes nothing."""
        del spec

    # ---- what every task has -------------------------------------------------------------------------------------

    @property
    def control_timestep_s(self) -> float:
        """Seconds of one control step."""
        return self.info.physics.timestep_s * self.info.physics.substeps

    @cached_property
    def model(self) -> mujoco.MjModel:
        """The task's model, compiled with its integrator and time step.

        Raises:
            TaskError: the file is missing or does not compile.
        """
        spec = self.model_spec()
        try:
            return spec.compile()
        except ValueError as error:
            raise self._cannot_compile(error) from error

    @cached_property
    def _control_ranges(self) -> OnDevice:
        low, high = torch.from_numpy(self.model.actuator_ctrlrange).float().T
        return OnDevice(torch.stack([(high + low) / 2, (high - low) / 2]))

    @property
    def has_own_control(self) -> bool:
        """Whether actions have another meaning than scaled `ctrl`."""
        return type(self).control is not Task.control

    def model_spec(self) -> mujoco.MjSpec:
        """The task's model before it is compiled, with its integrator and time step.

        Raises:
            TaskError: the file is missing or cannot be read.
        """
        path = self._model_path()
        try:
            spec = read_urdf(path) if path.suffix == ".urdf" else mujoco.MjSpec.from_file(str(path))
            self.extend_model(spec)
        except ValueError as error:
            raise self._cannot_compile(error) from error
        physics = self.info.physics
        spec.option.timestep = physics.timestep_s
        spec.option.integrator = _INTEGRATORS[physics.integrator]
        if physics.solver is not None:
            spec.option.solver = _SOLVERS[physics.solver]
        return spec

    def _cannot_compile(self, error: ValueError) -> TaskError:
        return TaskError(f"{self._model_path()}: MuJoCo cannot compile the model: {' '.join(str(error).split())}")

    def _model_path(self) -> Path:
        return find_model(self.info.model, self.folder)

    def read_state(self, sim: WorldStates, carry: Any, action: torch.Tensor) -> Any:
        """The result of `state` with every field in its declared dtype: physics on the CPU is float64, rewards read
        float32.
        """
        state = self.state(sim, carry, action)
        changed = {spec.name: getattr(state, spec.name).to(_DTYPES[spec.dtype]) for spec in self.fields}
        return type(state)(**changed)

    def is_over(self, state: Any) -> torch.Tensor:
        """Whether `terminated` ends an episode here, by any condition, shape (num_envs,) bool."""
        return any_of(self.terminated(state))

    def end_conditions(self, state: Any) -> Mapping[str, torch.Tensor]:
        """The conditions of `terminated`, (num_envs,) bool each, by name; the empty text for an unnamed one."""
        return self._conditions(self, state)

    def state_from_gym(self, env: Any) -> GymState:
        """Read this task's State from a running Gymnasium environment with the same MuJoCo body; see `GymState`.

        Override it if the task's random quantities are stored elsewhere in the environment: `return GymState(self, env,
        carry={"target": lambda env: env.unwrapped.goal})`.
        """
        return GymState(self, env)

    @property
    def spec(self) -> TaskSpec:
        """The task's specification, independent of MuJoCo."""
        return TaskSpec(
            name=self.info.name,
            sentence=self.info.description,
            fields=self.fields,
            source=self.shown_source,
            control_step_s=self.control_timestep_s,
            episode_steps=self.info.max_episode_steps,
            metric=self.metric.as_told if self.info.has_metric else None,
        )

    @property
    def shown_source(self) -> str:
        """The source shown to a model: `reset`, `control`, `advance`, `state`, `observe`, `terminated` and everything
        they use; never the metric or the human reward.
        """
        return shown_source(type(self))

    def _state_fields(self) -> tuple[FieldSpec, ...]:
        specs = []
        for field in dataclasses.fields(self.State):
            if "spec" not in field.metadata:
                raise TaskError(f"{self.folder / 'env.py'}: State.{field.name} must be made by state_field(...)")
            specs.append(FieldSpec(name=field.name, **field.metadata["spec"]))
        return tuple(specs)


def state_tensors(state: Any) -> dict[str, torch.Tensor]:
    """The fields of a State by name."""
    return {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}


def own_memory(carry: Any, sim: WorldStates) -> Any:
    """`carry` with views of the engine's memory, such as `sim.qpos`, replaced by copies, since the next step overwrites
    them.
    """
    engines = {value.untyped_storage().data_ptr() for value in (sim.qpos, sim.qvel)}
    views = {
        name: value.clone()
        for name, value in state_tensors(carry).items()
        if value.untyped_storage().data_ptr() in engines
    }
    return dataclasses.replace(carry, **views) if views else carry


def replace_rows(carry: Any, env_ids: torch.Tensor, new: Any) -> Any:
    """`carry` with the rows `env_ids` taken from `new`; out of place."""
    return type(carry)(
        **{
            field.name: getattr(carry, field.name).index_copy(
                0, env_ids, getattr(new, field.name).to(getattr(carry, field.name).dtype)
            )
            for field in dataclasses.fields(carry)
        }
    )
