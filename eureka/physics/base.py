"""The interface of simulators: what a task may read, and what a trainer may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch

from eureka.core.missing import MissingOutput

OF_SENSORS = frozenset({"sensordata", "cacc", "cfrc_int", "cfrc_ext", "subtree_linvel", "subtree_angmom"})
"""MjData fields that are only computed for models with sensors to be read; all others are computed in every step."""

WHERE_FIELDS_ARE_NAMED = "check `randomisation.factors` in task.yaml and `model_fields` of the task's reset"
"""Advice for errors about model fields that cannot differ between worlds."""


def wrong_shape(name: str, values: torch.Tensor, wanted: Sequence[int]) -> str:
    """The error text for values (num_envs, ...) of a model field with another shape."""
    shape = ", ".join(["num_envs", *map(str, wanted)])
    return (
        f"`{name}` of the model needs values of shape ({shape}), not {tuple(values.shape)} ({WHERE_FIELDS_ARE_NAMED})"
    )


class WorldStates(Protocol):
    """The states of `num_envs` worlds, as a task's functions read them.

    `qpos` (num_envs, nq) and `qvel` (num_envs, nv) belong to the end of the step. `output(name)` returns an extra
    MjData field that the task names in `task.yaml: outputs`, shape (num_envs, ...); like every derived field after
    `mj_step` it belongs to the start of the last substep.
    """

    @property
    def num_envs(self) -> int: ...
    @property
    def qpos(self) -> torch.Tensor: ...
    @property
    def qvel(self) -> torch.Tensor: ...
    def output(self, name: str) -> torch.Tensor: ...


@dataclass(frozen=True)
class Snapshot:
    """The states of some worlds, copied from a simulator (or from a Gymnasium environment)."""

    qpos: torch.Tensor
    qvel: torch.Tensor
    outputs: Mapping[str, torch.Tensor] = field(default_factory=dict)

    @property
    def num_envs(self) -> int:
        return self.qpos.shape[0]

    def output(self, name: str) -> torch.Tensor:
        if name not in self.outputs:
            raise MissingOutput(name, self.outputs)
        return self.outputs[name]


class Simulator(WorldStates, Protocol):
    """`num_envs` worlds of one model, stepped together."""

    @property
    def ctrl(self) -> torch.Tensor:
        """Controls of the next step, shape (num_envs, nu), in the actuators' own units; written in place."""
        ...

    @property
    def mocap_pos(self) -> torch.Tensor:
        """Positions of the mocap bodies, (num_envs, nmocap, 3), metres; written in place, kept until a reset."""
        ...

    @property
    def mocap_quat(self) -> torch.Tensor:
        """Orientations of the mocap bodies, (num_envs, nmocap, 4), unit quaternions (w, x, y, z); likewise."""
        ...

    def step(self, substeps: int) -> None:
        """Advance every world by `substeps` time steps."""
        ...

    def reset(
        self,
        env_ids: torch.Tensor,
        qpos: torch.Tensor,
        qvel: torch.Tensor,
        act: torch.Tensor | None = None,
        mocap: torch.Tensor | None = None,
    ) -> None:
        """Put the worlds `env_ids` (n,) into new states, (n, nq) and (n, nv), and compute their derived fields.

        Args:
            act: activations of the actuators, (n, na); 0 if omitted.
            mocap: positions and quaternions of the mocap bodies, (n, nmocap, 7); the model's own if omitted.
        """
        ...

    def scale_model(self, env_ids: torch.Tensor, factors: Mapping[str, torch.Tensor]) -> None:
        """Give the worlds `env_ids` (n,) their own model: each named field the model's own times a factor (n,).

        Inertias are scaled with masses. Must be followed by a `reset` of these worlds, or a `load`.
        """
        ...

    def set_model(self, env_ids: torch.Tensor, fields: Mapping[str, torch.Tensor]) -> None:
        """Give the worlds `env_ids` (n,) their own values of model fields, (n, ...) each; otherwise as
        `scale_model`."""
        ...

    def diverged(self) -> torch.Tensor:
        """Worlds whose physics became unstable in the last `step`, shape (num_envs,) bool. They must be reset."""
        ...

    def overflows(self) -> int:
        """The number of times a world lacked memory for its contacts or constraints since the start. May synchronise
        with a device.
        """
        ...

    def select(self, env_ids: torch.Tensor) -> Snapshot:
        """Copies of the states of some worlds."""
        ...

    def save(self) -> torch.Tensor:
        """The full integration state, shape (num_envs, nstate) float64, warm starts included."""
        ...

    def load(self, state: torch.Tensor) -> None:
        """Restore the state of `save`, bit for bit."""
        ...


class DeviceSimulator(Simulator, Protocol):
    """A simulator on a device: its tensors are there, and a control step is started without waiting for the device.

    Worlds are selected by a mask (num_envs,) bool, and every tensor has a row for each world; rows outside the mask are
    ignored.
    """

    def reset_masked(
        self,
        mask: torch.Tensor,
        qpos: torch.Tensor,
        qvel: torch.Tensor,
        act: torch.Tensor | None = None,
        mocap: torch.Tensor | None = None,
    ) -> None:
        """As `reset`, with (num_envs, nq), (num_envs, nv) and so on."""
        ...

    def scale_model_masked(self, mask: torch.Tensor, factors: Mapping[str, torch.Tensor]) -> None:
        """As `scale_model`, with factors (num_envs,)."""
        ...

    def set_model_masked(self, mask: torch.Tensor, fields: Mapping[str, torch.Tensor]) -> None:
        """As `set_model`, with values (num_envs, ...)."""
        ...
