"""What the hopper's flips have in common; they differ in their direction alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from eureka.tasks import state_field
from eureka.tasks.shared.flips import Flip, FlipState


class HopperFlip(Flip):
    """The hopper starts upright, its torso's middle at 1.25 m."""

    TORSO_POINTS = ((0.0, -0.2), (0.0, 0.2))
    TORSO_RADIUS_M = 0.05

    @dataclass(frozen=True)
    class State(FlipState):
        """What a reward may read after a control step."""

        joint_angles: torch.Tensor = state_field(
            (3,), "rad", "body", "thigh (-2.6 to 0), leg (-2.6 to 0), foot (-0.8 to 0.8): 0 is the straight leg"
        )
        joint_velocities: torch.Tensor = state_field((3,), "rad/s", "body", "angular velocities of the same joints")
        action: torch.Tensor = state_field(
            (3,), "1", "body", "torques of the same joints as a share of 200 N m, -1 to 1"
        )
