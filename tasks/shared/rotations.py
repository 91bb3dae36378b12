"""Rotations by unit quaternions (w, x, y, z), as MuJoCo has them."""

from __future__ import annotations

import torch


def rotate_back(quaternion: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """`vector` (n, 3) of the world in the frame that is turned by `quaternion` (n, 4)."""
    w, axis = quaternion[:, :1], quaternion[:, 1:]
    twice = 2 * torch.linalg.cross(axis, vector, dim=1)
    return vector - w * twice + torch.linalg.cross(axis, twice, dim=1)


def multiply(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The turn `second` (n, 4), and then `first`."""
    a, b, c, d = first.unbind(dim=1)
    w, x, y, z = second.unbind(dim=1)
    return torch.stack(
        [
            a * w - b * x - c * y - d * z,
            a * x + b * w + c * z - d * y,
            a * y - b * z + c * w + d * x,
            a * z + b * y - c * x + d * w,
        ],
        dim=1,
    )


def angle_between(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """How far two turns (n, 4) are from each other, (n,), 0 to pi rad."""
    conjugate = torch.cat([second[:, :1], -second[:, 1:]], dim=1)
    apart = multiply(first, conjugate)
    return 2 * torch.atan2(torch.linalg.vector_norm(apart[:, 1:], dim=1), apart[:, 0].abs())


def from_normal(normal: torch.Tensor) -> torch.Tensor:
    """Turns evenly over all, (n, 4), from standard normal numbers (n, 4)."""
    return torch.nn.functional.normalize(normal, dim=1)
