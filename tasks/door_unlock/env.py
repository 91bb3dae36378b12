"""MetaWorld's door-unlock: a lock on a door is to be turned."""

from __future__ import annotations

import torch

from eureka.tasks.shared.locomotion import total_of
from eureka.tasks.shared.sawyer import Sawyer, SawyerState, apart
from eureka.tasks.shared.tolerance import long_tail_tolerance


class DoorUnlock(Sawyer):
    """The lock starts turned down."""

    FIXTURE = "door"
    PLACE_LOW, PLACE_HIGH = (-0.1, 0.8, 0.15), (0.1, 0.85, 0.15)
    START = 1.5708
    OBJECT = "site:lockStartUnlock"
    TARGET_OFFSET = (0.1, -0.158, 0.061)
    SUCCESS_M = 0.02
    V1_MAX_M = 0.1077

    def distance(self, object_position: torch.Tensor, target_position: torch.Tensor) -> torch.Tensor:
        return (object_position[:, 0] - target_position[:, 0]).abs()

    def v1_distance(self, object_position: torch.Tensor, target_position: torch.Tensor) -> torch.Tensor:
        return apart(object_position, target_position)

    def human_reward(self, state: SawyerState) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """MetaWorld's second reward of door-unlock: the hand's shoulder at the lock, and the lock's way."""

        def shoulder_to_lock(gripper: torch.Tensor, lock: torch.Tensor) -> torch.Tensor:
            x, y, z = (gripper - lock).unbind(dim=1)
            return torch.sqrt((0.25 * x).square() + (y + 0.055).square() + (0.5 * (z + 0.07)).square())

        lock_centre = torch.stack(
            [state.target_position[:, 0] - 0.1, state.target_position[:, 1] + 0.04, state.target_position[:, 2]], dim=1
        )
        margin = shoulder_to_lock(state.gripper_start, lock_centre)
        ready = long_tail_tolerance(shoulder_to_lock(state.hand_position, state.object_position), margin, within=0.02)
        pushed = long_tail_tolerance(state.distance_to_goal, 0.1, within=0.005)
        return total_of({"ready_to_push": 2 * ready, "pushed": 8 * pushed})
