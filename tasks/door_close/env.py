"""MetaWorld's door-close: an open door is to be pushed shut."""

from __future__ import annotations

from functools import cached_property

import torch

from eureka.tasks import OnDevice
from eureka.tasks.shared.sawyer import Sawyer, SawyerState, apart
from eureka.tasks.shared.tolerance import gaussian_tolerance


class DoorClose(Sawyer):
    """The door starts open by a quarter turn."""

    FIXTURE = "door"
    PLACE_LOW, PLACE_HIGH = (0.0, 0.85, 0.15), (0.1, 0.95, 0.15)
    HAND_START = (-0.5, 0.6, 0.2)
    START = -1.5708
    OBJECT = "geom:handle"
    TARGET_OFFSET = (0.2, -0.2, 0.0)
    SUCCESS_M = 0.08

    def distance(self, object_position: torch.Tensor, target_position: torch.Tensor) -> torch.Tensor:
        return apart(object_position, target_position)

    def v1_distance(self, object_position: torch.Tensor, target_position: torch.Tensor) -> torch.Tensor:
        return apart(object_position[:, :2], target_position[:, :2])

    @cached_property
    def _hand_start(self) -> OnDevice:
        return OnDevice(self.HAND_START)

    def human_reward(self, state: SawyerState) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """MetaWorld's second reward of door-close: the gripper and the handle at the target; 10 when it is shut."""
        to_target = torch.linalg.vector_norm(state.gripper_position - state.target_position, dim=1)
        x, y, z = (state.object_position - self._hand_start.like(state.object_position)).unbind(dim=1)
        margin = torch.sqrt(x.square() + y.square() + z.square()) + 0.1
        hand = 3 * gaussian_tolerance(to_target, margin, within=0.0125)
        door = 6 * gaussian_tolerance(state.distance_to_goal, 0.08**0.5, within=0.05)
        total = torch.where(state.distance_to_goal < 0.05, 10.0, hand + door)
        return total, {"hand": hand, "door": door}
