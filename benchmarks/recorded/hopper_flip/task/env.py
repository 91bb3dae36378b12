"""Hopper front flip: full forward turns that keep the torso off the floor."""

import math
from dataclasses import dataclass

import torch

from eureka.physics import Snapshot
from eureka.tasks import Metric, Reset, Task, state_field

HALF_TORSO_M = 0.2  # from the torso's middle to either end of its axis
TORSO_RADIUS_M = 0.05
FULL_TURN = 2 * math.pi


class HopperFlip(Task):
    """The hopper starts upright. No episode ends early: a hopper that fell lies there until the time is up."""

    @dataclass(frozen=True)
    class Carry:
        """`pitch`: (num_envs,) unwrapped, rad. `progress`: forward turn since the torso last touched the floor or a
        turn was completed, rad. `turns`: full turns so far. `completed`: whether one was completed in this step."""

        pitch: torch.Tensor
        progress: torch.Tensor
        turns: torch.Tensor
        completed: torch.Tensor

    @dataclass(frozen=True)
    class State:
        """What a reward may read after a control step."""

        torso_height: torch.Tensor = state_field((), "m", "world", "z of the torso's middle: 1.25 when standing")
        lowest_torso_point: torch.Tensor = state_field(
            (), "m", "world", "z of the torso's lowest surface point: 1.0 when standing, 0 where it touches the floor"
        )
        forward_velocity: torch.Tensor = state_field((), "m/s", "world", "velocity of the torso along +x")
        vertical_velocity: torch.Tensor = state_field((), "m/s", "world", "velocity of the torso along +z")
        up_projection: torch.Tensor = state_field(
            (), "1", "world", "z of the torso's axis: 1 upright, 0 level, -1 head down"
        )
        pitch: torch.Tensor = state_field(
            (), "rad", "world", "angle of the torso from upright, -pi to pi: positive where it leans forward"
        )
        pitch_velocity: torch.Tensor = state_field(
            (), "rad/s", "world", "angular velocity of the torso: positive turns forward, as a front flip does"
        )
        turn_progress: torch.Tensor = state_field(
            (),
            "rad",
            "world",
            "how far the torso has turned forward since it last touched the floor, completed a full turn, or the start "
            "of the episode: 0 to 2 pi within a flip, negative where it turned backward",
        )
        turn_completed: torch.Tensor = state_field(
            (), "1", "world", "1 in the step in which a full turn without touching the floor was completed, else 0"
        )
        turns: torch.Tensor = state_field((), "1", "world", "full turns completed so far in this episode")
        joint_angles: torch.Tensor = state_field(
            (3,), "rad", "body", "thigh (-2.6 to 0), leg (-2.6 to 0), foot (-0.8 to 0.8): 0 is the straight leg"
        )
        joint_velocities: torch.Tensor = state_field((3,), "rad/s", "body", "angular velocities of the same joints")
        action: torch.Tensor = state_field(
            (3,), "1", "body", "torques of the same joints as a share of 200 N m, -1 to 1"
        )

    def reset(self, rng, num):
        qpos = torch.zeros(num, 6) + rng.uniform(-0.01, 0.01, (num, 6))
        qpos = qpos + torch.tensor([0.0, 1.25, 0.0, 0.0, 0.0, 0.0])
        qvel = rng.uniform(-0.01, 0.01, (num, 6))
        return Reset(qpos, qvel, self.start(Snapshot(qpos, qvel), rng))

    def start(self, sim, rng):
        pitch = sim.qpos[:, 2].clone()  # a view: the engine writes the next step into it
        zero = torch.zeros_like(pitch)
        return self.Carry(pitch, zero, zero, zero)

    def advance(self, carry, sim, action, rng):
        height, pitch = sim.qpos[:, 1], sim.qpos[:, 2].clone()
        lowest = height - HALF_TORSO_M * torch.cos(pitch).abs() - TORSO_RADIUS_M
        progress = carry.progress + (pitch - carry.pitch)
        progress = torch.where(lowest < 0.01, torch.zeros_like(progress), progress)
        completed = (progress >= FULL_TURN).float()
        return self.Carry(pitch, progress - FULL_TURN * completed, carry.turns + completed, completed)

    def state(self, sim, carry, action):
        height, pitch = sim.qpos[:, 1], sim.qpos[:, 2].clone()
        return self.State(
            torso_height=height,
            lowest_torso_point=height - HALF_TORSO_M * torch.cos(pitch).abs() - TORSO_RADIUS_M,
            forward_velocity=sim.qvel[:, 0],
            vertical_velocity=sim.qvel[:, 1],
            up_projection=torch.cos(pitch),
            pitch=torch.atan2(torch.sin(pitch), torch.cos(pitch)),
            pitch_velocity=sim.qvel[:, 2],
            turn_progress=carry.progress,
            turn_completed=carry.completed,
            turns=carry.turns,
            joint_angles=sim.qpos[:, 3:6],
            joint_velocities=sim.qvel[:, 3:6],
            action=action,
        )

    def observe(self, state):
        return torch.cat(
            [
                torch.stack(
                    [
                        state.torso_height,
                        state.forward_velocity / 5,
                        state.vertical_velocity / 5,
                        state.up_projection,
                        torch.sin(state.pitch),
                        state.pitch_velocity / 10,
                        state.turn_progress / FULL_TURN,
                    ],
                    dim=1,
                ),
                state.joint_angles,
                state.joint_velocities / 10,
            ],
            dim=1,
        )

    def terminated(self, state):
        return torch.zeros_like(state.pitch, dtype=torch.bool)

    @property
    def metric(self):
        return Metric(
            value=lambda state: state.turns + state.turn_progress / FULL_TURN,
            reduce="max",
            unit="flips",
            description="forward turns without the torso touching the floor, the last one counted in fractions",
        )

    def human_reward(self, state):
        components = {
            "spin": 0.2 * torch.clamp(state.pitch_velocity, -10.0, 10.0),
            "height": 0.5 * torch.clamp(state.torso_height, 0.0, 2.0),
            "flip": 10.0 * state.turn_completed,
            "fallen": -0.5 * (state.lowest_torso_point < 0.02).float(),
            "effort": -0.02 * state.action.square().sum(dim=1),
        }
        return sum(components.values()), components

    def sparse_reward(self, state):
        return state.turn_completed
