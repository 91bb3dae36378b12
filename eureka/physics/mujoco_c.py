"""MuJoCo on CPU threads through `mujoco.batch`: no copies, bit-identical at any thread count."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
import torch
from mujoco.batch import Batch, SimulationError

from eureka.core.errors import PhysicsError
from eureka.core.missing import MissingOutput
from eureka.physics.base import WHERE_FIELDS_ARE_NAMED, Snapshot, wrong_shape

# MuJoCo itself resets a world whose state is not finite or too large, and counts these warnings.
_DIVERGENCE = [
    mujoco.mjtWarning.mjWARN_BADQPOS.value,
    mujoco.mjtWarning.mjWARN_BADQVEL.value,
    mujoco.mjtWarning.mjWARN_BADQACC.value,
]
_COUNT = 1  # mjWarningStat is (lastinfo, number)


@dataclass(frozen=True)
class _OwnField:
    """A model field with a value for every world, (num_envs, ...), and its `original`."""

    values: np.ndarray
    original: np.ndarray


def _keep_log_off() -> None:
    """Keep MuJoCo from writing each divergence to the terminal and to MUJOCO_LOG.TXT in the working directory.

    Diverged worlds are counted and reported by `diverged`. This holds for the process from then on.
    """
    log = mujoco.MjLogConfig.get()
    log.logto_console = log.logto_file = False
    log.set()


class MujocoC:
    """`num_envs` worlds of `model` on `threads` threads.

    Args:
        model: the compiled model, shared by all worlds.
        num_envs: number of worlds.
        outputs: extra MjData fields to bind, such as `cfrc_ext`.
        threads: number of threads that step the worlds, including the caller's.
        sensors: whether sensors are computed, and the derived fields that MuJoCo computes for them.

    Raises:
        PhysicsError: MuJoCo has no such output, or cannot step the model in a batch.
    """

    def __init__(
        self, model: mujoco.MjModel, num_envs: int, outputs: Sequence[str] = (), threads: int = 1, sensors: bool = True
    ) -> None:
        if not sensors:
            model = copy.copy(model)
            model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_SENSOR.value
        self.model = model
        self.num_envs = num_envs
        _keep_log_off()
        try:
            self._batch = Batch(model, nsim=num_envs, nthread=threads)
            self._outputs = {name: self._batch.bind(name) for name in outputs}
        except ValueError as error:
            raise PhysicsError(
                f"MuJoCo on the CPU cannot give what the task asks of it: {error} (check `outputs` in task.yaml)"
            ) from error
        self.qpos = torch.from_numpy(self._batch.bind("qpos"))
        self.qvel = torch.from_numpy(self._batch.bind("qvel"))
        self.ctrl = torch.from_numpy(self._batch.bind("ctrl"))
        self.mocap_pos = torch.from_numpy(self._batch.bind("mocap_pos"))
        self.mocap_quat = torch.from_numpy(self._batch.bind("mocap_quat"))
        self._act = torch.from_numpy(self._batch.bind("act"))
        self._own: dict[str, _OwnField] = {}
        self._warnings = self._divergence_count()
        self._diverged = torch.zeros(num_envs, dtype=torch.bool)

    def _divergence_count(self) -> np.ndarray:
        counts: np.ndarray = self._batch.warning[:, _DIVERGENCE, _COUNT].sum(axis=1)
        return counts

    def output(self, name: str) -> torch.Tensor:
        """An extra output, shape (num_envs, ...), as a copy."""
        if name not in self._outputs:
            raise MissingOutput(name, self._outputs)
        return torch.tensor(self._outputs[name])

    def step(self, substeps: int) -> None:
        try:
            self._batch.step(nstep=substeps)
        except SimulationError as error:
            raise PhysicsError(f"MuJoCo stopped: {error}; see the task's model and time step") from error
        count = self._divergence_count()
        self._diverged = torch.from_numpy(count > self._warnings)
        self._warnings = count

    def reset(
        self,
        env_ids: torch.Tensor,
        qpos: torch.Tensor,
        qvel: torch.Tensor,
        act: torch.Tensor | None = None,
        mocap: torch.Tensor | None = None,
    ) -> None:
        ids = env_ids.numpy()
        self._batch.reset(ids, stage=mujoco.mjtStage.mjSTAGE_NONE.value)
        self.qpos[env_ids] = qpos.to(self.qpos.dtype)
        self.qvel[env_ids] = qvel.to(self.qvel.dtype)
        if act is not None:
            self._act[env_ids] = act.to(self._act.dtype)
        if mocap is not None:
            self.mocap_pos[env_ids] = mocap[..., :3].to(self.mocap_pos.dtype)
            self.mocap_quat[env_ids] = mocap[..., 3:].to(self.mocap_quat.dtype)
        self._batch.forward(ids)
        self._warnings = self._divergence_count()

    def scale_model(self, env_ids: torch.Tensor, factors: Mapping[str, torch.Tensor]) -> None:
        """See `Simulator.scale_model`.

        Raises:
            PhysicsError: MuJoCo has no such model field, or it cannot differ between worlds.
        """
        ids = env_ids.numpy()
        for name, factor in factors.items():
            for field in ("body_mass", "body_inertia") if name == "body_mass" else (name,):
                own = self._own_field(field)
                whole = own.original[None]
                own.values[ids] = whole * factor.double().numpy().reshape(-1, *[1] * (whole.ndim - 1))
        if factors:
            self._batch.set_const(ids)

    def set_model(self, env_ids: torch.Tensor, fields: Mapping[str, torch.Tensor]) -> None:
        """See `Simulator.set_model`.

        Raises:
            PhysicsError: MuJoCo has no such model field, or it cannot differ between worlds.
        """
        ids = env_ids.numpy()
        for name, values in fields.items():
            own = self._own_field(name)
            if values.shape[1:] != own.original.shape:
                raise PhysicsError(wrong_shape(name, values, own.original.shape))
            own.values[ids] = values.double().numpy()
        if fields:
            self._batch.set_const(ids)

    def _own_field(self, name: str) -> _OwnField:
        if name not in self._own:
            try:
                values = self._batch.expand(name)
            except ValueError as error:
                raise PhysicsError(f"{error} ({WHERE_FIELDS_ARE_NAMED})") from error
            if values.dtype.kind != "f":
                raise PhysicsError(f"`{name}` holds whole numbers ({WHERE_FIELDS_ARE_NAMED})")
            self._own[name] = _OwnField(values, values[0].copy())
        return self._own[name]

    def diverged(self) -> torch.Tensor:
        return self._diverged

    def overflows(self) -> int:
        """Always 0: MuJoCo on the CPU allocates memory as needed."""
        return 0

    def select(self, env_ids: torch.Tensor) -> Snapshot:
        ids = env_ids.numpy()
        outputs = {name: torch.tensor(value[ids]) for name, value in self._outputs.items()}
        return Snapshot(self.qpos[env_ids], self.qvel[env_ids], outputs)

    def save(self) -> torch.Tensor:
        return torch.from_numpy(self._batch.state.copy())

    def load(self, state: torch.Tensor) -> None:
        self._batch.state[:] = state.numpy()
