"""MetaWorld's handle that is to be pressed down, whichever way it stands."""

from __future__ import annotations

import torch

from eureka.tasks.shared.sawyer import Sawyer, SawyerState
from eureka.tasks.shared.tolerance import hamacher_product, long_tail_tolerance


class PressedHandle(Sawyer):
    """The handle starts up; a task says where its box stands by `PLACE_LOW` and `PLACE_HIGH`, metres."""

    FIXTURE = "box"
    START = -0.001
    OBJECT = "site:handleStart"
    TARGET_SITE = "site:goalPress"
    SUCCESS_M = 0.02
    V1_REACHES_WITH = "left_fingertip"

    def distance(self, object_position: torch.Tensor, target_position: torch.Tensor) -> torch.Tensor:
        return (object_position[:, 2] - target_position[:, 2]).abs()

    def human_reward(self, state: SawyerState) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """MetaWorld's second reward of both tasks: at the handle, times near the target; 1 when it is down."""
        way = (state.object_start[:, 2] - state.target_position[:, 2]).abs()
        in_place = long_tail_tolerance(state.distance_to_goal, (way - self.SUCCESS_M).abs(), within=self.SUCCESS_M)
        reach = torch.linalg.vector_norm(state.object_position - state.gripper_position, dim=1)
        reach_at_start = torch.linalg.vector_norm(state.object_start - state.gripper_start, dim=1)
        at_handle = long_tail_tolerance(reach, (reach_at_start - 0.02).abs(), within=0.02)
        total = 10 * torch.where(self.succeeded(state), 1.0, hamacher_product(at_handle, in_place))
        return total, {"at_handle": at_handle, "in_place": in_place}
