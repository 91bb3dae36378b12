"""Random numbers for a group of worlds that do not depend on the other groups simulated with it."""

from __future__ import annotations

from collections.abc import Sequence

import torch


class Rng:
    """Draws for the worlds of one or several groups, each group from a generator of its own.

    The first dimension of every shape is worlds, and is split evenly over the groups in order.
    """

    def __init__(self, generators: Sequence[torch.Generator]) -> None:
        self.generators = list(generators)

    @classmethod
    def from_seed(cls, seed: int) -> Rng:
        """One group with a fresh generator."""
        return cls([torch.Generator().manual_seed(seed)])

    def _rows(self, shape: Sequence[int]) -> tuple[int, ...]:
        rows, rest = divmod(shape[0], len(self.generators))
        if rest:
            raise ValueError(f"{shape[0]} worlds cannot be split evenly over {len(self.generators)} groups")
        return (rows, *shape[1:])

    def uniform(self, low: float, high: float, shape: Sequence[int]) -> torch.Tensor:
        """Uniform on [low, high), float32."""
        rows = self._rows(shape)
        return torch.cat([torch.rand(rows, generator=g, device=g.device) for g in self.generators]) * (high - low) + low

    def normal(self, std: float, shape: Sequence[int]) -> torch.Tensor:
        """Normal with mean 0, float32."""
        rows = self._rows(shape)
        return torch.cat([torch.randn(rows, generator=g, device=g.device) for g in self.generators]) * std
