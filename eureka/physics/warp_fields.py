"""Fields of MuJoCo Warp's data as torch tensors, and of its model with a value for every world."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
import torch
import warp as wp

from eureka.core.errors import PhysicsError
from eureka.physics.base import WHERE_FIELDS_ARE_NAMED, wrong_shape

# Model fields that others depend on, and the dependent ones (see `mujoco_warp.set_const`).
_ROOTS = {"body_mass", "body_inertia", "body_ipos", "body_iquat", "dof_armature", "tendon_armature", "actuator_gear"}
_FOLLOWING = ("body_subtreemass", "body_invweight0", "dof_invweight0", "tendon_invweight0", "actuator_acc0")
# Further fields that MuJoCo derives from these would need a value per world too.
_REFUSED = {"qpos0", "body_pos", "body_quat", "geom_size", "hfield_size", "eq_data", "tendon_stiffness"}


def bind(model: mujoco.MjModel, data: Any, name: str) -> torch.Tensor:
    """The data field `name` of all worlds, (num_envs, ...) with MuJoCo's own shape, without a copy.

    Raises:
        PhysicsError: MuJoCo or MuJoCo Warp has no such field with a value for every world.
    """
    array = getattr(data, name, None)
    own = getattr(mujoco.MjData(model), name, None)
    if not isinstance(array, wp.array) or not isinstance(own, np.ndarray) or array.shape[:1] != (data.nworld,):
        raise PhysicsError(f"physics=warp has no output `{name}` (check `outputs` in task.yaml, or use physics=c)")
    shared: torch.Tensor = wp.to_torch(array)
    return shared.view(data.nworld, *own.shape)


@dataclass(frozen=True)
class _OwnField:
    """`values` (num_envs, ...) and the model's own `original` (1, ...)."""

    values: torch.Tensor
    original: torch.Tensor


class OwnFields:
    """The fields of `model` (a `mujoco_warp.Model`) that differ between worlds."""

    def __init__(self, model: Any, num_envs: int) -> None:
        self._model = model
        self._num_envs = num_envs
        self._fields: dict[str, _OwnField] = {}

    @property
    def need_constants(self) -> bool:
        """Whether other fields depend on those that differ."""
        return not _ROOTS.isdisjoint(self._fields)

    def add(self, names: Iterable[str], *, with_inertia: bool = True) -> bool:
        """Give every world its own copy of these fields; returns whether any was missing.

        Args:
            with_inertia: whether to add inertias with masses.

        Raises:
            PhysicsError: there is no such field, or it cannot differ between worlds.
        """
        wanted = [name for given in names for name in (_with_inertia(given) if with_inertia else (given,))]
        if not _ROOTS.isdisjoint(wanted):
            wanted += _FOLLOWING
        new = [name for name in wanted if name not in self._fields]
        for name in new:
            self._fields[name] = self._expanded(name)
        return bool(new)

    def scale(self, name: str, mask: torch.Tensor, factor: torch.Tensor) -> None:
        """Set the field in the worlds `mask` (num_envs,) to the model's own value times `factor` (num_envs,)."""
        for field in _with_inertia(name):
            own = self._fields[field]
            shape = (-1, *[1] * (own.values.dim() - 1))
            scaled = own.original * factor.to(own.values).view(shape)
            own.values.copy_(torch.where(mask.view(shape), scaled, own.values))

    def put(self, name: str, mask: torch.Tensor, values: torch.Tensor) -> None:
        """Set the field in the worlds `mask` (num_envs,) to `values` (num_envs, ...).

        Raises:
            PhysicsError: they have another shape than the field.
        """
        own = self._fields[name]
        wanted = own.values.shape[1:]
        if values.shape[1:].numel() != wanted.numel():
            raise PhysicsError(wrong_shape(name, values, wanted))
        shape = (-1, *[1] * (own.values.dim() - 1))
        own.values.copy_(torch.where(mask.view(shape), values.to(own.values).view_as(own.values), own.values))

    def _expanded(self, name: str) -> _OwnField:
        owner: Any = self._model.opt if name.startswith("opt.") else self._model
        attribute = name.removeprefix("opt.")
        shared: Any = getattr(owner, attribute, None)
        if not getattr(shared, "_is_batched", False) or name in _REFUSED:
            raise PhysicsError(
                f"physics=warp has no model field `{name}` that can differ between worlds ({WHERE_FIELDS_ARE_NAMED}, "
                "or use physics=c)"
            )
        original = wp.to_torch(shared)[:1].clone()
        if not original.is_floating_point():
            raise PhysicsError(f"`{name}` holds whole numbers ({WHERE_FIELDS_ARE_NAMED})")
        array: Any = wp.empty((self._num_envs, *shared.shape[1:]), dtype=shared.dtype, device=shared.device)
        array._is_batched = True
        values = wp.to_torch(array)
        values.copy_(original.expand_as(values))
        setattr(owner, attribute, array)
        return _OwnField(values, original)


def _with_inertia(name: str) -> tuple[str, ...]:
    return ("body_mass", "body_inertia") if name == "body_mass" else (name,)
