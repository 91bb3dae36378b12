"""Hopper: Gymnasium's one-legged body in a vertical plane, told to hop along +x."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from eureka.physics import Snapshot, WorldStates
from eureka.tasks import Metric, Reset, Rng, Task, state_field


class Hopper(Task):
    """Observation, start states, end of an episode and human reward follow Gymnasium's Hopper-v5."""

    @dataclass(frozen=True)
    class Carry:
        """`position` and `previous_position`: (num_envs,) of the torso along x, metres, now and one control step ago.
        `action` and `previous_action`: (num_envs, 3), likewise."""

        position: torch.Tensor
        previous_position: torch.Tensor
        action: torch.Tensor
        previous_action: torch.Tensor

    @dataclass(frozen=True)
    class State:
        """What a reward may read after a control step."""

        torso_position: torch.Tensor = state_field(
            (2,), "m", "world", "x and height of the torso; the height is 1.25 at the start and fallen below 0.7"
        )
        torso_velocity: torch.Tensor = state_field(
            (2,), "m/s", "world", "velocity of the torso along x and up, at this instant"
        )
        forward_velocity: torch.Tensor = state_field(
            (), "m/s", "world", "progress along +x during the step, divided by its duration"
        )
        torso_pitch: torch.Tensor = state_field(
            (), "rad", "world", "angle of the torso from upright, positive when it leans forward; fallen beyond 0.2"
        )
        torso_pitch_rate: torch.Tensor = state_field((), "rad/s", "world", "angular velocity of the torso")
        joint_position: torch.Tensor = state_field((3,), "rad", "joint", "hip, knee and ankle angles, 0 at the start")
        joint_velocity: torch.Tensor = state_field((3,), "rad/s", "joint", "hip, knee and ankle velocities")
        action: torch.Tensor = state_field(
            (3,), "1", "joint", "torque command of this step as a share of the maximum, -1 to 1"
        )
        previous_action: torch.Tensor = state_field((3,), "1", "joint", "torque command of the step before")

    def reset(self, rng: Rng, num: int) -> Reset:
        # Gymnasium's noise.
        qpos = torch.from_numpy(self.model.qpos0) + rng.uniform(-5e-3, 5e-3, (num, self.model.nq))
        qvel = rng.uniform(-5e-3, 5e-3, (num, self.model.nv))
        return Reset(qpos, qvel, self.start(Snapshot(qpos, qvel), rng))

    def start(self, sim: WorldStates, rng: Rng) -> Carry:
        position = sim.qpos[:, 0].clone()
        action = torch.zeros(sim.num_envs, self.model.nu)
        return self.Carry(position, position, action, action)

    def advance(self, carry: Carry, sim: WorldStates, action: torch.Tensor, rng: Rng) -> Carry:
        return self.Carry(
            position=sim.qpos[:, 0].clone(),
            previous_position=carry.position,
            action=action,
            previous_action=carry.action,
        )

    def state(self, sim: WorldStates, carry: Carry, action: torch.Tensor) -> State:
        return self.State(
            torso_position=sim.qpos[:, :2],
            torso_velocity=sim.qvel[:, :2],
            forward_velocity=(carry.position - carry.previous_position) / self.control_timestep_s,
            torso_pitch=sim.qpos[:, 2],
            torso_pitch_rate=sim.qvel[:, 2],
            joint_position=sim.qpos[:, 3:],
            joint_velocity=sim.qvel[:, 3:],
            action=action,
            previous_action=carry.previous_action,
        )

    def observe(self, state: State) -> torch.Tensor:
        positions = [state.torso_position[:, 1:], state.torso_pitch[:, None], state.joint_position]
        velocities = [state.torso_velocity, state.torso_pitch_rate[:, None], state.joint_velocity]
        return torch.cat([*positions, *(velocity.clamp(-10, 10) for velocity in velocities)], dim=1)

    def terminated(self, state: State) -> torch.Tensor:
        rest = [state.torso_velocity, state.torso_pitch_rate[:, None], state.joint_position, state.joint_velocity]
        within = (torch.cat(rest, dim=1).abs() < 100).all(dim=1)
        return ~((state.torso_position[:, 1] > 0.7) & (state.torso_pitch.abs() < 0.2) & within)

    @property
    def metric(self) -> Metric:
        return Metric(
            value=lambda state: state.forward_velocity,
            reduce="mean",
            unit="m/s",
            description="progress along +x per second",
        )

    def human_reward(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Gymnasium's Hopper-v5: forward speed + 1 while healthy - control cost."""
        components = {
            "forward": state.forward_velocity,
            "healthy": (~self.terminated(state)).float(),
            "control": -1e-3 * state.action.square().sum(dim=1),
        }
        return torch.stack(list(components.values())).sum(dim=0), components

    def sparse_reward(self, state: State) -> torch.Tensor:
        return state.forward_velocity
