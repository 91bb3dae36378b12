"""A double door that both hands are to open or to close, whichever way it swings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import mujoco
import torch

from eureka.physics import WorldStates
from eureka.tasks.base import Reset, state_field
from eureka.tasks.rng import Rng
from eureka.tasks.shared.handles import Handles, HandlesState, reach
from eureka.tasks.shared.locomotion import total_of
from eureka.tasks.shared.two_hands import HandPose

OPEN_RAD = 1.5708
# Bi-DexHands': how far the handles are from each other where the door counts as open, and how near the tips must be
# to their handle, added, for the door's part of the reward.
OPEN_M, NEAR_M = 0.5, 0.5


@dataclass(frozen=True)
class DoorState(HandlesState):
    """What a reward may read after a control step. The door is in the plane x = 0, the hands before it at +x point
    along -x; y is to the right hand's side."""

    leaf_angle: torch.Tensor = state_field(
        (2,), "rad", "joint", "of the right and of the left leaf: 0 shut, 1.57 wide open"
    )
    leaf_velocity: torch.Tensor = state_field((2,), "rad/s", "joint", "positive where a leaf opens")


class Door(Handles):
    """`INWARD` doors swing to +x, to where the hands are; the others to -x. `IS_OPEN` ones are to be closed. The
    original's reward starts at `OFFSET`."""

    RIGHT_HAND = HandPose((0.55, 0.2, 0.6), (3.1416, 1.5708, 1.5708))
    LEFT_HAND = HandPose((0.55, -0.2, 0.6), (3.1416, -1.5708, 1.5708))
    THINGS = "../shared/door.xml"
    TOO_FAR_M = 1.5
    OFFSET: ClassVar[float] = 2.0
    INWARD: ClassVar[bool]
    IS_OPEN: ClassVar[bool]

    State = DoorState

    def extend_model(self, spec: mujoco.MjSpec) -> None:
        super().extend_model(spec)
        for side in ("things/right", "things/left"):
            spec.joint(side).axis *= -1 if self.INWARD else 1

    def reset(self, rng: Rng, num: int) -> Reset:
        qpos = self.hands_start(rng, num)
        for side in ("things/right", "things/left"):
            qpos[:, self.address(side)] = OPEN_RAD if self.IS_OPEN else 0.0
        return Reset(qpos, torch.zeros(num, self.model.nv), self.Carry())

    def task_fields(self, sim: WorldStates) -> dict[str, torch.Tensor]:
        right, left = self.address("things/right"), self.address("things/left")
        moving = [self.velocity_address("things/right"), self.velocity_address("things/left")]
        return {
            "leaf_angle": torch.stack([sim.qpos[:, right], sim.qpos[:, left]], dim=1),
            "leaf_velocity": torch.stack([sim.qvel[:, joint] for joint in moving], dim=1),
        }

    def observed_fields(self, state: Any) -> Any:
        return [state.leaf_angle, state.leaf_velocity]

    def succeeded(self, state: Any) -> torch.Tensor:
        apart = handles_apart(state)
        return apart < OPEN_M if self.IS_OPEN else apart > OPEN_M

    def human_reward(self, state: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Bi-DexHands (Chen et al. 2022): fingertips near the handles, and there the handles apart, or together.

        That is 2 - both sums of distances (6 for closing outward) + 2 |dy|, or 1 - 2 |dy| where the door is to be
        closed, as long as both sums are below 0.5.
        """
        right, left = reach(state)
        moved = 1 - 2 * handles_apart(state) if self.IS_OPEN else 2 * handles_apart(state)
        holds = (right < NEAR_M) & (left < NEAR_M)
        return total_of({"hands": self.OFFSET - right - left, "door": torch.where(holds, moved, 0.0)})


def handles_apart(state: Any) -> torch.Tensor:
    """How far the handles are from each other along y, (num_envs,) m."""
    return (state.right_handle[:, 1] - state.left_handle[:, 1]).abs()
