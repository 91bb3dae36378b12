"""The task metric of whole episodes, followed step by step for all worlds."""

from __future__ import annotations

import torch

from eureka.physics import device_graphs
from eureka.tasks import Metric


class EpisodeTracker:
    """Reduces the per-step metric over episodes, and remembers each group's last `num_envs` finished ones.

    An episode whose clock started late (see `Worlds`) had less time than the limit; its sum is scaled up to the
    limit, so that early and late starters count alike. A `mean` is over the steps that the episode lasted.
    """

    def __init__(self, metric: Metric, limit: int, num_groups: int, num_envs: int) -> None:
        self._reduce = metric.running_reduction
        self._limit = limit
        self._value = self._initial(num_groups, num_envs)
        self._scores = torch.zeros(num_groups, num_envs)
        self._lengths = torch.zeros(num_groups, num_envs)
        self._finished = torch.zeros(num_groups, dtype=torch.int64)

    def _initial(self, *shape: int) -> torch.Tensor:
        return torch.full(shape, -torch.inf if self._reduce == "max" else 0.0)

    def step(
        self, value: torch.Tensor, done: torch.Tensor, clock: torch.Tensor, start_clock: torch.Tensor
    ) -> torch.Tensor:
        """Take in a step's metric (G, N); gives the running episodes' reduced values, scores where `done`."""
        if self._reduce == "max":
            self._value = torch.maximum(self._value, value)
        elif self._reduce == "last":
            self._value = value.float()
        else:
            self._value = self._value + value
        score = self._value
        if self._reduce == "sum":
            score = self._value * (self._limit / (self._limit - start_clock))
        elif self._reduce == "mean":
            score = self._value / (clock - start_clock)
        if device_graphs.asking_waits(done.device) or done.any():
            self._remember(score, (clock - start_clock).float(), done)
            self._value = torch.where(done, self._initial(1, 1), self._value)
        return score

    def _remember(self, score: torch.Tensor, length: torch.Tensor, done: torch.Tensor) -> None:
        size = self._scores.shape[1]
        slot = (self._finished[:, None] + done.cumsum(dim=1) - 1) % size
        # What is not done goes into a column of its own, which is dropped.
        slot = torch.where(done, slot, size)
        self._scores = _written(self._scores, slot, score)
        self._lengths = _written(self._lengths, slot, length)
        self._finished = self._finished + done.sum(dim=1)

    def recent(self) -> torch.Tensor:
        """Mean score and length in steps of each group's recent episodes, (G, 2); 0 before the first has ended."""
        known = torch.arange(self._scores.shape[1]) < self._finished[:, None]
        both = torch.stack([self._scores, self._lengths], dim=1)
        return torch.where(known[:, None], both, 0.0).sum(dim=2) / known.sum(dim=1).clamp(min=1)[:, None]

    def start_over(self) -> None:
        """Forget everything, in the same tensors."""
        self._value.copy_(self._initial(*self._value.shape))
        for tensor in (self._scores, self._lengths, self._finished):
            tensor.zero_()

    def tensors(self) -> dict[str, torch.Tensor]:
        """Every tensor has num_groups as its leading dimension."""
        return {"value": self._value, "scores": self._scores, "lengths": self._lengths, "finished": self._finished}

    def assign(self, tensors: dict[str, torch.Tensor]) -> None:
        """Use these tensors, which are named as in `tensors()`, in place of its own."""
        self._value, self._scores = tensors["value"], tensors["scores"]
        self._lengths, self._finished = tensors["lengths"], tensors["finished"]

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Copies of `tensors()`."""
        return {name: value.clone() for name, value in self.tensors().items()}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        self.assign({name: value.clone() for name, value in state.items()})


def _written(rows: torch.Tensor, slot: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """`rows` (G, N) with `value` (G, N) at the columns `slot` (G, N), of which N stands for none."""
    return torch.nn.functional.pad(rows, (0, 1)).scatter(1, slot, value.to(rows.dtype))[:, :-1].contiguous()
