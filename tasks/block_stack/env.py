"""Block stack: both hands are to build a tower of two blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from eureka.physics import WorldStates
from eureka.tasks import state_field
from eureka.tasks.shared.handles import Handles, HandlesState, reach
from eureka.tasks.shared.locomotion import total_of
from eureka.tasks.shared.sawyer import apart
from eureka.tasks.shared.two_hands import HandPose

# Bi-DexHands', metres: the sum of a hand's distances, and the blocks' distances below which the tower is rewarded.
NEAR_M, STACKED_M = 0.5, 0.07


class BlockStack(Handles):
    """A handle is the centre of a block of 5 cm. The right one is to be in the middle, the left one on top of it."""

    RIGHT_HAND = HandPose((0.0, 0.6, 0.7), (3.1416, 0.0, 3.1416))
    LEFT_HAND = HandPose((0.0, -0.6, 0.7), (3.1416, 0.0, 0.0))
    TOO_FAR_M = 0.75

    @dataclass(frozen=True)
    class State(HandlesState):
        """What a reward may read after a control step. The right hand points along -y, the left one along +y."""

        right_goal: torch.Tensor = state_field((3,), "m", "world", "where the right block is to be, below the other")
        left_goal: torch.Tensor = state_field((3,), "m", "world", "where the left block is to be, on top")

    def task_fields(self, sim: WorldStates) -> dict[str, torch.Tensor]:
        return {"right_goal": self.site(sim, "things/right_goal"), "left_goal": self.site(sim, "things/left_goal")}

    def stacked(self, state: Any) -> torch.Tensor:
        """50 x (0.05 - how far the upper block is from its height) where both are within 0.07 m of their goals."""
        right, left = apart(state.right_handle, state.right_goal), apart(state.left_handle, state.left_goal)
        off = (state.left_handle[:, 2] - state.left_goal[:, 2]).abs()
        return torch.where((right < STACKED_M) & (left < STACKED_M), 50 * (0.05 - off), 0.0)

    def succeeded(self, state: Any) -> torch.Tensor:
        return self.stacked(state) > 1

    def human_reward(self, state: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Bi-DexHands (Chen et al. 2022): tips at the blocks, there these at their goals, the upper one's height.

        That is 1.5 - both sums of distances, 2 (0.24 - the blocks' distances) where both sums are below 0.5, and what
        `stacked` gives.
        """
        right, left = reach(state)
        ways = apart(state.right_handle, state.right_goal) + apart(state.left_handle, state.left_goal)
        moved = torch.where((right < NEAR_M) & (left < NEAR_M), 2 * (0.24 - ways), 0.0)
        return total_of({"hands": 1.5 - right - left, "blocks": moved, "stacked": self.stacked(state)})
