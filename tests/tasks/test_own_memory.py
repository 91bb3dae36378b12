"""What a task remembers of the engine's state is its own: the next step would overwrite a view of it."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import torch

from eureka.tasks.base import own_memory


@dataclass(frozen=True)
class Carry:
    previous: torch.Tensor
    column: torch.Tensor
    velocity: torch.Tensor
    own: torch.Tensor


def test_views_of_the_engine_are_copied_and_nothing_else() -> None:
    sim = cast(Any, SimpleNamespace(qpos=torch.tensor([[1.0, 2.0]]), qvel=torch.tensor([[3.0]])))
    own = sim.qpos * 2
    carry = own_memory(Carry(sim.qpos, sim.qpos[:, 1], sim.qvel, own), sim)
    sim.qpos += 10
    sim.qvel += 10
    assert carry.previous.tolist() == [[1.0, 2.0]]
    assert carry.column.tolist() == [2.0]
    assert carry.velocity.tolist() == [[3.0]]
    assert (sim.qpos - carry.previous).tolist() == [[10.0, 10.0]]
    assert carry.own is own
