"""Humanoid: Gymnasium's two-legged body, told to run along +x."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import mujoco
import torch

from eureka.physics import WorldStates
from eureka.tasks import OnDevice, Rng, state_field
from eureka.tasks.shared.locomotion import Locomotion, add_accelerometer, total_of


class Humanoid(Locomotion):
    """Start states, end of an episode and human reward follow Gymnasium's Humanoid-v5; the observation is the part of
    its observation that comes before the inertias, `cinert`."""

    POSITION_NOISE = VELOCITY_NOISE = 1e-2

    @dataclass(frozen=True)
    class Carry:
        """`position` and `previous_position`: (num_envs, 2) of the torso in the world's plane, metres, now and one
        control step ago. `mass_centre` and `previous_mass_centre`: (num_envs, 2), likewise, of the whole body.
        `action` and `previous_action`: (num_envs, 17), likewise."""

        position: torch.Tensor
        previous_position: torch.Tensor
        mass_centre: torch.Tensor
        previous_mass_centre: torch.Tensor
        action: torch.Tensor
        previous_action: torch.Tensor

    @dataclass(frozen=True)
    class State:
        """What a reward may read after a control step."""

        torso_position: torch.Tensor = state_field(
            (3,), "m", "world", "centre of the torso; z is its height, 1.4 at the start and fallen below 1.0"
        )
        torso_orientation: torch.Tensor = state_field((4,), "1", "world", "unit quaternion of the torso, (w, x, y, z)")
        torso_linear_velocity: torch.Tensor = state_field((3,), "m/s", "world", "velocity of the torso at this instant")
        torso_angular_velocity: torch.Tensor = state_field(
            (3,), "rad/s", "torso", "angular velocity of the torso at this instant"
        )
        forward_velocity: torch.Tensor = state_field(
            (), "m/s", "world", "progress of the torso along +x during the step, divided by its duration"
        )
        lateral_velocity: torch.Tensor = state_field(
            (), "m/s", "world", "progress of the torso along +y during the step, divided by its duration"
        )
        mass_centre_velocity: torch.Tensor = state_field(
            (2,),
            "m/s",
            "world",
            "progress of the whole body's centre of mass along +x and +y during the step, divided by its duration; "
            "one substep old",
        )
        up_projection: torch.Tensor = state_field(
            (), "1", "world", "z of the torso's up axis: 1 upright, 0 lying, -1 upside down"
        )
        heading_projection: torch.Tensor = state_field(
            (), "1", "world", "x of the torso's forward axis: 1 when it faces +x"
        )
        joint_position: torch.Tensor = state_field(
            (17,),
            "rad",
            "joint",
            "angles in the model's order: abdomen z, y, x; right hip x, z, y; right knee; left hip x, z, y; left knee; "
            "right shoulder 1, 2; right elbow; left shoulder 1, 2; left elbow",
        )
        joint_velocity: torch.Tensor = state_field((17,), "rad/s", "joint", "joint velocities, in the same order")
        foot_position: torch.Tensor = state_field(
            (2, 3),
            "m",
            "world",
            "centres of the right and the left foot; on the ground at z 0.075; one substep old",
        )
        contact_wrench: torch.Tensor = state_field(
            (13, 6),
            "N m, N",
            "world",
            "external torque (first 3) and force (last 3) on each body from contacts, one substep old: torso, waist, "
            "pelvis; right thigh, shin, foot; left thigh, shin, foot; right upper, lower arm; left upper, lower arm",
        )
        action: torch.Tensor = state_field(
            (17,),
            "1",
            "joint",
            "torque command of this step as a share of the maximum, -1 to 1; in the order of the joints, but with "
            "abdomen y before z",
        )
        previous_action: torch.Tensor = state_field((17,), "1", "joint", "torque command of the step before")

    def extend_model(self, spec: mujoco.MjSpec) -> None:
        add_accelerometer(spec, "torso")

    @cached_property
    def _mass_shares(self) -> OnDevice:
        """Each body's share of the whole mass, (num_bodies,)."""
        mass = torch.from_numpy(self.model.body_mass)
        return OnDevice(mass / mass.sum())

    def _mass_centre_of(self, qpos: torch.Tensor) -> torch.Tensor:
        """The whole body's centre of mass in the world's plane, (num_envs, 2), in states that no engine has seen."""
        data = mujoco.MjData(self.model)
        rows = torch.empty(len(qpos), 2, dtype=torch.float64)
        for index, row in enumerate(qpos.cpu().numpy()):
            data.qpos[:] = row
            mujoco.mj_kinematics(self.model, data)
            mujoco.mj_comPos(self.model, data)
            rows[index] = torch.from_numpy(data.subtree_com[0, :2])
        return rows.to(qpos)

    def start(self, sim: WorldStates, rng: Rng) -> Carry:
        position = sim.qpos[:, :2].clone()
        mass_centre = self._mass_centre_of(sim.qpos)
        action = torch.zeros(sim.num_envs, self.num_actions)
        return self.Carry(position, position, mass_centre, mass_centre, action, action)

    def advance(self, carry: Carry, sim: WorldStates, action: torch.Tensor, rng: Rng) -> Carry:
        # As Gymnasium: of the bodies' places at the start of the last substep.
        places = sim.output("xipos")[:, :, :2]
        mass_centre = (self._mass_shares.like(places)[:, None] * places).sum(dim=1)
        return self.Carry(
            position=sim.qpos[:, :2].clone(),
            previous_position=carry.position,
            mass_centre=mass_centre,
            previous_mass_centre=carry.mass_centre,
            action=action,
            previous_action=carry.action,
        )

    def state(self, sim: WorldStates, carry: Carry, action: torch.Tensor) -> State:
        _, x, y, z = sim.qpos[:, 3:7].unbind(dim=1)
        velocity = (carry.position - carry.previous_position) / self.control_timestep_s
        return self.State(
            torso_position=sim.qpos[:, :3],
            torso_orientation=sim.qpos[:, 3:7],
            torso_linear_velocity=sim.qvel[:, :3],
            torso_angular_velocity=sim.qvel[:, 3:6],
            forward_velocity=velocity[:, 0],
            lateral_velocity=velocity[:, 1],
            mass_centre_velocity=(carry.mass_centre - carry.previous_mass_centre) / self.control_timestep_s,
            up_projection=1 - 2 * (x * x + y * y),
            heading_projection=1 - 2 * (y * y + z * z),
            joint_position=sim.qpos[:, 7:],
            joint_velocity=sim.qvel[:, 6:],
            # Bodies 6 and 9 of the model.
            foot_position=sim.output("xipos")[:, 6:10:3],
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
        return ~((height > 1.0) & (height < 2.0))

    def human_reward(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Gymnasium's Humanoid-v5: 1.25 x forward speed of the centre of mass + 5 while healthy - control cost -
        contact cost, the last capped at 10. The largest control is 0.4, and Gymnasium's cost is 0.1 times its square.
        """
        components = {
            "forward": 1.25 * state.mass_centre_velocity[:, 0],
            "healthy": 5 * (~self.terminated(state)).float(),
            "control": -0.1 * 0.4**2 * state.action.square().sum(dim=1),
            "contact": -(5e-7 * state.contact_wrench.square().sum(dim=(1, 2))).clamp(max=10),
        }
        return total_of(components)
