"""Running moments per group (Chan et al. 1979, parallel variance), in float64 so that they do not drift."""

from __future__ import annotations

import torch


class RunningMoments:
    """Mean and variance of (num_groups, rows, size) batches, kept per group and column.

    `count`, a scalar, is the number of rows seen, the same for all groups. All tensors are updated in place.
    """

    def __init__(self, num_groups: int, size: int) -> None:
        self.mean = torch.zeros(num_groups, 1, size, dtype=torch.float64)
        self.var = torch.ones(num_groups, 1, size, dtype=torch.float64)
        self.count = torch.full((), 1e-4, dtype=torch.float64)

    def update(self, batch: torch.Tensor) -> None:
        rows = batch.shape[1]
        mean = batch.mean(dim=1, keepdim=True).double()
        var = batch.var(dim=1, keepdim=True, unbiased=False).double()
        delta = mean - self.mean
        total = self.count + rows
        self.mean.add_(delta * (rows / total))
        between = delta.square() * (self.count * rows / total)
        self.var.copy_((self.var * self.count + var * rows + between) / total)
        self.count.copy_(total)

    def offset_and_scale(self) -> tuple[torch.Tensor, torch.Tensor]:
        """float32 (mean, 1 / standard deviation), each (num_groups, 1, size)."""
        return self.mean.float(), (self.var + 1e-8).rsqrt().float()


def normalise(x: torch.Tensor, offset: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Standardise and clip to +-10."""
    return ((x - offset) * scale).clamp(-10, 10)
