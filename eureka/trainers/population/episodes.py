"""The task metric of whole episodes, followed step by step for all worlds."""

from __future__ import annotations

import torch

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
        # Asking a device whether any is done would wait for it.
        if done.device.type != "cpu" or done.any():
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
        self._finished += done.sum(dim=1)

    def recent(self, group: int) -> tuple[float, float]:
        """Mean (score, length in steps) of a group's recent episodes; (0, 0) before the first has ended."""
        count = min(int(self._finished[group]), self._scores.shape[1])
        if count == 0:
            return 0.0, 0.0
        return float(self._scores[group, :count].mean()), float(self._lengths[group, :count].mean())

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Every tensor has num_groups as its leading dimension."""
        return {
            "value": self._value.clone(),
            "scores": self._scores.clone(),
            "lengths": self._lengths.clone(),
            "finished": self._finished.clone(),
        }

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        self._value, self._scores = state["value"].clone(), state["scores"].clone()
        self._lengths, self._finished = state["lengths"].clone(), state["finished"].clone()


def _written(rows: torch.Tensor, slot: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """`rows` (G, N) with `value` (G, N) at the columns `slot` (G, N), of which N stands for none."""
    return torch.nn.functional.pad(rows, (0, 1)).scatter(1, slot, value.to(rows.dtype))[:, :-1].contiguous()
