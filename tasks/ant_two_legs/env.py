"""Ant on two legs: it rears up, and holds two of its feet high over the ground."""

from __future__ import annotations

import torch

from eureka.tasks import Metric
from eureka.tasks.shared.ant_poses import AntPose, AntPoseState
from eureka.tasks.shared.locomotion import total_of

RAISED_M = 0.7


class AntTwoLegs(AntPose):
    """No leg can be lifted above 0.45 m while the torso stays level: the whole body has to rear up."""

    @property
    def metric(self) -> Metric:
        return Metric(
            value=self.sparse_reward,
            reduce="mean",
            unit="of the time",
            description="share of the episode with both front feet at least 0.7 m above the ground and the torso above "
            "0.3 m",
        )

    def human_reward(self, state: AntPoseState) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """As a person would begin: front feet up, torso up, a prize for standing, calm and little effort."""
        front = state.foot_height[:, :2].amin(dim=1)
        return total_of(
            {
                "front_feet": torch.clamp(front, 0.0, RAISED_M),
                "torso": torch.clamp(state.torso_height, 0.0, 0.6),
                "standing": self.sparse_reward(state),
                "calm": -0.02 * state.torso_angular_velocity.square().sum(dim=1).clamp(max=20.0),
                "effort": -0.02 * state.action.square().sum(dim=1),
            }
        )

    def sparse_reward(self, state: AntPoseState) -> torch.Tensor:
        raised = (state.foot_height[:, :2] >= RAISED_M).all(dim=1)
        return (raised & (state.torso_height > 0.3)).float()
