"""What two Shadow hands are to take hold of, one place each, as in Bi-DexHands (Chen et al. 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from eureka.physics import WorldStates
from eureka.tasks.base import NoCarry, state_field
from eureka.tasks.shared.two_hands import TwoHands, TwoHandsState


@dataclass(frozen=True)
class HandlesState(TwoHandsState):
    """What a reward may read after a control step. Handles are one substep old. The hands point along -x, y is to the
    right hand's side, where a task does not say otherwise."""

    right_handle: torch.Tensor = state_field((3,), "m", "world", "what the right hand is to take hold of or to push")
    left_handle: torch.Tensor = state_field((3,), "m", "world", "what the left hand is to take hold of or to push")


class Handles(TwoHands):
    """The handles are the sites `right` and `left` of the scene. An episode ends when the tips of a hand are further
    from its handle than `TOO_FAR_M`, all five distances added."""

    TOO_FAR_M: ClassVar[float]

    State = HandlesState

    def task_fields(self, sim: WorldStates) -> dict[str, torch.Tensor]:
        """The State's fields that are the task's own."""
        del sim
        return {}

    def observed_fields(self, state: Any) -> Sequence[torch.Tensor]:
        """What the policy sees of the task's own fields, (num_envs, any) each."""
        del state
        return ()

    def state(self, sim: WorldStates, carry: NoCarry, action: torch.Tensor) -> Any:
        return self.State(
            **self.hands(sim, action),
            right_handle=self.site(sim, "things/right"),
            left_handle=self.site(sim, "things/left"),
            **self.task_fields(sim),
        )

    def observe(self, state: Any) -> torch.Tensor:
        right = (state.right_fingertips - state.right_handle[:, None]).flatten(1)
        left = (state.left_fingertips - state.left_handle[:, None]).flatten(1)
        joints = [state.joint_position, 0.2 * state.joint_velocity]
        near = [
            5 * right,
            5 * left,
            5 * (state.right_handle - state.right_palm),
            5 * (state.left_handle - state.left_palm),
        ]
        return torch.cat([*joints, *near, state.right_handle, state.left_handle, *self.observed_fields(state)], dim=1)

    def terminated(self, state: Any) -> Any:
        right, left = reach(state)
        return {"right hand too far": right >= self.TOO_FAR_M, "left hand too far": left >= self.TOO_FAR_M}


def reach(state: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """How far the right and the left hand's tips are from their handles, (num_envs,), all five distances added."""
    right = torch.linalg.vector_norm(state.right_fingertips - state.right_handle[:, None], dim=2).sum(dim=1)
    left = torch.linalg.vector_norm(state.left_fingertips - state.left_handle[:, None], dim=2).sum(dim=1)
    return right, left
