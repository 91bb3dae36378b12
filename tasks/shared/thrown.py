"""An egg that one hand is to throw or hand to the other, as in Bi-DexHands (Chen et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch

from eureka.physics import WorldStates
from eureka.tasks.base import NoCarry, Reset, state_field
from eureka.tasks.on_device import OnDevice
from eureka.tasks.rng import Rng
from eureka.tasks.shared.rotations import angle_between, from_normal
from eureka.tasks.shared.sawyer import apart
from eureka.tasks.shared.two_hands import TwoHands, TwoHandsState

REACHED_M = 0.03
EGG_FILE = "../shared/egg.xml"


@dataclass(frozen=True)
class ThrowState(TwoHandsState):
    """What a reward may read after a control step."""

    egg_position: torch.Tensor = state_field((3,), "m", "world", "centre of the egg")
    egg_orientation: torch.Tensor = state_field((4,), "1", "world", "unit quaternion of the egg, (w, x, y, z)")
    egg_linear_velocity: torch.Tensor = state_field((3,), "m/s", "world", "velocity of the egg")
    egg_angular_velocity: torch.Tensor = state_field((3,), "rad/s", "egg", "angular velocity of the egg")
    goal_position: torch.Tensor = state_field((3,), "m", "world", "where the egg is to be, above the left palm")
    goal_orientation: torch.Tensor = state_field((4,), "1", "world", "unit quaternion that the egg is to have there")
    distance_to_goal: torch.Tensor = state_field((), "m", "world", "from the egg to its goal")
    angle_to_goal: torch.Tensor = state_field((), "rad", "world", "between the egg and its goal, 0 to pi")


class ThrowTask(TwoHands):
    """The egg starts at `EGG_START`, near the right palm, and is to be at `EGG_START` + `WAY`; below `FALLEN_M` an
    episode ends. `DISTANCE_SCALE` is what the original's reward multiplies metres with."""

    EGG_START: ClassVar[tuple[float, float, float]]
    WAY: ClassVar[tuple[float, float, float]]
    FALLEN_M: ClassVar[float]
    DISTANCE_SCALE: ClassVar[float] = 50.0

    THINGS = EGG_FILE
    State = ThrowState

    @cached_property
    def _goal(self) -> OnDevice:
        return OnDevice([start + way for start, way in zip(self.EGG_START, self.WAY, strict=True)])

    def reset(self, rng: Rng, num: int) -> Reset:
        qpos, egg = self.hands_start(rng, num), self.address("things/egg")
        qpos[:, egg : egg + 3] = torch.tensor(self.EGG_START) + rng.uniform(-0.01, 0.01, (num, 3))
        qpos[:, egg + 3 : egg + 7] = from_normal(rng.normal(1.0, (num, 4)))
        goal = torch.cat([self._goal.like(qpos).expand(num, 3), from_normal(rng.normal(1.0, (num, 4)))], dim=1)
        return Reset(qpos, torch.zeros(num, self.model.nv), mocap=goal[:, None])

    def state(self, sim: WorldStates, carry: NoCarry, action: torch.Tensor) -> Any:
        first, moving = self.address("things/egg"), self.velocity_address("things/egg")
        egg, velocity = sim.qpos[:, first : first + 7], sim.qvel[:, moving : moving + 6]
        goal, turned = sim.output("mocap_pos")[:, 0], sim.output("mocap_quat")[:, 0]
        return self.State(
            **self.hands(sim, action),
            egg_position=egg[:, :3],
            egg_orientation=egg[:, 3:],
            egg_linear_velocity=velocity[:, :3],
            egg_angular_velocity=velocity[:, 3:],
            goal_position=goal,
            goal_orientation=turned,
            distance_to_goal=apart(egg[:, :3], goal.to(egg.dtype)),
            angle_to_goal=angle_between(egg[:, 3:], turned.to(egg.dtype)),
        )

    def observe(self, state: Any) -> torch.Tensor:
        egg = state.egg_position
        near = [10 * (egg - state.right_palm), 10 * (egg - state.left_palm), 4 * (egg - state.goal_position)]
        moving = [state.egg_linear_velocity, 0.2 * state.egg_angular_velocity]
        turned = [state.egg_orientation, state.goal_orientation]
        return torch.cat([state.joint_position, 0.2 * state.joint_velocity, *near, *moving, *turned], dim=1)

    def terminated(self, state: Any) -> Any:
        return {"the egg fell": state.egg_position[:, 2] <= self.FALLEN_M}

    def succeeded(self, state: Any) -> torch.Tensor:
        return state.distance_to_goal < REACHED_M

    def human_reward(self, state: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Bi-DexHands (Chen et al. 2022): exp(-0.2 (50 distance + angle)) of the egg to its goal."""
        total = torch.exp(-0.2 * (self.DISTANCE_SCALE * state.distance_to_goal + state.angle_to_goal))
        return total, {"at_goal": total}
