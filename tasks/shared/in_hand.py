"""A cube in a hand that is turned to one random orientation after another, as Isaac Gym's hands do it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch

from eureka.physics import Snapshot, WorldStates
from eureka.tasks.base import Controls, Reset, Task, state_field
from eureka.tasks.metric import Metric
from eureka.tasks.on_device import OnDevice
from eureka.tasks.rng import Rng
from eureka.tasks.shared.locomotion import total_of
from eureka.tasks.shared.rotations import angle_between, from_normal

REACHED_RAD = 0.1
FALL_M = 0.24


@dataclass(frozen=True)
class TargetCarry:
    """`target`: (num_envs, 4), the orientation to reach. `reached`: (num_envs,), 1 where it was in this step; in the
    next the target is another. `successes`: (num_envs,), how many were in this episode."""

    target: torch.Tensor
    reached: torch.Tensor
    successes: torch.Tensor


@dataclass(frozen=True)
class InHandState:
    """What a reward may read after a control step, the hand's joints left out."""

    cube_position: torch.Tensor = state_field((3,), "m", "world", "centre of the cube")
    cube_orientation: torch.Tensor = state_field((4,), "1", "world", "unit quaternion of the cube, (w, x, y, z)")
    cube_linear_velocity: torch.Tensor = state_field((3,), "m/s", "world", "velocity of the cube")
    cube_angular_velocity: torch.Tensor = state_field((3,), "rad/s", "cube", "angular velocity of the cube")
    target_orientation: torch.Tensor = state_field(
        (4,), "1", "world", "unit quaternion to reach; another in the step after it was reached"
    )
    distance_to_place: torch.Tensor = state_field((), "m", "world", "from the cube to where it lay at the start")
    angle_to_target: torch.Tensor = state_field((), "rad", "world", "between cube and target, 0 to pi")
    target_reached: torch.Tensor = state_field(
        (), "1", "world", "1 in the step in which the cube came within 0.1 rad of its target, else 0"
    )
    successes: torch.Tensor = state_field((), "1", "world", "targets reached so far in this episode")


class InHand(Task):
    """Targets are drawn evenly over all orientations. An episode ends when the cube has left the hand.

    `CUBE_START` is where the cube lies in the open hand; `NUM_JOINTS` the hand's joints, which come first in qpos.
    """

    CUBE_START: ClassVar[tuple[float, float, float]]
    NUM_JOINTS: ClassVar[int]

    Carry = TargetCarry

    def hand_start(self) -> torch.Tensor:
        """The hand's joint positions at the start, (num_joints,)."""
        return torch.zeros(self.NUM_JOINTS)

    def reset(self, rng: Rng, num: int) -> Reset:
        joints = self.hand_start() + rng.uniform(-0.05, 0.05, (num, self.NUM_JOINTS))
        place = torch.tensor(self.CUBE_START) + rng.uniform(-0.005, 0.005, (num, 3))
        qpos = torch.cat([joints, place, from_normal(rng.normal(1.0, (num, 4)))], dim=1)
        qvel = torch.zeros(num, self.model.nv)
        carry = self.start(Snapshot(qpos, qvel), rng)
        above = torch.tensor(self.CUBE_START) + torch.tensor([0.0, 0.0, 0.15])
        shown = torch.cat([above.expand(num, 3), carry.target], dim=1)
        return Reset(qpos, qvel, carry, mocap=shown[:, None])

    @cached_property
    def _above(self) -> OnDevice:
        x, y, z = self.CUBE_START
        return OnDevice([x, y, z + 0.15])

    def control(self, sim: WorldStates, carry: TargetCarry, action: torch.Tensor) -> Controls:
        """The scaled actions; a second cube above the hand shows the target."""
        scaled = super().control(sim, carry, action).ctrl
        above = self._above.like(carry.target).expand_as(carry.target[:, 1:])
        return Controls(scaled, torch.cat([above, carry.target], dim=1)[:, None])

    def start(self, sim: WorldStates, rng: Rng) -> Any:
        target = from_normal(rng.normal(1.0, (sim.num_envs, 4)))
        nothing = torch.zeros_like(target[:, 0])
        return TargetCarry(target, nothing, nothing)

    def cube_of(self, sim: WorldStates) -> torch.Tensor:
        """The cube's position and orientation, (num_envs, 7)."""
        return sim.qpos[:, self.NUM_JOINTS : self.NUM_JOINTS + 7]

    def advance(self, carry: TargetCarry, sim: WorldStates, action: torch.Tensor, rng: Rng) -> Any:
        before = torch.where(carry.reached[:, None] > 0, from_normal(rng.normal(1.0, (sim.num_envs, 4))), carry.target)
        turned = self.cube_of(sim)[:, 3:].to(before.dtype)
        reached = (angle_between(turned, before) <= REACHED_RAD).to(before.dtype)
        return self.Carry(before, reached, carry.successes + reached)

    def state(self, sim: WorldStates, carry: TargetCarry, action: torch.Tensor) -> Any:
        cube, moving = self.cube_of(sim), sim.qvel[:, self.NUM_JOINTS : self.NUM_JOINTS + 6]
        away = torch.stack([cube[:, axis] - self.CUBE_START[axis] for axis in range(3)], dim=1)
        return self.State(
            cube_position=cube[:, :3],
            cube_orientation=cube[:, 3:],
            cube_linear_velocity=moving[:, :3],
            cube_angular_velocity=moving[:, 3:],
            target_orientation=carry.target,
            distance_to_place=torch.linalg.vector_norm(away, dim=1),
            angle_to_target=angle_between(cube[:, 3:].to(carry.target.dtype), carry.target),
            target_reached=carry.reached,
            successes=carry.successes,
            joint_position=sim.qpos[:, : self.NUM_JOINTS],
            joint_velocity=sim.qvel[:, : self.NUM_JOINTS],
            action=action,
        )

    def observe(self, state: Any) -> torch.Tensor:
        hand = [state.joint_position, 0.2 * state.joint_velocity]
        cube = [10 * state.cube_position, state.cube_orientation, state.cube_linear_velocity]
        return torch.cat([*hand, *cube, 0.2 * state.cube_angular_velocity, state.target_orientation], dim=1)

    def terminated(self, state: Any) -> torch.Tensor:
        return state.distance_to_place >= FALL_M

    @property
    def metric(self) -> Metric:
        return Metric(
            value=lambda state: state.successes,
            reduce="last",
            unit="successes",
            description="targets reached one after another until the cube falls (Eureka's F of the hands)",
        )

    def human_reward(self, state: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Isaac Gym's hands (Makoviychuk et al. 2021): at its place, near its target, 250 for reaching it, effort.

        That is -10 distance + 1 / (angle + 0.1) + 250 reached - 0.0002 |action|^2.
        """
        return total_of(
            {
                "distance": -10.0 * state.distance_to_place,
                "rotation": 1 / (state.angle_to_target + 0.1),
                "reached": 250.0 * state.target_reached,
                "effort": -2e-4 * state.action.square().sum(dim=1),
            }
        )

    def sparse_reward(self, state: Any) -> torch.Tensor | None:
        return state.target_reached
