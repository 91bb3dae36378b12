"""ANYmal: a four-legged robot is to walk with commanded velocities."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import mujoco
import torch

from eureka.physics import Snapshot, WorldStates
from eureka.tasks import Controls, Metric, OnDevice, Reset, Rng, Task, state_field
from eureka.tasks.shared.locomotion import total_of
from eureka.tasks.shared.rotations import rotate_back

START_HEIGHT_M = 0.62
# Of each leg, hip, thigh, knee, in the order LF, RF, LH, RH: Isaac Gym's.
STANDING = [0.03, 0.4, -0.8, -0.03, 0.4, -0.8, 0.03, -0.4, 0.8, -0.03, -0.4, 0.8]
ACTION_RAD = 0.5
MOST_TORQUE_NM = 80.0
FALLEN_M = 0.3


class Anymal(Task):
    """Commands, gains and the human reward follow Isaac Gym's Anymal on flat ground; the robot comes with the package
    example-robot-data (BSD-3), its shell replaced by one box for contacts."""

    @dataclass(frozen=True)
    class Carry:
        """`command`: (num_envs, 3), velocities along the body's x and y, m/s, and about z, rad/s."""

        command: torch.Tensor

    @dataclass(frozen=True)
    class State:
        """What a reward may read after a control step."""

        base_height: torch.Tensor = state_field((), "m", "world", "z of the base: 0.62 at the start, 0.5 when standing")
        base_linear_velocity: torch.Tensor = state_field((3,), "m/s", "base", "velocity of the base: x ahead, y left")
        base_angular_velocity: torch.Tensor = state_field((3,), "rad/s", "base", "angular velocity of the base")
        projected_gravity: torch.Tensor = state_field(
            (3,), "1", "base", "direction of gravity: (0, 0, -1) when the base is level"
        )
        command: torch.Tensor = state_field(
            (3,), "m/s, m/s, rad/s", "base", "velocities to keep: along x and y, and about z; of one episode"
        )
        joint_position: torch.Tensor = state_field(
            (12,), "rad", "joint", "hip, thigh, knee of the legs LF, RF, LH, RH, from standing"
        )
        joint_velocity: torch.Tensor = state_field((12,), "rad/s", "joint", "the same joints")
        torque: torch.Tensor = state_field((12,), "N m", "joint", "torques of the same joints; one substep old")
        action: torch.Tensor = state_field(
            (12,), "1", "joint", "angles to take, from standing, as shares of 0.5 rad, -1 to 1"
        )

    def extend_model(self, spec: mujoco.MjSpec) -> None:
        base = spec.body("base")
        base.add_freejoint(name="root")
        base.pos = [0.0, 0.0, START_HEIGHT_M]
        for geom in spec.geoms:
            is_foot = geom.parent.name.endswith("FOOT")
            geom.contype, geom.conaffinity = int(is_foot), 0
            geom.friction, geom.rgba = [1.0, 0.01, 0.001], [0.5, 0.15, 0.15, 1.0]
        base.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.35, 0.15, 0.12], density=0.0, contype=1, conaffinity=0)
        spec.worldbody.add_light(pos=[0, 0, 4])
        spec.worldbody.add_geom(
            name="ground",
            type=mujoco.mjtGeom.mjGEOM_PLANE,
            size=[40, 40, 1],
            contype=0,
            conaffinity=1,
            rgba=[0.8, 0.85, 0.8, 1.0],
        )
        for joint in spec.joints:
            if joint.type == mujoco.mjtJoint.mjJNT_HINGE:
                joint.armature, joint.damping = 0.05, [0.5, 0, 0]
                actuator = spec.add_actuator(name=joint.name, target=joint.name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
                actuator.set_to_position(kp=85.0, kv=2.0)
                actuator.forcelimited, actuator.forcerange = True, [-MOST_TORQUE_NM, MOST_TORQUE_NM]

    @cached_property
    def _standing(self) -> OnDevice:
        return OnDevice(STANDING)

    def control(self, sim: WorldStates, carry: Carry, action: torch.Tensor) -> Controls:
        return Controls(self._standing.like(action) + ACTION_RAD * action)

    def reset(self, rng: Rng, num: int) -> Reset:
        joints = self._standing.like(torch.zeros(1)) * rng.uniform(0.8, 1.2, (num, 12))
        base = torch.tensor([0.0, 0.0, START_HEIGHT_M, 1.0, 0.0, 0.0, 0.0]).expand(num, 7)
        qpos, qvel = torch.cat([base, joints], dim=1), rng.uniform(-0.1, 0.1, (num, 18))
        return Reset(qpos, qvel, self.start(Snapshot(qpos, qvel), rng))

    def start(self, sim: WorldStates, rng: Rng) -> Carry:
        command = rng.uniform(-1.0, 1.0, (sim.num_envs, 3)) * torch.tensor([2.0, 1.0, 1.0])
        return self.Carry(command.to(sim.qpos.device))

    def advance(self, carry: Carry, sim: WorldStates, action: torch.Tensor, rng: Rng) -> Carry:
        return carry

    def state(self, sim: WorldStates, carry: Carry, action: torch.Tensor) -> State:
        turned = sim.qpos[:, 3:7]
        down = torch.zeros_like(sim.qpos[:, :3])
        down = torch.cat([down[:, :2], down[:, 2:] - 1], dim=1)
        return self.State(
            base_height=sim.qpos[:, 2],
            base_linear_velocity=rotate_back(turned, sim.qvel[:, :3]),
            base_angular_velocity=sim.qvel[:, 3:6],
            projected_gravity=rotate_back(turned, down),
            command=carry.command,
            joint_position=sim.qpos[:, 7:] - self._standing.like(sim.qpos),
            joint_velocity=sim.qvel[:, 6:],
            torque=sim.output("actuator_force"),
            action=action,
        )

    def observe(self, state: State) -> torch.Tensor:
        base = [state.base_height[:, None], 2 * state.base_linear_velocity, 0.25 * state.base_angular_velocity]
        joints = [state.joint_position, 0.05 * state.joint_velocity]
        return torch.cat([*base, state.projected_gravity, state.command, *joints], dim=1)

    def terminated(self, state: State) -> torch.Tensor:
        return (state.base_height < FALLEN_M) | (state.projected_gravity[:, 2] > -0.5)

    def _errors(self, state: State) -> tuple[torch.Tensor, torch.Tensor]:
        along = (state.command[:, :2] - state.base_linear_velocity[:, :2]).square().sum(dim=1)
        return along, (state.command[:, 2] - state.base_angular_velocity[:, 2]).square()

    @property
    def metric(self) -> Metric:
        # Eureka's F is the negative sum of the errors; this is 0 while it lies, and 1 when both errors are.
        return Metric(
            value=self.sparse_reward,
            reduce="mean",
            unit="of the command",
            description="mean of exp(-4 error^2) over the commanded velocities along the ground and about the vertical "
            "(the tracking terms of Isaac Gym's Anymal), 0 where it has fallen",
            lowest=0.0,
            highest=1.0,
        )

    def human_reward(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Isaac Gym's Anymal (Makoviychuk et al. 2021): exp(-error / 0.25) of both velocities, less torques.

        Per second they weigh 1, 0.5 and 2.5e-5; the terms' sum is 0 at least.
        """
        along, about = self._errors(state)
        seconds = self.control_timestep_s
        total, components = total_of(
            {
                "linear": seconds * torch.exp(-along / 0.25),
                "angular": 0.5 * seconds * torch.exp(-about / 0.25),
                "torque": -2.5e-5 * seconds * state.torque.square().sum(dim=1),
            }
        )
        return total.clamp(min=0.0), components

    def sparse_reward(self, state: State) -> torch.Tensor:
        along, about = self._errors(state)
        tracked = (torch.exp(-along / 0.25) + torch.exp(-about / 0.25)) / 2
        return torch.where(self.terminated(state), 0.0, tracked)
