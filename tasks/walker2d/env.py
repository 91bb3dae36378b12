"""Walker2d: Gymnasium's planar walker with two legs, told to walk along +x."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from eureka.tasks import state_field
from eureka.tasks.shared.locomotion import PlanarRunner, PlanarState, total_of


class Walker2d(PlanarRunner):
    """Observation, start states, end of an episode and human reward follow Gymnasium's Walker2d-v5."""

    POSITION_NOISE = VELOCITY_NOISE = 5e-3

    @dataclass(frozen=True)
    class State(PlanarState):
        """What a reward may read after a control step. The torso's height is 1.25 at the start."""

        joint_position: torch.Tensor = state_field(
            (6,), "rad", "joint", "right thigh, leg, foot, left thigh, leg, foot; 0 at the start"
        )
        joint_velocity: torch.Tensor = state_field((6,), "rad/s", "joint", "the same joints")
        action: torch.Tensor = state_field(
            (6,), "1", "joint", "torque command of this step as a share of the maximum, -1 to 1"
        )
        previous_action: torch.Tensor = state_field((6,), "1", "joint", "torque command of the step before")

    def terminated(self, state: State) -> torch.Tensor:
        height = state.torso_position[:, 1]
        return ~((height > 0.8) & (height < 2.0) & (state.torso_pitch.abs() < 1.0))

    def human_reward(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Gymnasium's Walker2d-v5: forward speed + 1 while healthy - control cost."""
        return total_of(
            {
                "forward": state.forward_velocity,
                "healthy": (~self.terminated(state)).float(),
                "control": -1e-3 * state.action.square().sum(dim=1),
            }
        )
