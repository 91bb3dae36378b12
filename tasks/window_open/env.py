"""MetaWorld's window-open: a window is to be slid to the right."""

from __future__ import annotations

import torch

from eureka.tasks.shared.sawyer import Sawyer, SawyerState
from eureka.tasks.shared.tolerance import hamacher_product, long_tail_tolerance


class WindowOpen(Sawyer):
    """The window starts closed. The handle's way is from where it starts, in MetaWorld from the window's middle."""

    FIXTURE = "window"
    PLACE_LOW, PLACE_HIGH = (-0.1, 0.7, 0.16), (0.1, 0.9, 0.16)
    HAND_START = (0.0, 0.4, 0.2)
    OBJECT = "site:handleOpenStart"
    TARGET_OFFSET = (0.2, 0.0, 0.0)
    V1_MAX_M = 0.2

    def distance(self, object_position: torch.Tensor, target_position: torch.Tensor) -> torch.Tensor:
        return (object_position[:, 0] - target_position[:, 0]).abs()

    def human_reward(self, state: SawyerState) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """MetaWorld's second reward of window-open: at the handle, times near the target."""
        way = (state.object_start[:, 0] - state.target_position[:, 0]).abs()
        in_place = long_tail_tolerance(state.distance_to_goal, (way - 0.05).abs(), within=0.05)
        reach = torch.linalg.vector_norm(state.object_position - state.gripper_position, dim=1)
        reach_at_start = torch.linalg.vector_norm(state.object_start - state.gripper_start, dim=1)
        at_handle = long_tail_tolerance(reach, (reach_at_start - 0.02).abs(), within=0.02)
        return 10 * hamacher_product(at_handle, in_place), {"at_handle": at_handle, "in_place": in_place}
