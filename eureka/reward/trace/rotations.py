"""Rotations for reward functions, under the names that the code of Isaac Gym and Isaac Lab has for them.

Quaternions are (w, x, y, z), as MuJoCo and Isaac Lab have them; `convert_quat` turns Isaac Gym's (x, y, z, w) into
these and back. A unit quaternion q turns vectors of the body's frame into those of the world's. Leading dimensions
broadcast, so that a constant of shape (4,) or (3,) may be combined with (num_envs, 4).
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = [
    "axis_angle_from_quat",
    "convert_quat",
    "euler_xyz_from_quat",
    "get_euler_xyz",
    "matrix_from_quat",
    "normalize",
    "normalize_angle",
    "quat_apply",
    "quat_apply_inverse",
    "quat_apply_yaw",
    "quat_axis",
    "quat_conjugate",
    "quat_diff",
    "quat_diff_rad",
    "quat_error_magnitude",
    "quat_from_angle_axis",
    "quat_from_euler_xyz",
    "quat_inv",
    "quat_mul",
    "quat_rotate",
    "quat_rotate_inverse",
    "quat_unit",
    "wrap_to_pi",
    "yaw_quat",
]

_SMALLEST = 1e-9


def normalize(x: Tensor, eps: float = _SMALLEST) -> Tensor:
    """`x` with length 1 in its last dimension; zero stays zero."""
    length: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return x / length.clamp(min=eps)


def normalize_angle(angle: Tensor) -> Tensor:
    """The same angle in [-pi, pi]."""
    return torch.atan2(torch.sin(angle), torch.cos(angle))


wrap_to_pi = normalize_angle


def convert_quat(quat: Tensor, to: str = "wxyz") -> Tensor:
    """(x, y, z, w) as (w, x, y, z), or with `to="xyzw"` the other way round."""
    if to not in ("wxyz", "xyzw"):
        raise ValueError(f'convert_quat: `to` is "wxyz" or "xyzw", not {to!r}')
    if to == "wxyz":
        return torch.cat([quat[..., 3:4], quat[..., 0:3]], dim=-1)
    return torch.cat([quat[..., 1:4], quat[..., 0:1]], dim=-1)


def quat_unit(quat: Tensor) -> Tensor:
    """The quaternion with length 1."""
    return normalize(quat)


def quat_conjugate(quat: Tensor) -> Tensor:
    """The inverse rotation of a unit quaternion."""
    return torch.cat([quat[..., 0:1], -quat[..., 1:4]], dim=-1)


def quat_inv(quat: Tensor) -> Tensor:
    """The inverse of a quaternion of any length but 0."""
    return quat_conjugate(quat) / torch.sum(torch.square(quat), dim=-1, keepdim=True).clamp(min=_SMALLEST)


def quat_mul(a: Tensor, b: Tensor) -> Tensor:
    """The rotation that does `b` first, then `a`."""
    aw, av = a[..., 0:1], a[..., 1:4]
    bw, bv = b[..., 0:1], b[..., 1:4]
    real = aw * bw - torch.sum(av * bv, dim=-1, keepdim=True)
    return torch.cat([real, aw * bv + bw * av + _cross(av, bv)], dim=-1)


def quat_rotate(quat: Tensor, vector: Tensor) -> Tensor:
    """The vector, given in the frame that `quat` describes, in the world's."""
    real, imaginary = quat[..., 0:1], quat[..., 1:4]
    twice = 2.0 * _cross(imaginary, vector)
    return vector + real * twice + _cross(imaginary, twice)


def quat_rotate_inverse(quat: Tensor, vector: Tensor) -> Tensor:
    """The vector, given in the world's frame, in the one that `quat` describes."""
    return quat_rotate(quat_conjugate(quat), vector)


quat_apply = quat_rotate
quat_apply_inverse = quat_rotate_inverse


def quat_axis(quat: Tensor, axis: int = 0) -> Tensor:
    """The direction of the frame's x, y or z axis (0, 1, 2) in the world."""
    return matrix_from_quat(quat)[..., axis]


