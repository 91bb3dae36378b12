"""Hopper: Gymnasium's one-legged body in a vertical plane, told to hop along +x."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from eureka.tasks import state_field
from eureka.tasks.shared.locomotion import PlanarRunner, total_of


class Hopper(PlanarRunner):
    """Observation, start states, end of an episode and human reward follow Gymnasium's Hopper-v5."""

    POSITION_NOISE = VELOCITY_NOISE = 5e-3

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

    def terminated(self, state: State) -> torch.Tensor:
        rest = [state.torso_velocity, state.torso_pitch_rate[:, None], state.joint_position, state.joint_velocity]
        within = (torch.cat(rest, dim=1).abs() < 100).all(dim=1)
        return ~((state.torso_position[:, 1] > 0.7) & (state.torso_pitch.abs() < 0.2) & within)

    def human_reward(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Gymnasium's Hopper-v5: forward speed + 1 while healthy - control cost."""
        components = {
            "forward": state.forward_velocity,
            "healthy": (~self.terminated(state)).float(),
            "control": -1e-3 * state.action.square().sum(dim=1),
        }
        return total_of(components)
