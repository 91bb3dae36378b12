"""Ant: Gymnasium's four-legged body, told to run along +x."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import torch

from eureka.physics import WorldStates
from eureka.tasks import state_field
from eureka.tasks.shared.locomotion import Locomotion, ProgressCarry, add_accelerometer, total_of


class Ant(Locomotion):
    """Observation and human reward follow Gymnasium's Ant-v5; an episode ends also when the ant lies on its back."""

    POSITION_NOISE = VELOCITY_NOISE = 0.1
    VELOCITY_KIND = "normal"
    DIMENSIONS = 2

    @dataclass(frozen=True)
    class State:
        """What a reward may read after a control step."""

        torso_position: torch.Tensor = state_field(
            (3,), "m", "world", "centre of the torso; z is its height, 0.75 at the start"
        )
        torso_orientation: torch.Tensor = state_field((4,), "1", "world", "unit quaternion of the torso, (w, x, y, z)")
        torso_linear_velocity: torch.Tensor = state_field((3,), "m/s", "world", "velocity of the torso at this instant")
        torso_angular_velocity: torch.Tensor = state_field(
            (3,), "rad/s", "torso", "angular velocity of the torso at this instant"
        )
        forward_velocity: torch.Tensor = state_field(
            (), "m/s", "world", "progress along +x during the step, divided by its duration"
        )
        lateral_velocity: torch.Tensor = state_field(
            (), "m/s", "world", "progress along +y during the step, divided by its duration"
        )
        up_projection: torch.Tensor = state_field(
            (), "1", "world", "z of the torso's up axis: 1 upright, -1 on its back"
        )
        heading_projection: torch.Tensor = state_field(
            (), "1", "world", "x of the torso's forward axis: 1 when it faces +x"
        )
        joint_position: torch.Tensor = state_field(
            (8,),
            "rad",
            "joint",
            "angles in the model's order: hip_1, ankle_1, hip_2, ankle_2, hip_3, ankle_3, hip_4, ankle_4",
        )
        joint_velocity: torch.Tensor = state_field(
            (8,), "rad/s", "joint", "hip and ankle velocities, in the same order"
        )
        contact_wrench: torch.Tensor = state_field(
            (13, 6),
            "N m, N",
            "world",
            "external torque (first 3) and force (last 3) on each body from contacts, one substep old: the torso, then "
            "of leg 1, 2, 3 and 4 the hip, the upper and the lower part",
        )
        action: torch.Tensor = state_field(
            (8,),
            "1",
            "joint",
            "torque command of this step as a share of the maximum, -1 to 1; not in the order of the joints: hip_4, "
            "ankle_4, hip_1, ankle_1, hip_2, ankle_2, hip_3, ankle_3",
        )
        previous_action: torch.Tensor = state_field((8,), "1", "joint", "torque command of the step before")

    def extend_model(self, spec: mujoco.MjSpec) -> None:
        add_accelerometer(spec, "torso")

    def state(self, sim: WorldStates, carry: ProgressCarry, action: torch.Tensor) -> State:
        _, x, y, z = sim.qpos[:, 3:7].unbind(dim=1)
        velocity = (carry.position - carry.previous_position) / self.control_timestep_s
        return self.State(
            torso_position=sim.qpos[:, :3],
            torso_orientation=sim.qpos[:, 3:7],
            torso_linear_velocity=sim.qvel[:, :3],
            torso_angular_velocity=sim.qvel[:, 3:6],
            forward_velocity=velocity[:, 0],
            lateral_velocity=velocity[:, 1],
            up_projection=1 - 2 * (x * x + y * y),
            heading_projection=1 - 2 * (y * y + z * z),
            joint_position=sim.qpos[:, 7:],
            joint_velocity=sim.qvel[:, 6:],
            contact_wrench=sim.output("cfrc_ext")[:, 1:],
            action=action,
            previous_action=carry.previous_action,
        )

    def observe(self, state: State) -> torch.Tensor:
        return torch.cat(
            [
                state.torso_position[:, 2:],
                state.torso_orientation,
                state.joint_position,
                state.torso_linear_velocity,
                state.torso_angular_velocity,
                state.joint_velocity,
            ],
            dim=1,
        )

    def terminated(self, state: State) -> torch.Tensor:
        height = state.torso_position[:, 2]
        return (height < 0.2) | (height > 1.2) | (state.up_projection < 0.2)

    def human_reward(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Gymnasium's Ant-v5: forward speed + 1 while healthy - control cost - contact cost."""
        height = state.torso_position[:, 2]
        components = {
            "forward": state.forward_velocity,
            "healthy": ((height >= 0.2) & (height <= 1.0)).float(),
            "control": -0.5 * state.action.square().sum(dim=1),
            "contact": -5e-4 * state.contact_wrench.clamp(-1, 1).square().sum(dim=(1, 2)),
        }
        return total_of(components)