def matrix_from_quat(quat: Tensor) -> Tensor:
    """The rotation matrix, (..., 3, 3)."""
    w, x, y, z = quat[..., 0], quat[..., 1], quat[..., 2], quat[..., 3]
    rows = [
        torch.stack([1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)], dim=-1),
        torch.stack([2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)], dim=-1),
        torch.stack([2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)], dim=-1),
    ]
    return torch.stack(rows, dim=-2)


def quat_from_angle_axis(angle: Tensor, axis: Tensor) -> Tensor:
    """The rotation by `angle`, (...,) in radians, about `axis`, (..., 3) of any length."""
    half = (0.5 * angle)[..., None]
    imaginary = torch.sin(half) * normalize(axis)
    return torch.cat([torch.cos(half).expand(imaginary[..., 0:1].shape), imaginary], dim=-1)


def quat_from_euler_xyz(roll: Tensor, pitch: Tensor, yaw: Tensor) -> Tensor:
    """The rotation by `roll` about the world's x axis, then `pitch` about its y axis, then `yaw` about its z axis."""
    cr, sr = torch.cos(0.5 * roll), torch.sin(0.5 * roll)
    cp, sp = torch.cos(0.5 * pitch), torch.sin(0.5 * pitch)
    cy, sy = torch.cos(0.5 * yaw), torch.sin(0.5 * yaw)
    parts = [
        cy * cp * cr + sy * sp * sr,
        cy * cp * sr - sy * sp * cr,
        cy * sp * cr + sy * cp * sr,
        sy * cp * cr - cy * sp * sr,
    ]
    return _columns(parts)


def get_euler_xyz(quat: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(roll, pitch, yaw) of a unit quaternion: roll and yaw in [-pi, pi], pitch in [-pi/2, pi/2]."""
    w, x, y, z = quat[..., 0], quat[..., 1], quat[..., 2], quat[..., 3]
    roll = torch.atan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y))
    pitch = torch.asin((2.0 * (w * y - z * x)).clamp(-1.0, 1.0))
    return roll, pitch, _yaw(quat)


euler_xyz_from_quat = get_euler_xyz


def yaw_quat(quat: Tensor) -> Tensor:
    """The rotation's part about the vertical."""
    half = 0.5 * _yaw(quat)
    zero = torch.zeros_like(half)
    return torch.stack([torch.cos(half), zero, zero, torch.sin(half)], dim=-1)


def quat_apply_yaw(quat: Tensor, vector: Tensor) -> Tensor:
    """The vector turned about the vertical alone."""
    return quat_rotate(yaw_quat(quat), vector)


def quat_diff(a: Tensor, b: Tensor) -> Tensor:
    """The rotation that leads from `b` to `a`."""
    return quat_mul(a, quat_conjugate(b))


def quat_diff_rad(a: Tensor, b: Tensor) -> Tensor:
    """The angle between two rotations, (...,) in [0, pi]."""
    between = quat_diff(a, b)
    return 2.0 * torch.atan2(torch.linalg.vector_norm(between[..., 1:4], dim=-1), between[..., 0].abs())


quat_error_magnitude = quat_diff_rad


def axis_angle_from_quat(quat: Tensor) -> Tensor:
    """The rotation's axis times its angle in [0, pi], (..., 3)."""
    quat = torch.where(quat[..., 0:1] < 0.0, -quat, quat)
    length = torch.linalg.vector_norm(quat[..., 1:4], dim=-1, keepdim=True)
    return normalize(quat[..., 1:4]) * 2.0 * torch.atan2(length, quat[..., 0:1])


def _yaw(quat: Tensor) -> Tensor:
    w, x, y, z = quat[..., 0], quat[..., 1], quat[..., 2], quat[..., 3]
    return torch.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))


def _columns(parts: list[Tensor]) -> Tensor:
    """The parts as the last dimension's components, all of one shape."""
    shape = torch.broadcast_shapes(*(part.shape for part in parts))  # type: ignore[no-untyped-call]
    return torch.stack([part.expand(shape) for part in parts], dim=-1)


def _cross(a: Tensor, b: Tensor) -> Tensor:
    """The cross product, written out so that leading dimensions broadcast."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    parts = [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx]
    return _columns(parts)
