"""Shadow hand: a cube in it is to be turned to one random orientation after another."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import torch

from eureka.tasks import state_field
from eureka.tasks.shared.in_hand import InHand, InHandState


class ShadowHand(InHand):
    """The hand and the cube come with the package gymnasium-robotics, whose tasks start differently."""

    CUBE_START = (1.0, 0.87, 0.2)
    NUM_JOINTS = 24

    @dataclass(frozen=True)
    class State(InHandState):
        """What a reward may read after a control step."""

        joint_position: torch.Tensor = state_field(
            (24,), "rad", "joint", "wrist (2), then first, middle, ring (4 each), little finger (5) and thumb (5)"
        )
        joint_velocity: torch.Tensor = state_field((24,), "rad/s", "joint", "velocities of the same joints")
        action: torch.Tensor = state_field(
            (20,),
            "1",
            "joint",
            "angles to take, within the joints' ranges: wrist (2), first, middle, ring (3 each), "
            "little finger (4) and thumb (5)",
        )

    def extend_model(self, spec: mujoco.MjSpec) -> None:
        spec.delete(spec.joint("target:joint"))
        spec.body("target").mocap = True
