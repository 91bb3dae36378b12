"""Constants that a task's functions need on several devices."""

from __future__ import annotations

from collections.abc import Sequence

import torch


class OnDevice:
    """A constant tensor, copied once to every device: making one in each control step would synchronise with the
    device.

    HOME = OnDevice([0.0, -0.3, 0.8])
    offset = sim.qpos - HOME.like(sim.qpos)
    """

    def __init__(self, values: torch.Tensor | Sequence[float] | Sequence[Sequence[float]]) -> None:
        with torch.device("cpu"):
            self._original = torch.as_tensor(values)
        self._copies: dict[tuple[torch.device, torch.dtype], torch.Tensor] = {}

    def on(self, device: torch.device) -> torch.Tensor:
        """The numbers on the device."""
        return self._copy(device, self._original.dtype)

    def like(self, other: torch.Tensor) -> torch.Tensor:
        """The numbers on the device and in the dtype of `other`."""
        return self._copy(other.device, other.dtype)

    def _copy(self, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
        key = (device, dtype)
        if key not in self._copies:
            self._copies[key] = self._original.to(device, dtype)
        return self._copies[key]
