"""The task metric of whole episodes, accumulated step by step for all environments."""

from __future__ import annotations

import torch

from eureka.physics import device_graphs
from eureka.tasks import Metric


class EpisodeTracker:
    """Reduces the per-step metric over episodes, and keeps each group's last `num_envs` finished ones.

    An episode whose clock started late (see `Worlds`) had less time than the limit. If it lasted to the limit, its sum
    is scaled up, so that early and late starters count alike; if it ended by itself, its sum is whole. A `mean` is over
    the steps that the episode lasted.
    """

    def __init__(self, metric: Metric, limit: int, num_groups: int, num_envs: int) -> None:
        self._reduce = metric.running_reduction
        self._limit = limit
        self._value = self._initial(num_groups, num_envs)
        # Scores and lengths. Unfinished episodes are written to an extra last column, which is never read.
        self._recent = torch.zeros(num_groups, 2, num_envs + 1)
        self._finished = torch.zeros(num_groups, dtype=torch.int64)

    def _initial(self, *shape: int) -> torch.Tensor:
        return torch.full(shape, -torch.inf if self._reduce == "max" else 0.0)

    def step(
        self, value: torch.Tensor, done: torch.Tensor, clock: torch.Tensor, start_clock: torch.Tensor
    ) -> torch.Tensor:
        """Add the metric of one step (G, N); returns the running episodes' reduced values, which are final scores where
        `done`.
        """
        if self._reduce == "max":
            self._value = torch.maximum(self._value, value)
        elif self._reduce == "last":
            self._value = value.float()
        else:
            self._value = self._value + value
        score = self._value
        if self._reduce == "sum":
            score = self._value * torch.where(clock >= self._limit, self._limit / (self._limit - start_clock), 1.0)
        elif self._reduce == "mean":
            score = self._value / (clock - start_clock)
        if device_graphs.reading_synchronises(done.device) or done.any():
            self._remember(score, (clock - start_clock).float(), done)
            self._value = torch.where(done, self._initial(1, 1), self._value)
        return score

    def _remember(self, score: torch.Tensor, length: torch.Tensor, done: torch.Tensor) -> None:
        size = done.shape[1]
        slot = torch.where(done, (self._finished[:, None] + done.cumsum(dim=1) - 1) % size, size)
        self._recent.scatter_(2, slot[:, None].expand(-1, 2, -1), torch.stack([score.float(), length], dim=1))
        self._finished = self._finished + done.sum(dim=1)

    def recent(self) -> torch.Tensor:
        """Mean score and length in steps of each group's recent episodes, (G, 2); 0 before the first has ended."""
        both = self._recent[..., :-1]
        known = torch.arange(both.shape[2]) < self._finished[:, None]
        return torch.where(known[:, None], both, 0.0).sum(dim=2) / known.sum(dim=1).clamp(min=1)[:, None]

    def start_over(self) -> None:
        """Forget all episodes; the tensors stay at the same place in memory."""
        self._value.copy_(self._initial(*self._value.shape))
        self._recent.zero_()
        self._finished.zero_()

    def tensors(self) -> dict[str, torch.Tensor]:
        """The tracker's tensors by name; each has num_groups as its leading dimension."""
        return {"value": self._value, "recent": self._recent, "finished": self._finished}

    def assign(self, tensors: dict[str, torch.Tensor]) -> None:
        """Use these tensors, named as in `tensors()`, in place of its own."""
        self._value, self._recent, self._finished = (tensors[name] for name in ("value", "recent", "finished"))

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The state for a checkpoint; every tensor has num_groups as its leading dimension."""
        scores, lengths = self._recent[..., :-1].unbind(dim=1)
        tensors = {"value": self._value, "scores": scores, "lengths": lengths, "finished": self._finished}
        return {name: value.clone() for name, value in tensors.items()}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        both = torch.stack([state["scores"], state["lengths"]], dim=1)
        recent = torch.nn.functional.pad(both, (0, 1))
        self.assign({"value": state["value"].clone(), "recent": recent, "finished": state["finished"].clone()})
