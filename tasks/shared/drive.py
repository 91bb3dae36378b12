"""A hand that is driven through the air: its arm follows, as under a controller of the hand's velocity."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np
import torch

DRIVE = ("drive_x", "drive_y", "drive_z")
"""The slides of what drags the hand, along the world's axes from its origin, and the actuators that move them."""
_SIGN = -1.0  # of the quaternion between both: the same turn, and how MetaWorld has it


def add_drive(
    spec: mujoco.MjSpec, hand: str, orientation: Sequence[float] | np.ndarray, speed_m_s: float
) -> mujoco.MjsEquality:
    """Weld the body `hand` to one of 1 kg that slides along x, y and z under velocity actuators, and does not turn.

    Gives the weld.

    Args:
        orientation: unit quaternion (w, x, y, z) that the hand keeps.
        speed_m_s: the most it moves along each axis.
    """
    turned = np.asarray(orientation, dtype=float)
    drive = spec.worldbody.add_body(name="drive", quat=turned, mass=1.0, inertia=[0.01] * 3, gravcomp=1.0)
    drive.explicitinertial = True
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, turned)
    for name, world_axis in zip(DRIVE, np.eye(3), strict=True):
        axis = rotation.reshape(3, 3).T @ world_axis  # a joint's axis is in its body's frame
        joint = drive.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=axis)
        joint.armature = 1.0
        actuator = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        actuator.set_to_velocity(kv=5000.0)
        actuator.ctrllimited, actuator.ctrlrange = True, [-speed_m_s, speed_m_s]
    weld = spec.add_equality(
        name="drive", type=mujoco.mjtEq.mjEQ_WELD, objtype=mujoco.mjtObj.mjOBJ_BODY, name1="drive", name2=hand
    )
    weld.solref = [0.02, 1.0]
    weld.data[:11] = [0, 0, 0, 0, 0, 0, _SIGN, 0, 0, 0, 5.0]
    return weld


def within_bounds(speed: torch.Tensor, at: torch.Tensor, bounds: torch.Tensor, seconds: float) -> torch.Tensor:
    """`speed` (num_envs, 3), slowed down where it would lead out of `bounds` (2, 3) within a control step."""
    low, high = bounds
    return torch.minimum(torch.maximum(speed, (low - at) / seconds), (high - at) / seconds)
