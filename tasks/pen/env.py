"""Pen: both hands are to take the cap off a pen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from eureka.physics import WorldStates
from eureka.tasks import state_field
from eureka.tasks.shared.handles import Handles, HandlesState, reach
from eureka.tasks.shared.locomotion import total_of
from eureka.tasks.shared.sawyer import apart
from eureka.tasks.shared.two_hands import ABOVE_TABLE_LEFT, ABOVE_TABLE_RIGHT

NEAR_M, OPEN_M = 0.75, 0.3


class Pen(Handles):
    """The right handle is on the pen's cap, the left one on its barrel, 0.17 m from each other at the start."""

    RIGHT_HAND, LEFT_HAND = ABOVE_TABLE_RIGHT, ABOVE_TABLE_LEFT
    TOO_FAR_M = 1.5

    @dataclass(frozen=True)
    class State(HandlesState):
        """What a reward may read after a control step. The hands point along -x; y is to the right hand's side."""

        cap_way: torch.Tensor = state_field((), "m", "joint", "how far the cap is off: 0 at the start, 0.49 at most")

    def task_fields(self, sim: WorldStates) -> dict[str, torch.Tensor]:
        return {"cap_way": sim.qpos[:, self.address("things/cap")]}

    def observed_fields(self, state: Any) -> Any:
        return [4 * state.cap_way[:, None]]

    def succeeded(self, state: Any) -> torch.Tensor:
        return apart(state.right_handle, state.left_handle) > OPEN_M

    def human_reward(self, state: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Bi-DexHands (Chen et al. 2022): exp(-10 x the tips' distances), and there the handles from each other.

        Where both sums of distances are below 0.75, 5 x the distance of the handles - 0.8 is added.
        """
        right, left = reach(state)
        pulled = 5 * apart(state.right_handle, state.left_handle) - 0.8
        opened = torch.where((right < NEAR_M) & (left < NEAR_M), pulled, 0.0)
        return total_of({"right_hand": torch.exp(-10 * right), "left_hand": torch.exp(-10 * left), "opened": opened})
