"""Bottle cap: one hand is to hold a bottle, the other to take its cap off."""

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

OFF_M, NEAR_M = 0.03, 0.3


class BottleCap(Handles):
    """The bottle lies in the left palm and slips if that does not close. The left hand points along -y, the right one
    along +y. Other than in the original, the right handle moves with the cap."""

    RIGHT_HAND = HandPose((0.0, -1.05, 0.5), (3.6416, 0.0, 0.0))
    LEFT_HAND = HandPose((0.0, -0.25, 0.45), (0.0, 0.87, 0.0))

    @dataclass(frozen=True)
    class State(HandlesState):
        """What a reward may read after a control step. The right handle is the bottle's cap, the left its middle."""

        cap_way: torch.Tensor = state_field((), "m", "joint", "how far the cap is off: 0 at the start, 0.1 at most")

    def task_fields(self, sim: WorldStates) -> dict[str, torch.Tensor]:
        return {"cap_way": sim.qpos[:, self.address("things/cap")]}

    def observed_fields(self, state: Any) -> Any:
        return [10 * state.cap_way[:, None]]

    def terminated(self, state: Any) -> Any:
        return {
            "cap below 0.5 m": state.right_handle[:, 2] <= 0.5,
            "right hand too far": apart(state.right_handle, state.right_palm) >= 0.5,
            "left hand too far": apart(state.left_handle, state.left_palm) >= 0.2,
        }

    def succeeded(self, state: Any) -> torch.Tensor:
        return state.cap_way > OFF_M

    def human_reward(self, state: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Bi-DexHands (Chen et al. 2022): right tips at the cap, left palm at the bottle, and there 30 x the cap's way.

        That is 2 - the distances, and the cap's way where the right tips' distances add up to at most 0.3.
        """
        right, left = reach(state)[0], apart(state.left_handle, state.left_palm)
        pulled = torch.where(right <= NEAR_M, 30 * state.cap_way, 0.0)
        return total_of({"hands": 2 - right - left, "cap": pulled})
