"""ManiSkill's cube, to be lifted or brought to a point by the Panda (Gu et al. 2023)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import mujoco
import torch

from eureka.physics import WorldStates
from eureka.tasks.base import NoCarry, Reset, state_field
from eureka.tasks.rng import Rng
from eureka.tasks.shared.panda import FINGERS, THINGS, ManiSkillPanda
from eureka.tasks.shared.sawyer import apart

HALF_CUBE_M = 0.02
STILL_RAD_S = 0.2


@dataclass(frozen=True)
class CubeState:
    """What a reward may read after a control step. x is ahead of the robot, y to its left."""

    tip_position: torch.Tensor = state_field((3,), "m", "world", "middle between the fingertips; one substep old")
    tip_velocity: torch.Tensor = state_field((3,), "m/s", "world", "velocity of the hand")
    finger_gap: torch.Tensor = state_field((), "m", "hand", "between the fingers: 0 closed, 0.08 open")
    arm_speed: torch.Tensor = state_field((), "rad/s", "joint", "of the arm's fastest joint")
    cube_position: torch.Tensor = state_field((3,), "m", "world", "centre of the cube of 4 cm; it lies at z 0.02")
    cube_velocity: torch.Tensor = state_field((3,), "m/s", "world", "velocity of the cube")
    tip_to_cube: torch.Tensor = state_field((3,), "m", "world", "from the fingertips to the cube")
    grasped: torch.Tensor = state_field(
        (), "1", "world", "1 where the cube is between the fingers, and these are closed on it; else 0"
    )
    goal_position: torch.Tensor = state_field((3,), "m", "world", "where the cube is to be brought")
    action: torch.Tensor = state_field(
        (4,), "1", "world", "velocity of the hand along x, y, z as shares of 0.3 m/s, and gripper: -1 opens, 1 closes"
    )


class PandaCube(ManiSkillPanda):
    """The cube lies somewhere before the robot."""

    State = CubeState

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        cube = spec.worldbody.add_body(name="cube", pos=[0.5, 0.0, HALF_CUBE_M])
        cube.add_freejoint(name="cube")
        cube.add_geom(
            name="cube",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=[HALF_CUBE_M] * 3,
            mass=0.1,
            contype=THINGS,
            conaffinity=FINGERS,
            condim=4,
            friction=[1.0, 0.01, 0.001],
            rgba=[0.8, 0.3, 0.2, 1.0],
        )
        goal = spec.worldbody.add_body(name="goal", mocap=True, pos=[0.5, 0.0, 0.25])
        goal.add_site(name="goal", size=[0.02, 0.02, 0.02], rgba=[0.2, 0.7, 0.3, 0.5])

    @abstractmethod
    def goal_for(self, cube: torch.Tensor, rng: Rng) -> torch.Tensor:
        """Where the cube that lies at `cube` (num, 3) is to be brought, (num, 3)."""

    def reset(self, rng: Rng, num: int) -> Reset:
        qpos = self._home.repeat(num, 1)
        cube = torch.cat([rng.uniform(-0.1, 0.1, (num, 2)), torch.zeros(num, 1)], dim=1)
        cube = cube + torch.tensor([0.5, 0.0, HALF_CUBE_M])
        first = self.address("cube")
        qpos[:, first : first + 3] = cube
        turned = torch.tensor([1.0, 0.0, 0.0, 0.0]).expand(num, 4)
        mocap = torch.cat([self.goal_for(cube, rng), turned], dim=1)[:, None]
        return Reset(qpos, torch.zeros(num, self.model.nv), mocap=mocap)

    def state(self, sim: WorldStates, carry: NoCarry, action: torch.Tensor) -> Any:
        first, moving = self.address("cube"), self.velocity_address("cube")
        tip, cube = self.tip_of(sim), sim.qpos[:, first : first + 3]
        gap = self.fingers_of(sim).sum(dim=1)
        held = (apart(tip, cube) < 0.02) & (gap > 0.03) & (gap < 0.042)
        return self.State(
            tip_position=tip,
            tip_velocity=self.tip_velocity(sim),
            finger_gap=gap,
            arm_speed=sim.qvel[:, :7].abs().amax(dim=1),
            cube_position=cube,
            cube_velocity=sim.qvel[:, moving : moving + 3],
            tip_to_cube=cube - tip,
            grasped=held.to(tip.dtype),
            goal_position=sim.output("mocap_pos")[:, 0],
            action=action,
        )

    def observe(self, state: Any) -> torch.Tensor:
        near = [10 * state.tip_to_cube, 4 * (state.goal_position - state.cube_position), state.tip_velocity]
        flags = torch.stack([10 * state.finger_gap, state.grasped, 5 * state.tip_position[:, 2]], dim=1)
        return torch.cat([*near, flags, state.cube_velocity], dim=1)

    @abstractmethod
    def placed(self, state: Any) -> torch.Tensor:
        """Whether the cube is where it should be, (num_envs,) bool."""

    def succeeded(self, state: Any) -> torch.Tensor:
        """ManiSkill's success, (num_envs,) bool: the cube is in place, and the robot is still."""
        still: torch.Tensor = state.arm_speed <= STILL_RAD_S
        return self.placed(state) & still
