"""ManiSkill's LiftCube: the Panda is to grasp a cube and hold it 0.2 m up."""

from __future__ import annotations

import torch

from eureka.tasks import Rng
from eureka.tasks.shared.panda_cube import HALF_CUBE_M, CubeState, PandaCube
from eureka.tasks.shared.sawyer import apart

LIFT_M = 0.2


class LiftCube(PandaCube):
    """What counts is the height alone; the goal is drawn above where the cube lay."""

    def goal_for(self, cube: torch.Tensor, rng: Rng) -> torch.Tensor:
        return cube + torch.tensor([0.0, 0.0, LIFT_M])

    def placed(self, state: CubeState) -> torch.Tensor:
        return state.cube_position[:, 2] >= LIFT_M + HALF_CUBE_M

    def human_reward(self, state: CubeState) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """ManiSkill2's LiftCube (Gu et al. 2023): near the cube, grasping and lifting it; 2.25 when it is done.

        Its grasp is by contact forces; here it is where the fingers are.
        """
        lifted = ((state.cube_position[:, 2] - HALF_CUBE_M) / LIFT_M).clamp(max=1.0)
        components = {
            "reach": 1 - torch.tanh(5 * apart(state.tip_position, state.cube_position)),
            "grasp": 0.25 * state.grasped,
            "lift": state.grasped * lifted,
        }
        under_way = torch.stack(list(components.values())).sum(dim=0)
        return torch.where(self.succeeded(state), 2.25, under_way), components
