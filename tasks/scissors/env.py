"""Scissors: both hands are to open a pair of scissors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from eureka.physics import WorldStates
from eureka.tasks import state_field
from eureka.tasks.shared.handles import Handles, HandlesState, reach
from eureka.tasks.shared.locomotion import total_of
from eureka.tasks.shared.two_hands import ABOVE_TABLE_LEFT, ABOVE_TABLE_RIGHT

NEAR_M = 0.7
OPEN_RAD = 0.29
"""Bi-DexHands' joint goes from -0.59, closed, to above -0.3."""


class Scissors(Handles):
    """The scissors lie on a table; each hand has the handle on its own side."""

    RIGHT_HAND, LEFT_HAND = ABOVE_TABLE_RIGHT, ABOVE_TABLE_LEFT
    TOO_FAR_M = 1.75

    @dataclass(frozen=True)
    class State(HandlesState):
        """What a reward may read after a control step. The hands point along -x; y is to the right hand's side."""

        opening: torch.Tensor = state_field((), "rad", "joint", "how far the scissors are open: 0 closed, 1 at most")

    def task_fields(self, sim: WorldStates) -> dict[str, torch.Tensor]:
        return {"opening": sim.qpos[:, self.address("things/half")]}

    def observed_fields(self, state: Any) -> Any:
        return [2 * state.opening[:, None]]

    def succeeded(self, state: Any) -> torch.Tensor:
        return state.opening > OPEN_RAD

    def human_reward(self, state: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Bi-DexHands (Chen et al. 2022): 2 - the tips' distances, and 5 x the opening where both are below 0.7."""
        right, left = reach(state)
        opened = torch.where((right < NEAR_M) & (left < NEAR_M), 5 * state.opening, 0.0)
        return total_of({"hands": 2 - right - left, "opened": opened})
