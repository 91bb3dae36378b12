"""Panda arms on a base that drives over the ground, as ManiSkill's mobile robots (Gu et al. 2023)."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import mujoco
import torch

from eureka.physics import WorldStates
from eureka.tasks.base import Controls
from eureka.tasks.on_device import OnDevice
from eureka.tasks.rng import Rng
from eureka.tasks.shared.panda import FINGERS, ManiSkillPanda
from eureka.tasks.urdf import read_urdf

BASE = ("base_x", "base_y", "base_yaw")
BASE_SPEED_M_S, BASE_TURN_RAD_S = 0.5, 1.0
BASE_MASS_KG, BASE_INERTIA_KG_M2 = 40.0, 4.0
HALF_BASE_M = (0.2, 0.25)
BASE_ACTION = (
    "velocity of the base ahead, to its left (shares of 0.5 m/s) and turning left (of 1 rad/s); "
    "of the hand along the base's x, y, z (of 0.3 m/s); gripper: -1 opens, 1 closes"
)
"""What the seven actions of one arm are."""


class MobilePanda(ManiSkillPanda):
    """The base moves along x and y and turns about z; each arm's hand is moved along the base's axes and turns with it.

    An action is the base's three velocities in its own frame, then four numbers for each of `ARMS`.
    """

    ARMS = {"right_": (0.0, 0.0, 0.1)}
    HAND_START = (0.4, 0.0, 0.65)
    ARM_START = (0.0, -0.4, 0.0, -2.0, 0.0, 3.2, -0.785)
    BOUNDS = ((0.3, -0.2, 0.55), (0.65, 0.2, 0.8))  # lower than that, its wrist cannot point ahead
    num_actions = 7

    def carrier(self, spec: mujoco.MjSpec) -> mujoco.MjsBody:
        spec.delete(spec.body("panda_link0"))
        for mesh in list(spec.meshes):
            spec.delete(mesh)
        base = spec.worldbody.add_body(name="base", mass=BASE_MASS_KG, inertia=[BASE_INERTIA_KG_M2] * 3)
        base.explicitinertial = True
        slide, hinge = mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE
        for name, kind, axis in zip(BASE, (slide, slide, hinge), ([1, 0, 0], [0, 1, 0], [0, 0, 1]), strict=True):
            base.add_joint(name=name, type=kind, axis=axis)
        for arm, place in self.ARMS.items():
            robot = read_urdf(self._model_path())
            base.add_frame(pos=place).attach_body(robot.body("panda_link0"), arm, "")
        return base

    def extend_model(self, spec: mujoco.MjSpec) -> None:
        super().extend_model(spec)
        most = (BASE_SPEED_M_S, BASE_SPEED_M_S, BASE_TURN_RAD_S)
        for name, speed, gain in zip(BASE, most, (4000.0, 4000.0, 1000.0), strict=True):
            actuator = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
            actuator.set_to_velocity(kv=gain)
            actuator.ctrllimited, actuator.ctrlrange = True, [-1.5 * speed, 1.5 * speed]
        height = min(place[2] for place in self.ARMS.values())
        spec.body("base").add_geom(
            name="base",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=[*HALF_BASE_M, (height - 0.02) / 2],
            pos=[0.0, 0.0, (height + 0.02) / 2],
            contype=FINGERS,
            conaffinity=0,
            rgba=[0.35, 0.37, 0.4, 1.0],
        )

    def control(self, sim: WorldStates, carry: Any, action: torch.Tensor) -> Controls:
        yaw = self.base_of(sim)[:, 2].to(action.dtype)
        ahead, left, turn = (action[:, :3] * self._base_speeds.like(action)).unbind(dim=1)
        cos, sin = torch.cos(yaw), torch.sin(yaw)
        base = torch.stack([cos * ahead - sin * left, sin * ahead + cos * left, turn], dim=1)
        arms = [
            self.arm_control(sim, arm, action[:, 3 + 4 * number : 7 + 4 * number])
            for number, arm in enumerate(self.ARMS)
        ]
        return Controls(torch.cat([*arms, base], dim=1))

    @cached_property
    def _base_speeds(self) -> OnDevice:
        return OnDevice([BASE_SPEED_M_S, BASE_SPEED_M_S, BASE_TURN_RAD_S])

    def base_of(self, sim: WorldStates) -> torch.Tensor:
        """x and y (m) and yaw (rad) of the base, (num_envs, 3)."""
        first = self.address(BASE[0])
        return sim.qpos[:, first : first + 3]

    def base_velocity(self, sim: WorldStates) -> torch.Tensor:
        """Its velocities along the world's x and y (m/s) and about z (rad/s), (num_envs, 3)."""
        first = self.velocity_address(BASE[0])
        return sim.qvel[:, first : first + 3]

    @staticmethod
    def in_base_frame(vector: torch.Tensor, yaw: torch.Tensor) -> torch.Tensor:
        """A vector of the world (num_envs, 3) along the base's axes."""
        cos, sin = torch.cos(yaw), torch.sin(yaw)
        x, y, z = vector.unbind(dim=1)
        return torch.stack([cos * x + sin * y, cos * y - sin * x, z], dim=1)


def facing(
    rng: Rng, num: int, near_m: float, far_m: float, around: torch.Tensor, spread_rad: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Places for a base that faces a thing, (num, 2) from it, and its yaws (num,).

    Args:
        near_m: the least distance; `far_m` the most.
        around: yaws (num,) of the way from a base to the thing, `spread_rad` around which a base stands.
    """
    away = rng.uniform(near_m, far_m, (num,))
    angle = around + rng.uniform(-spread_rad, spread_rad, (num,))
    yaw = angle + rng.uniform(-0.05 * math.pi, 0.05 * math.pi, (num,))  # it looks a little aside
    return -away[:, None] * torch.stack([torch.cos(angle), torch.sin(angle)], dim=1), yaw
