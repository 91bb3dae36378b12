"""Push block: each hand is to push a block of its own to a place."""

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

THERE_M = 0.1


class PushBlock(Handles):
    """A handle is the centre of a block of 5 cm; it starts 20 cm before its goal."""

    RIGHT_HAND, LEFT_HAND = ABOVE_TABLE_RIGHT, ABOVE_TABLE_LEFT
    TOO_FAR_M = 1.2

    @dataclass(frozen=True)
    class State(HandlesState):
        """What a reward may read after a control step. The hands point along -x; y is to the right hand's side."""

        right_goal: torch.Tensor = state_field((3,), "m", "world", "where the right block's centre is to be")
        left_goal: torch.Tensor = state_field((3,), "m", "world", "where the left block's centre is to be")

    def task_fields(self, sim: WorldStates) -> dict[str, torch.Tensor]:
        return {"right_goal": self.site(sim, "things/right_goal"), "left_goal": self.site(sim, "things/left_goal")}

    def succeeded(self, state: Any) -> torch.Tensor:
        """1 where both blocks are within 0.1 m of their goals, 0.5 where the left one alone is, (num_envs,)."""
        right = apart(state.right_handle, state.right_goal) <= THERE_M
        left = apart(state.left_handle, state.left_goal) <= THERE_M
        return left * (0.5 + 0.5 * right)

    def human_reward(self, state: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Bi-DexHands (Chen et al. 2022): 1.2 - the tips' distances for each hand, and 5 - 5 x the blocks' ways."""
        right, left = reach(state)
        ways = apart(state.right_handle, state.right_goal) + apart(state.left_handle, state.left_goal)
        return total_of({"right_hand": 1.2 - right, "left_hand": 1.2 - left, "blocks": 5 - 5 * ways})
