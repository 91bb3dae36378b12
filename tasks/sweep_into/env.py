"""MetaWorld's sweep-into: a cube is to be swept into a hole in the table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mujoco
import torch

from eureka.physics import WorldStates
from eureka.tasks import OnDevice, Reset, Rng, state_field
from eureka.tasks.shared.locomotion import total_of
from eureka.tasks.shared.sawyer import SawyerHand, SawyerState, apart
from eureka.tasks.shared.tolerance import hamacher_product, long_tail_tolerance

HALF_CUBE_M = 0.02
PAD_REACH_M = 0.05
GRIP_M = HALF_CUBE_M + 0.005
ON_TABLE_M = 0.07  # the cube's height; its file has it 5 cm lower, in the table, out of which it pops in MetaWorld
IN_HOLE_M = ON_TABLE_M - 0.05
TARGET = (0.0, 0.84, 0.02)


class SweepInto(SawyerHand):
    """The cube lies free on the table, and hardly turns: its file gives it a huge inertia. MetaWorld draws its place
    anew where it is within 0.15 m of the hole; here y ends at 0.69 m, where it never is."""

    PLACE_LOW, PLACE_HIGH = (-0.1, 0.6, ON_TABLE_M), (0.1, 0.69, ON_TABLE_M)

    @dataclass(frozen=True)
    class Carry:
        """Where the cube lay when the episode began, (num_envs, 3) m."""

        object_start: torch.Tensor

    @dataclass(frozen=True)
    class State(SawyerState):
        """What a reward may read after a control step. Positions are one substep old. x is to the right, y is ahead."""

        object_position: torch.Tensor = state_field((3,), "m", "world", "centre of the cube of 4 cm; it lies at z 0.07")
        object_velocity: torch.Tensor = state_field((3,), "m/s", "world", "velocity of the cube")
        target_position: torch.Tensor = state_field((3,), "m", "world", "middle of the hole, 5 cm below its rim")
        distance_to_goal: torch.Tensor = state_field((), "m", "world", "from the cube to the target in x and y alone")
        left_pad: torch.Tensor = state_field((3,), "m", "world", "middle of the left finger, on the side of larger y")
        right_pad: torch.Tensor = state_field((3,), "m", "world", "middle of the right finger, of smaller y")

    @cached_property
    def _cube(self) -> tuple[int, int]:
        """Where the cube's positions begin in qpos, and its velocities in qvel."""
        joint = self.model.joint("objjoint")
        return int(joint.qposadr[0]), int(joint.dofadr[0])

    @cached_property
    def _target(self) -> OnDevice:
        return OnDevice(TARGET)

    def hold_object(self, data: mujoco.MjData) -> None:
        first, moving = self._cube
        data.qpos[first : first + 7] = self.model.qpos0[first : first + 7]
        data.qpos[first + 2] = ON_TABLE_M
        data.qvel[moving : moving + 6] = 0.0

    def reset(self, rng: Rng, num: int) -> Reset:
        qpos = torch.from_numpy(self._home.qpos).float().repeat(num, 1)
        low, high = torch.tensor(self.PLACE_LOW), torch.tensor(self.PLACE_HIGH)
        place = low + (high - low) * rng.uniform(0.0, 1.0, (num, 3))
        first, _ = self._cube
        qpos[:, first : first + 3] = place
        return Reset(qpos, torch.zeros(num, self.model.nv), self.Carry(place))

    def start(self, sim: WorldStates, rng: Rng) -> Any:
        first, _ = self._cube
        return self.Carry(sim.qpos[:, first : first + 3].float())

    def distance(self, object_position: torch.Tensor, target_position: torch.Tensor) -> torch.Tensor:
        return apart(object_position[:, :2], target_position[:, :2])

    def state(self, sim: WorldStates, carry: Carry, action: torch.Tensor) -> Any:
        first, moving = self._cube
        cube = sim.qpos[:, first : first + 3]
        target = self._target.like(cube).expand_as(cube)
        return self.State(
            **self.hand_fields(sim),
            object_position=cube,
            object_velocity=sim.qvel[:, moving : moving + 3],
            target_position=target,
            object_start=carry.object_start,
            distance_to_goal=self.distance(cube, target),
            left_pad=self.place_of(sim, "body:leftpad"),
            right_pad=self.place_of(sim, "body:rightpad"),
            action=action,
        )

    def caging(self, state: State) -> torch.Tensor:
        """How well the fingers are around the cube and hold it, (num_envs,) in [0, 1].

        Along y every pad is to be 2 to 5 cm from the cube, and 2 to 2.5 cm where it holds it. The margins are meant to
        be from the pads' places at the start, but what MetaWorld keeps of these moves with the pads, as here.
        """
        cube = state.object_position
        gaps = torch.stack([state.left_pad[:, 1] - cube[:, 1], cube[:, 1] - state.right_pad[:, 1]])
        margin = (gaps.abs() - PAD_REACH_M).abs().clamp(min=1e-6)
        left, right = long_tail_tolerance(
            gaps - (HALF_CUBE_M + PAD_REACH_M) / 2, margin, (PAD_REACH_M - HALF_CUBE_M) / 2
        )
        x, _, z = (state.gripper_position - cube).unbind(dim=1)
        x_at_start, _, z_at_start = (state.gripper_start - state.object_start).unbind(dim=1)
        at_start = torch.sqrt(x_at_start.square() + z_at_start.square())
        over = long_tail_tolerance(torch.sqrt(x.square() + z.square()), at_start - 0.01, within=0.01)
        around = hamacher_product(hamacher_product(right, left), over)
        left, right = long_tail_tolerance(gaps - (HALF_CUBE_M + GRIP_M) / 2, margin, (GRIP_M - HALF_CUBE_M) / 2)
        return (around + (around > 0.95) * hamacher_product(right, left)) / 2

    def human_reward(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """MetaWorld's second reward of sweep-into: fingers around the cube, times near the hole; 10 when it is there.

        Twice the first, and six times its Hamacher product with the second.
        """
        level = torch.cat([state.target_position[:, :2], state.object_position[:, 2:]], dim=1)
        in_place = long_tail_tolerance(state.distance_to_goal, apart(state.object_start, level), self.SUCCESS_M)
        around = self.caging(state)
        components = {"around": 2 * around, "swept": 6 * hamacher_product(around, in_place)}
        total, _ = total_of(components)
        return torch.where(state.distance_to_goal < self.SUCCESS_M, 10.0, total), components

    def reward_v1(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """MetaWorld's first reward, which asks for no reach any more where the cube is in the hole."""
        _, components = super().reward_v1(state)
        in_hole = self._in_hole(state.object_position)
        return total_of(components | {"reach": torch.where(in_hole, 0.0, components["reach"])})

    def v1_distance(self, object_position: torch.Tensor, target_position: torch.Tensor) -> torch.Tensor:
        way = self.distance(object_position, target_position)
        return torch.where(self._in_hole(object_position), 0.0, way)

    def _in_hole(self, object_position: torch.Tensor) -> torch.Tensor:
        _, y, z = object_position.unbind(dim=1)
        return (z < IN_HOLE_M) & (y > 0.4) & (y < 1.0)
