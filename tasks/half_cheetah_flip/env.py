"""Half cheetah flip: full forward turns that keep torso and head off the floor."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import torch

from eureka.tasks import state_field
from eureka.tasks.shared.flips import Flip, FlipState
from eureka.tasks.shared.locomotion import set_total_mass


class HalfCheetahFlip(Flip):
    """The cheetah starts on its feet, its torso level at 0.7 m."""

    DIRECTION = 1.0
    # Both ends of the back, and the top of the head.
    TORSO_POINTS = ((-0.5, 0.0), (0.5, 0.0), (0.715, 0.197))
    TORSO_RADIUS_M = 0.046
    START_HEIGHT_M = 0.7

    @dataclass(frozen=True)
    class State(FlipState):
        """What a reward may read after a control step."""

        joint_angles: torch.Tensor = state_field(
            (6,), "rad", "body", "back thigh, shin, foot, front thigh, shin, foot; 0 at the start"
        )
        joint_velocities: torch.Tensor = state_field((6,), "rad/s", "body", "angular velocities of the same joints")
        action: torch.Tensor = state_field((6,), "1", "body", "torques of the same joints as a share, -1 to 1")

    def extend_model(self, spec: mujoco.MjSpec) -> None:
        set_total_mass(spec)
