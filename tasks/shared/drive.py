"""A hand that is driven through the air: its arm follows, as under a controller of the hand's velocity."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np
import torch

DRIVE = ("drive_x", "drive_y", "drive_z")
"""The slides of what drags the hand, along x, y and z of the world or of what carries the arm, and their actuators."""
_SIGN = -1.0  # of the quaternion between both: the same turn, and how MetaWorld has it


def add_drive(
    spec: mujoco.MjSpec,
    hand: str,
    orientation: Sequence[float] | np.ndarray,
    speed_m_s: float,
    gain_n_s_m: float = 5000.0,
    arm: str = "",
    parent: mujoco.MjsBody | None = None,
    origin: Sequence[float] = (0.0, 0.0, 0.0),
) -> mujoco.MjsEquality:
    """Weld the body `hand` to one of 1 kg that slides along x, y and z under velocity actuators, and does not turn.

    Gives the weld.

    Args:
        orientation: unit quaternion (w, x, y, z) that the hand keeps.
        speed_m_s: the most it moves along each axis.
        gain_n_s_m: the force for every m/s that is missing. With too much of it a heavy arm rings on its weld.
        arm: what the names of joints, actuators and weld begin with.
        parent: the body along whose axes the hand is moved, and with which it turns; the world where left out.
        origin: in that body's frame (metres), where the slides are at 0.
    """
    turned = np.asarray(orientation, dtype=float)
    drive = (parent or spec.worldbody).add_body(
        name=f"{arm}drive", pos=origin, quat=turned, mass=1.0, inertia=[0.01] * 3, gravcomp=1.0
    )
    drive.explicitinertial = True
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, turned)
    for name, world_axis in zip(DRIVE, np.eye(3), strict=True):
        axis = rotation.reshape(3, 3).T @ world_axis  # a joint's axis is in its body's frame
        joint = drive.add_joint(name=arm + name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=axis)
        joint.armature = 1.0
        actuator = spec.add_actuator(name=arm + name, target=arm + name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        actuator.set_to_velocity(kv=gain_n_s_m)
        actuator.ctrllimited, actuator.ctrlrange = True, [-speed_m_s, speed_m_s]
    weld = spec.add_equality(
        name=f"{arm}drive",
        type=mujoco.mjtEq.mjEQ_WELD,
        objtype=mujoco.mjtObj.mjOBJ_BODY,
        name1=f"{arm}drive",
        name2=hand,
    )
    weld.solref = [0.02, 1.0]
    weld.data[:11] = [0, 0, 0, 0, 0, 0, _SIGN, 0, 0, 0, 5.0]
    return weld


def within_bounds(speed: torch.Tensor, at: torch.Tensor, bounds: torch.Tensor, seconds: float) -> torch.Tensor:
    """`speed` (num_envs, 3), slowed down where it would lead out of `bounds` (2, 3) within a control step."""
    low, high = bounds
    return torch.minimum(torch.maximum(speed, (low - at) / seconds), (high - at) / seconds)
