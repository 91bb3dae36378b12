"""Switch: both hands are to press a switch each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from eureka.physics import WorldStates
from eureka.tasks import state_field
from eureka.tasks.shared.handles import Handles, HandlesState, reach
from eureka.tasks.shared.locomotion import total_of
from eureka.tasks.shared.two_hands import ABOVE_TABLE_LEFT, ABOVE_TABLE_RIGHT

# Bi-DexHands': the heights of both handles at the start, added, and how far down they are to be pressed together.
UP_M, PRESSED_M = 1.4, 0.05


class Switch(Handles):
    """A handle is the end of a switch's lever, 0.7 m high until it is pressed. No episode ends early."""

    RIGHT_HAND, LEFT_HAND = ABOVE_TABLE_RIGHT, ABOVE_TABLE_LEFT

    @dataclass(frozen=True)
    class State(HandlesState):
        """What a reward may read after a control step. The hands point along -x; y is to the right hand's side."""

        lever_angle: torch.Tensor = state_field(
            (2,), "rad", "joint", "of the right and of the left lever: 0 up, 0.56 pressed as far as it goes"
        )

    def task_fields(self, sim: WorldStates) -> dict[str, torch.Tensor]:
        right, left = self.address("things/right"), self.address("things/left")
        return {"lever_angle": torch.stack([sim.qpos[:, right], sim.qpos[:, left]], dim=1)}

    def terminated(self, state: Any) -> Any:
        return torch.zeros_like(state.right_handle[:, 0], dtype=torch.bool)

    def pressed(self, state: Any) -> torch.Tensor:
        """How far down both handles are, added, (num_envs,) m."""
        return UP_M - state.right_handle[:, 2] - state.left_handle[:, 2]

    def succeeded(self, state: Any) -> torch.Tensor:
        return self.pressed(state) > PRESSED_M

    def human_reward(self, state: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Bi-DexHands (Chen et al. 2022): 2 - the fingertips' distances to the switches + 50 (1.4 - their heights)."""
        right, left = reach(state)
        return total_of({"hands": 2 - right - left, "pressed": 50 * self.pressed(state)})
