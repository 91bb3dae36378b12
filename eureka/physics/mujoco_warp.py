"""MuJoCo Warp: the worlds in the memory of a CUDA device, or of the CPU to compare the engines without one.

MuJoCo's work in a control step is captured once as a graph and replayed. Tensors are views of Warp's memory; the
masked methods of `DeviceSimulator` wait for nothing. Positions and velocities are float32.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import mujoco
import mujoco_warp as mjw
import numpy as np
import torch
import warp as wp

from eureka.core.errors import PhysicsError
from eureka.core.missing import MissingOutput
from eureka.physics.base import OF_SENSORS, Snapshot
from eureka.physics.capacity import capacity
from eureka.physics.device_graphs import launch, recording
from eureka.physics.warp_fields import OwnFields, bind
from eureka.physics.warp_kernels import find_diverged, put_worlds

wp.config.log_level = wp.LOG_ERROR

# Beyond this, MuJoCo considers a state unstable (mjMAXVAL).
_TOO_LARGE = 1e10
# Contacts dropped for lack of memory make the physics wrong; solvers that reach their last iteration do not.
_LOST = mjw.OverflowType.ALL & ~(mjw.OverflowType.ITERATIONS | mjw.OverflowType.LS_ITERATIONS)


class MujocoWarp:
    """`num_envs` worlds of `model` on `device`; see `Simulator` and `DeviceSimulator`.

    Args:
        model: the compiled model, shared by all worlds except for changes by `scale_model`.
        num_envs: number of worlds.
        outputs: extra MjData fields to bind, such as `cfrc_ext`.
        device: torch's name of it, such as `cuda:0`.
        sensors: whether sensors are computed, and the derived fields that MuJoCo computes for them; if not, outputs of
            `OF_SENSORS` are undefined.
        nconmax: capacity of contacts per world, shared by all worlds; None: derived from the model.
        njmax: capacity of constraint rows in each world; None: derived from the model.
        settle: whether outputs are recomputed when worlds are reset, which costs the forward dynamics of all worlds; if
            not, they belong to the old episode until the next step.

    A world whose state is not finite, or for whose contacts there was no room, counts as diverged: it is put back
    to the model's own start state, as MuJoCo does, and is to be reset.

    Raises:
        PhysicsError: MuJoCo Warp has no such output, or lacks something that the model uses.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        num_envs: int,
        outputs: Sequence[str] = (),
        *,
        device: str = "cpu",
        sensors: bool = True,
        nconmax: int | None = None,
        njmax: int | None = None,
        settle: bool = True,
    ) -> None:
        if not sensors:
            model = copy.copy(model)
            model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_SENSOR.value
        if model.nhistory or model.nplugin:
            raise PhysicsError("physics=warp cannot step models with delays or plugins; use physics=c")
        self.model = model
        self.num_envs = num_envs
        self.device = torch.device(device)
        self._wp_device = wp.get_device(device)
        with wp.ScopedDevice(self._wp_device):
            try:
                self._model: Any = mjw.put_model(model)
            except (NotImplementedError, ValueError) as error:
                raise PhysicsError(
                    f"physics=warp cannot step this model: {str(error).rstrip('.')}; {_instead(model)}use physics=c"
                ) from error
            self.capacity = capacity(model, self._model.nxn_geom_pair_filtered.numpy(), nconmax, njmax)
            self._data: Any = mjw.make_data(
                model, num_envs, nconmax=max(self.capacity.contacts, 1), njmax=max(self.capacity.rows, 1)
            )
        self._model.opt.warn_overflow = 0
        data = self._data
        self.qpos: torch.Tensor = wp.to_torch(data.qpos)
        self.qvel: torch.Tensor = wp.to_torch(data.qvel)
        self.ctrl: torch.Tensor = wp.to_torch(data.ctrl)
        self.mocap_pos: torch.Tensor = wp.to_torch(data.mocap_pos)
        self.mocap_quat: torch.Tensor = wp.to_torch(data.mocap_quat)
        self._act: torch.Tensor = wp.to_torch(data.act)
        self._warmstart: torch.Tensor = wp.to_torch(data.qacc_warmstart)
        self._time: torch.Tensor = wp.to_torch(data.time)
        self._overflow: torch.Tensor = wp.to_torch(data.overflow)
        self._outputs = {name: bind(model, data, name) for name in outputs}
        self._simulated = {n: value for n, value in self._outputs.items() if sensors or n not in OF_SENSORS}
        self._settle = settle and bool(self._simulated)
        self._own = OwnFields(self._model, num_envs)
        self._graphs: dict[str, Any] = {}
        self._start = torch.from_numpy(model.qpos0).to(self.device, torch.float32)[None]
        self._rest = torch.zeros(1, model.nv, device=self.device)
        is_mocap = model.body_mocapid >= 0
        own_mocap = np.concatenate([model.body_pos[is_mocap], model.body_quat[is_mocap]], axis=1)
        self._own_mocap = torch.from_numpy(own_mocap).to(self.device, torch.float32)
        self._diverged = torch.zeros(num_envs, dtype=torch.bool, device=self.device)
        self._lost = torch.zeros(1, dtype=torch.int64, device=self.device)

    # ---- stepping ------------------------------------------------------------------------------------------------

    def output(self, name: str) -> torch.Tensor:
        """An extra output, shape (num_envs, ...), as a copy."""
        if name not in self._outputs:
            raise MissingOutput(name, self._outputs)
        return self._outputs[name].clone()

    def step(self, substeps: int) -> None:
        def control_step() -> None:
            for _ in range(substeps):
                mjw.step(self._model, self._data)
            data, numbers = self._data, (int(_LOST), _TOO_LARGE)
            states = (data.qpos, data.qvel, data.qacc_warmstart, data.overflow)
            checked = [wp.from_torch(tensor) for tensor in (self._diverged, self._lost)]
            wp.launch(find_diverged, dim=self.num_envs, inputs=[*states, *numbers, *checked])
            self._put(self._diverged, self._start, self._rest)

        self._launch(f"{substeps} substeps", control_step)
        for value in self._simulated.values():
            value.masked_fill_(_like(self._diverged, value), 0.0)

    def _launch(self, name: str, work: Callable[[], None]) -> None:
        """Run `work` from its graph, which is captured at the first call."""
        if name not in self._graphs:
            if recording():
                raise RuntimeError(f"the graph of {name} is captured by its first call, which cannot be recorded")
            with wp.ScopedDevice(self._wp_device):
                # Twice without a graph: kernels are compiled and loaded at their first run, which is not possible while
                # capturing.
                before, overflow = self.save(), self._overflow.clone()
                self._synchronise()
                work()
                work()
                self._synchronise()
                self.load(before)
                self._overflow.copy_(overflow)
                self._synchronise()
                with wp.ScopedCapture(device=self._wp_device) as capture:
                    work()
                self._graphs[name] = capture.graph
        graph = self._graphs[name]

        def replay() -> None:
            with self._on_torchs_stream():
                wp.capture_launch(graph)

        launch(replay)

    def _on_torchs_stream(self) -> AbstractContextManager[object]:
        """A context in which Warp uses torch's stream, so that reads and writes are ordered."""
        if self.device.type != "cuda":
            return nullcontext()
        from_torch: Any = wp.stream_from_torch
        scope: AbstractContextManager[object] = wp.ScopedStream(
            from_torch(torch.cuda.current_stream(self.device)), sync_enter=False
        )
        return scope

    def _synchronise(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
            wp.synchronize_device(self._wp_device)

    def diverged(self) -> torch.Tensor:
        return self._diverged

    def overflows(self) -> int:
        """The number of times a world lacked memory for its contacts or constraints since the start. Synchronises."""
        return int(self._lost)

    # ---- resets --------------------------------------------------------------------------------------------------

    def reset(
        self,
        env_ids: torch.Tensor,
        qpos: torch.Tensor,
        qvel: torch.Tensor,
        act: torch.Tensor | None = None,
        mocap: torch.Tensor | None = None,
    ) -> None:
        given = (qpos, qvel, act, mocap)
        everyone = [None if part is None else self._spread(env_ids, part) for part in given]
        self.reset_masked(self._mask(env_ids), *everyone)  # type: ignore[arg-type]

    def _mask(self, env_ids: torch.Tensor) -> torch.Tensor:
        mask = torch.zeros(self.num_envs, dtype=torch.bool, device=self.device)
        mask[env_ids] = True
        return mask

    def _spread(self, env_ids: torch.Tensor, part: torch.Tensor) -> torch.Tensor:
        """(num_envs, ...) float32 with `part` (n, ...) in the rows `env_ids`, zeros in the others."""
        everyone = torch.zeros(self.num_envs, *part.shape[1:], device=self.device)
        everyone[env_ids] = part.to(everyone)
        return everyone

    def reset_masked(
        self,
        mask: torch.Tensor,
        qpos: torch.Tensor,
        qvel: torch.Tensor,
        act: torch.Tensor | None = None,
        mocap: torch.Tensor | None = None,
    ) -> None:
        """See `DeviceSimulator.reset_masked`."""
        with self._on_torchs_stream():
            self._put(mask, qpos, qvel)
        if act is not None:
            self._act.copy_(torch.where(mask[:, None], act, self._act))
        if len(self._own_mocap):
            start = self._own_mocap if mocap is None else mocap
            self.mocap_pos.copy_(torch.where(mask[:, None, None], start[..., :3], self.mocap_pos))
            self.mocap_quat.copy_(torch.where(mask[:, None, None], start[..., 3:], self.mocap_quat))
        if not self._settle:
            return
        # Derived fields are computed for all worlds at once; the others keep those of the last substep.
        kept = {name: value.clone() for name, value in self._simulated.items()}
        self._launch("forward", lambda: mjw.forward(self._model, self._data))
        for name, value in self._simulated.items():
            value.copy_(torch.where(_like(mask, value), value, kept[name]))

    def _put(self, mask: torch.Tensor, qpos: torch.Tensor, qvel: torch.Tensor) -> None:
        data = self._data
        states = (data.qpos, data.qvel, data.ctrl, data.act, data.qacc_warmstart, data.time)
        given = [wp.from_torch(mask), *(wp.from_torch(part.float().contiguous()) for part in (qpos, qvel))]
        size = max(part.shape[1] for part in (self.qpos, self.qvel, self.ctrl, self._act))
        wp.launch(put_worlds, dim=(self.num_envs, size), inputs=[*given, *states], device=self._wp_device)

    # ---- models of their own -------------------------------------------------------------------------------------

    def scale_model(self, env_ids: torch.Tensor, factors: Mapping[str, torch.Tensor]) -> None:
        """See `Simulator.scale_model`.

        Raises:
            PhysicsError: MuJoCo Warp has no such model field, or it cannot differ between worlds.
        """
        everyone = {name: self._spread(env_ids, factor) for name, factor in factors.items()}
        self.scale_model_masked(self._mask(env_ids), everyone)

    def scale_model_masked(self, mask: torch.Tensor, factors: Mapping[str, torch.Tensor]) -> None:
        """See `DeviceSimulator.scale_model_masked`.

        Raises:
            PhysicsError: as `scale_model`.
        """
        with wp.ScopedDevice(self._wp_device):
            if self._own.add(factors):
                # Graphs point to the arrays that they were captured with.
                self._graphs.clear()
        for name, factor in factors.items():
            self._own.scale(name, mask, factor)
        self._follow()

    def set_model(self, env_ids: torch.Tensor, fields: Mapping[str, torch.Tensor]) -> None:
        """See `Simulator.set_model`.

        Raises:
            PhysicsError: MuJoCo Warp has no such model field, it cannot differ between worlds, or has another shape.
        """
        everyone = {name: self._spread(env_ids, values) for name, values in fields.items()}
        self.set_model_masked(self._mask(env_ids), everyone)

    def set_model_masked(self, mask: torch.Tensor, fields: Mapping[str, torch.Tensor]) -> None:
        """See `DeviceSimulator.set_model_masked`.

        Raises:
            PhysicsError: as `set_model`.
        """
        with wp.ScopedDevice(self._wp_device):
            if self._own.add(fields, with_inertia=False):
                self._graphs.clear()
        for name, values in fields.items():
            self._own.put(name, mask, values)
        self._follow()

    def _follow(self) -> None:
        """Recompute the model's constants that depend on fields which differ between worlds."""
        if self._own.need_constants:
            self._launch("constants", lambda: mjw.set_const(self._model, self._data))

    # ---- states --------------------------------------------------------------------------------------------------

    def select(self, env_ids: torch.Tensor) -> Snapshot:
        outputs = {name: value[env_ids] for name, value in self._outputs.items()}
        return Snapshot(self.qpos[env_ids], self.qvel[env_ids], outputs)

    def save(self) -> torch.Tensor:
        return torch.cat([part.double() for part in self._state()], dim=1)

    def load(self, state: torch.Tensor) -> None:
        parts = self._state()
        for part, saved in zip(parts, torch.split(state, [part.shape[1] for part in parts], dim=1), strict=True):
            part.copy_(saved)

    def _state(self) -> list[torch.Tensor]:
        mocap = [self.mocap_pos.flatten(1), self.mocap_quat.flatten(1)]
        return [self._time[:, None], self.qpos, self.qvel, self._act, self._warmstart, *mocap]


def _instead(model: mujoco.MjModel) -> str:
    pgs = model.opt.solver == mujoco.mjtSolver.mjSOL_PGS.value
    return "set `physics.solver: newton` in task.yaml or " if pgs else ""


def _like(mask: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """`mask` (num_envs,) with ones for the other dimensions of `value` (num_envs, ...)."""
    return mask.view(-1, *[1] * (value.dim() - 1))
