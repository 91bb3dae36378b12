"""How far points are from a bar with round ends, such as a handle."""

from __future__ import annotations

import torch


def beyond_bar(points: torch.Tensor, start: torch.Tensor, end: torch.Tensor, radius: float) -> torch.Tensor:
    """From the surface of the bar between `start` and `end` (num_envs, 3) to points (num_envs, ..., 3).

    Gives (num_envs, ...) metres, negative within the bar.
    """
    shape = (len(start), *[1] * (points.dim() - 2), 3)
    first, way = start.reshape(shape), (end - start).reshape(shape)
    share = ((points - first) * way).sum(dim=-1, keepdim=True) / way.square().sum(dim=-1, keepdim=True)
    nearest = first + share.clamp(0.0, 1.0) * way
    return torch.linalg.vector_norm(points - nearest, dim=-1) - radius
