"""An exported reward module as a function of a task's State."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

Tensors = Mapping[str, torch.Tensor]


class StepReward(NamedTuple):
    """The reward of one step: the total (num_envs,), and every component (num_envs,) by name."""

    total: torch.Tensor
    components: Tensors


@dataclass(frozen=True)
class RewardModule:
    """A module that `eureka export` wrote, loaded from `path`.

    `task` is the name of the task that it belongs to, None if the module does not name one; `inputs` are the State
    fields that it reads.
    """

    path: Path
    task: str | None
    inputs: tuple[str, ...]
    components: tuple[str, ...]
    function: Callable[[dict[str, torch.Tensor]], tuple[torch.Tensor, dict[str, torch.Tensor]]]

    @torch.no_grad()
    def __call__(self, state: Tensors) -> StepReward:
        """The reward of a State, given as its fields by name, each (num_envs, ...)."""
        return StepReward(*self.function({name: state[name] for name in self.inputs}))
