"""Poses of Gymnasium's ant: what tasks share that ask it to hold one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mujoco
import torch

from eureka.physics import WorldStates
from eureka.tasks.base import state_field
from eureka.tasks.shared.locomotion import Locomotion, ProgressCarry

# Each leg's last geom, and the end of it in the leg's own frame, as the model has them.
FEET = {
    "left_ankle_geom": (0.4, 0.4, 0.0),
    "right_ankle_geom": (-0.4, 0.4, 0.0),
    "third_ankle_geom": (-0.4, -0.4, 0.0),
    "fourth_ankle_geom": (0.4, -0.4, 0.0),
}


@dataclass(frozen=True)
class AntPoseState:
    """What a reward may read after a control step."""

    torso_height: torch.Tensor = state_field((), "m", "world", "z of the torso's centre, 0.75 at the start")
    torso_orientation: torch.Tensor = state_field((4,), "1", "world", "unit quaternion of the torso, (w, x, y, z)")
    torso_linear_velocity: torch.Tensor = state_field((3,), "m/s", "world", "velocity of the torso at this instant")
    torso_angular_velocity: torch.Tensor = state_field(
        (3,), "rad/s", "torso", "angular velocity of the torso at this instant"
    )
    up_projection: torch.Tensor = state_field((), "1", "world", "z of the torso's up axis: 1 upright, -1 on its back")
    foot_height: torch.Tensor = state_field(
        (4,),
        "m",
        "world",
        "z of the ends of the legs at (+x, +y), (-x, +y), (-x, -y) and (+x, -y) of the torso: the first two are its "
        "front feet; about 0.08 where one stands on the floor; one substep old",
    )
    joint_position: torch.Tensor = state_field(
        (8,), "rad", "joint", "hip and ankle of each leg, in the order of the feet, from the model's zero"
    )
    joint_velocity: torch.Tensor = state_field((8,), "rad/s", "joint", "hip and ankle velocities, likewise")
    action: torch.Tensor = state_field(
        (8,),
        "1",
        "joint",
        "torque command of this step as a share of the maximum, -1 to 1, in the order hip_4, ankle_4, hip_1, ankle_1, "
        "hip_2, ankle_2, hip_3, ankle_3",
    )
    previous_action: torch.Tensor = state_field((8,), "1", "joint", "torque command of the step before, likewise")


class AntPose(Locomotion):
    """Start states are Gymnasium's. No episode ends early: the ant may lie as it likes."""

    POSITION_NOISE = VELOCITY_NOISE = 0.1
    VELOCITY_KIND = "normal"
    DIMENSIONS = 2
    State = AntPoseState

    def extend_model(self, spec: mujoco.MjSpec) -> None:
        for name, end in FEET.items():
            spec.geom(name).parent.add_site(name=f"end_of_{name}", pos=end)

    def state(self, sim: WorldStates, carry: ProgressCarry, action: torch.Tensor) -> Any:
        _, x, y, _ = sim.qpos[:, 3:7].unbind(dim=1)
        return self.State(
            torso_height=sim.qpos[:, 2],
            torso_orientation=sim.qpos[:, 3:7],
            torso_linear_velocity=sim.qvel[:, :3],
            torso_angular_velocity=sim.qvel[:, 3:6],
            up_projection=1 - 2 * (x * x + y * y),
            foot_height=sim.output("site_xpos")[:, -4:, 2],
            joint_position=sim.qpos[:, 7:],
            joint_velocity=sim.qvel[:, 6:],
            action=action,
            previous_action=carry.previous_action,
        )

    def observe(self, state: Any) -> torch.Tensor:
        velocities = [state.torso_linear_velocity, state.torso_angular_velocity, state.joint_velocity]
        return torch.cat(
            [state.torso_height[:, None], state.torso_orientation, state.joint_position, *velocities], dim=1
        )

    def terminated(self, state: Any) -> torch.Tensor:
        return torch.zeros_like(state.torso_height, dtype=torch.bool)
