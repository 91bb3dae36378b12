"""MetaWorld's drawer-open: a drawer is to be pulled out by its handle."""

from __future__ import annotations

import torch

from eureka.tasks.shared.locomotion import total_of
from eureka.tasks.shared.sawyer import Sawyer, SawyerState, apart
from eureka.tasks.shared.tolerance import long_tail_tolerance


class DrawerOpen(Sawyer):
    """The drawer starts closed."""

    FIXTURE = "drawer"
    PLACE_LOW, PLACE_HIGH = (-0.1, 0.9, 0.0), (0.1, 0.9, 0.0)
    OBJECT, OBJECT_OFFSET = "body:drawer_link", (0.0, -0.16, 0.0)
    TARGET_OFFSET = (0.0, -0.36, 0.09)
    SUCCESS_M = 0.03
    V1_MAX_M = 0.2

    def distance(self, object_position: torch.Tensor, target_position: torch.Tensor) -> torch.Tensor:
        return apart(object_position, target_position)

    def v1_distance(self, object_position: torch.Tensor, target_position: torch.Tensor) -> torch.Tensor:
        return (object_position[:, 1] - target_position[:, 1]).abs()

    def human_reward(self, state: SawyerState) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """MetaWorld's second reward of drawer-open: the hand around the handle, and the handle near its target."""
        x, y, z = (state.object_position - state.hand_position).unbind(dim=1)
        away = torch.sqrt(9 * x.square() + 9 * y.square() + z.square())
        x, y, z = (state.target_position - state.gripper_start).unbind(dim=1)
        away_at_start = torch.sqrt(9 * x.square() + 9 * (y + 0.2).square() + z.square())
        return total_of(
            {
                "caging": 5 * long_tail_tolerance(away, away_at_start, within=0.01),
                "opening": 5 * long_tail_tolerance(state.distance_to_goal, 0.2, within=0.02),
            }
        )
