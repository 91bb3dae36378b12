"""Lift underarm: both hands are to lift a pot by its handles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from eureka.physics import WorldStates
from eureka.tasks import state_field
from eureka.tasks.shared.handles import Handles, HandlesState
from eureka.tasks.shared.locomotion import total_of
from eureka.tasks.shared.sawyer import apart
from eureka.tasks.shared.two_hands import HandPose

LIFTED_M, NEAR_M = 0.05, 0.08
TOO_FAR_M = 0.2


class LiftUnderarm(Handles):
    """The hands face each other, palms up, the pot with its handles between them; its goal is 0.4 m higher."""

    RIGHT_HAND = HandPose((0.0, 0.05, 0.45))
    LEFT_HAND = HandPose((0.0, -1.25, 0.45), (0.0, 0.0, 3.1416))

    @dataclass(frozen=True)
    class State(HandlesState):
        """What a reward may read after a control step. The right hand points along -y, the left one along +y."""

        pot_position: torch.Tensor = state_field((3,), "m", "world", "middle of the pot")
        pot_orientation: torch.Tensor = state_field((4,), "1", "world", "unit quaternion of the pot, (w, x, y, z)")
        pot_linear_velocity: torch.Tensor = state_field((3,), "m/s", "world", "velocity of the pot")
        goal_position: torch.Tensor = state_field((3,), "m", "world", "where the pot's middle is to be")

    def task_fields(self, sim: WorldStates) -> dict[str, torch.Tensor]:
        first, moving = self.address("things/pot"), self.velocity_address("things/pot")
        return {
            "pot_position": sim.qpos[:, first : first + 3],
            "pot_orientation": sim.qpos[:, first + 3 : first + 7],
            "pot_linear_velocity": sim.qvel[:, moving : moving + 3],
            "goal_position": self.site(sim, "things/goal"),
        }

    def observed_fields(self, state: Any) -> Any:
        return [4 * (state.goal_position - state.pot_position), state.pot_orientation, state.pot_linear_velocity]

    def terminated(self, state: Any) -> Any:
        right, left = palms_away(state)
        return {
            "pot below 0.3 m": state.pot_position[:, 2] <= 0.3,
            "right hand too far": right >= TOO_FAR_M,
            "left hand too far": left >= TOO_FAR_M,
        }

    def succeeded(self, state: Any) -> torch.Tensor:
        return apart(state.goal_position, state.pot_position) < LIFTED_M

    def human_reward(self, state: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Bi-DexHands (Chen et al. 2022): 0.2 - the palms' distances to the handles, and there the pot near its goal.

        Where both palms are within 0.08 m of their handles, 3 (0.385 - the pot's distance) is added.
        """
        right, left = palms_away(state)
        way = 3 * (0.385 - apart(state.goal_position, state.pot_position))
        lifted = torch.where((right < NEAR_M) & (left < NEAR_M), way, 0.0)
        return total_of({"hands": 0.2 - right - left, "lifted": lifted})


def palms_away(state: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """How far each palm is from its handle, (num_envs,) m, the right and the left one."""
    return apart(state.right_handle, state.right_palm), apart(state.left_handle, state.left_palm)
