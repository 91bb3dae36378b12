"""ManiSkill's PickCube: the Panda is to grasp a cube and bring it to a point."""

from __future__ import annotations

import torch

from eureka.tasks import Rng
from eureka.tasks.shared.panda_cube import CubeState, PandaCube
from eureka.tasks.shared.sawyer import apart

NEAR_M = 0.025


class PickCube(PandaCube):
    """The goal is another in every episode, up to 0.3 m above the ground."""

    def goal_for(self, cube: torch.Tensor, rng: Rng) -> torch.Tensor:
        num = len(cube)
        aside = rng.uniform(-0.1, 0.1, (num, 2)) + torch.tensor([0.5, 0.0])
        return torch.cat([aside, rng.uniform(0.05, 0.3, (num, 1))], dim=1)

    def placed(self, state: CubeState) -> torch.Tensor:
        return apart(state.goal_position, state.cube_position) <= NEAR_M

    def human_reward(self, state: CubeState) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """ManiSkill2's PickCube (Gu et al. 2023): near the cube, grasping it, near the goal; 5 when it is done.

        Its grasp is by contact forces; here it is where the fingers are.
        """
        components = {
            "reach": 1 - torch.tanh(5 * apart(state.tip_position, state.cube_position)),
            "grasp": state.grasped,
            "place": state.grasped * (1 - torch.tanh(5 * apart(state.goal_position, state.cube_position))),
        }
        under_way = torch.stack(list(components.values())).sum(dim=0)
        return torch.where(self.succeeded(state), 5.0, under_way), components
