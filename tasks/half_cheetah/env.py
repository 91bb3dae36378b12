"""Half cheetah: Gymnasium's planar runner with two legs, told to run along +x."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import torch

from eureka.tasks import state_field
from eureka.tasks.shared.locomotion import PlanarRunner, PlanarState, set_total_mass, total_of


class HalfCheetah(PlanarRunner):
    """Observation, start states and human reward follow Gymnasium's HalfCheetah-v5. No episode ends early."""

    POSITION_NOISE = VELOCITY_NOISE = 0.1
    VELOCITY_KIND = "normal"

    @dataclass(frozen=True)
    class State(PlanarState):
        """What a reward may read after a control step."""

        joint_position: torch.Tensor = state_field(
            (6,), "rad", "joint", "back thigh, shin, foot, front thigh, shin, foot; 0 at the start"
        )
        joint_velocity: torch.Tensor = state_field((6,), "rad/s", "joint", "the same joints")
        action: torch.Tensor = state_field(
            (6,), "1", "joint", "torque command of this step as a share of the maximum, -1 to 1"
        )
        previous_action: torch.Tensor = state_field((6,), "1", "joint", "torque command of the step before")

    def extend_model(self, spec: mujoco.MjSpec) -> None:
        set_total_mass(spec)

    def terminated(self, state: State) -> torch.Tensor:
        return torch.zeros_like(state.torso_pitch, dtype=torch.bool)

    def human_reward(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Gymnasium's HalfCheetah-v5: forward speed - control cost."""
        return total_of({"forward": state.forward_velocity, "control": -0.1 * state.action.square().sum(dim=1)})
