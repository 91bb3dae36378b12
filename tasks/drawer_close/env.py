"""MetaWorld's drawer-close: a drawer is to be pushed in."""

from __future__ import annotations

import torch

from eureka.tasks.shared.sawyer import Sawyer, SawyerState, apart
from eureka.tasks.shared.tolerance import gaussian_tolerance, hamacher_product, long_tail_tolerance


class DrawerClose(Sawyer):
    """The drawer starts 0.15 m out."""

    FIXTURE = "drawer"
    PLACE_LOW, PLACE_HIGH = (-0.1, 0.9, 0.0), (0.1, 0.9, 0.0)
    START = -0.15
    OBJECT, OBJECT_OFFSET = "body:drawer_link", (0.0, -0.16, 0.05)
    TARGET_OFFSET = (0.0, -0.16, 0.09)
    SUCCESS_M = 0.065
    V1_MAX_M = 0.15

    def distance(self, object_position: torch.Tensor, target_position: torch.Tensor) -> torch.Tensor:
        return apart(object_position, target_position)

    def v1_distance(self, object_position: torch.Tensor, target_position: torch.Tensor) -> torch.Tensor:
        return (object_position[:, 1] - target_position[:, 1]).abs()

    def human_reward(self, state: SawyerState) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """MetaWorld's second reward of drawer-close: at the handle with the gripper closing, times near the target."""
        way = torch.linalg.vector_norm(state.object_start - state.target_position, dim=1)
        in_place = long_tail_tolerance(state.distance_to_goal, (way - 0.05).abs(), within=0.05)
        reach = torch.linalg.vector_norm(state.object_position - state.gripper_position, dim=1)
        reach_at_start = torch.linalg.vector_norm(state.object_start - state.gripper_start, dim=1)
        near = gaussian_tolerance(reach, (reach_at_start - 0.005).abs(), within=0.005)
        at_handle = hamacher_product(near, state.action[:, 3].clamp(0.0, 1.0))
        total = 10 * torch.where(self.succeeded(state), 1.0, hamacher_product(at_handle, in_place))
        return total, {"at_handle": at_handle, "in_place": in_place}
