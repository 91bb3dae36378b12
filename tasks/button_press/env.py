"""MetaWorld's button-press: a button on a box is to be pushed in."""

from __future__ import annotations

import torch

from eureka.tasks.shared.locomotion import total_of
from eureka.tasks.shared.sawyer import Sawyer, SawyerState
from eureka.tasks.shared.tolerance import hamacher_product, long_tail_tolerance


class ButtonPress(Sawyer):
    """The button faces the robot."""

    FIXTURE = "box"
    PLACE_LOW, PLACE_HIGH = (-0.1, 0.85, 0.115), (0.1, 0.9, 0.115)
    HAND_START = (0.0, 0.4, 0.2)
    OBJECT, OBJECT_OFFSET = "body:button", (0.0, -0.193, 0.0)
    TARGET_SITE = "site:hole"
    SUCCESS_M = 0.02
    BUTTON_WAY_M = 0.0935  # from the button at rest to the hole
    V1_REACHES_WITH = "left_fingertip"

    def distance(self, object_position: torch.Tensor, target_position: torch.Tensor) -> torch.Tensor:
        return (object_position[:, 1] - target_position[:, 1]).abs()

    def human_reward(self, state: SawyerState) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """MetaWorld's second reward of button-press: at the button with the gripper open, and there its way."""
        reach = torch.linalg.vector_norm(state.object_position - state.gripper_position, dim=1)
        reach_at_start = torch.linalg.vector_norm(state.object_position - state.gripper_start, dim=1)
        near = long_tail_tolerance(reach, reach_at_start, within=0.05)
        pressed = long_tail_tolerance(state.distance_to_goal, self.BUTTON_WAY_M, within=0.005)
        return total_of(
            {
                "at_button": 2 * hamacher_product(state.gripper_opening, near),
                "pressed": 8 * pressed * (reach <= 0.05),
            }
        )
