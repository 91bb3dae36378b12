"""The memory that MuJoCo Warp needs for contacts and constraints, which it must know before the first step."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

MOST_CONTACTS = 64
"""Maximum number of contacts per world to allocate if the model could have more and its task does not set a number."""

_PLANE, _SPHERE = mujoco.mjtGeom.mjGEOM_PLANE.value, mujoco.mjtGeom.mjGEOM_SPHERE.value
_CAPSULE, _ELLIPSOID = mujoco.mjtGeom.mjGEOM_CAPSULE.value, mujoco.mjtGeom.mjGEOM_ELLIPSOID.value
_ANY_OTHER_PAIR = 8
_EQUALITY_ROWS = {
    mujoco.mjtEq.mjEQ_CONNECT.value: 3,
    mujoco.mjtEq.mjEQ_WELD.value: 6,
    mujoco.mjtEq.mjEQ_JOINT.value: 1,
    mujoco.mjtEq.mjEQ_TENDON.value: 1,
}


@dataclass(frozen=True)
class Capacity:
    """Capacity per world: `contacts` (shared by all worlds) and `rows` of constraints (each world's own)."""

    contacts: int
    rows: int


def capacity(
    model: mujoco.MjModel, geom_pairs: np.ndarray, nconmax: int | None = None, njmax: int | None = None
) -> Capacity:
    """The capacity from a task's `physics.nconmax` and `physics.njmax`, or else the maximum that the model can need.

    Args:
        geom_pairs: the pairs of geoms that may touch, (pairs, 2), after exclusion by parents and masks.

    Without these settings, the capacity is for every pair's contacts at once, but at most `MOST_CONTACTS`, and for all
    other constraints.
    """
    possible = sum(_contacts(*sorted(model.geom_type[list(pair)])) for pair in geom_pairs)
    contacts = nconmax if nconmax is not None else min(int(possible), MOST_CONTACTS)
    rows = njmax if njmax is not None else contacts * _rows_per_contact(model) + _other_rows(model)
    return Capacity(contacts, rows)


def _contacts(first: int, second: int) -> int:
    """The maximum number of contacts of two geoms by their types, the lower type first."""
    if _SPHERE in (first, second) or (first, second) == (_PLANE, _ELLIPSOID):
        return 1
    return 2 if first in (_PLANE, _CAPSULE) and second == _CAPSULE else _ANY_OTHER_PAIR


def _rows_per_contact(model: mujoco.MjModel) -> int:
    dimension = int(max([1, *model.geom_condim, *model.pair_dim]))
    pyramidal = model.opt.cone == mujoco.mjtCone.mjCONE_PYRAMIDAL
    return 2 * (dimension - 1) if pyramidal and dimension > 1 else dimension


def _other_rows(model: mujoco.MjModel) -> int:
    equalities = sum(_EQUALITY_ROWS.get(int(kind), 6) for kind in model.eq_type)
    friction = np.count_nonzero(model.dof_frictionloss) + np.count_nonzero(model.tendon_frictionloss)
    limits = np.count_nonzero(model.jnt_limited) + np.count_nonzero(model.tendon_limited)
    return int(equalities + friction + limits)
