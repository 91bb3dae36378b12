"""Ant on its back: it turns over, and stays so."""

from __future__ import annotations

import torch

from eureka.tasks import Metric
from eureka.tasks.shared.ant_poses import AntPose, AntPoseState
from eureka.tasks.shared.locomotion import total_of


class AntOnBack(AntPose):
    """What falls over in other tasks is what this one asks for."""

    @property
    def metric(self) -> Metric:
        return Metric(
            value=self.sparse_reward,
            reduce="mean",
            unit="of the time",
            description="share of the episode on its back, its up axis within 25 degrees of straight down",
        )

    def human_reward(self, state: AntPoseState) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """As a person would begin: the up axis down, calm there, and little effort."""
        lying = self.sparse_reward(state)
        return total_of(
            {
                "turned": -state.up_projection,
                "lying": lying,
                "calm": -0.05 * lying * state.torso_angular_velocity.square().sum(dim=1).clamp(max=20.0),
                "effort": -0.02 * state.action.square().sum(dim=1),
            }
        )

    def sparse_reward(self, state: AntPoseState) -> torch.Tensor:
        return (state.up_projection < -0.9).float()
