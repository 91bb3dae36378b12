"""Franka's Panda arm, its hand driven by three velocities and a gripper.

ManiSkill (Gu et al. 2023) moves the hand by a controller of its position, which this stands for; the hand does not
turn. The robot comes with the package example-robot-data (Apache 2.0).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

import mujoco
import numpy as np
import torch

from eureka.physics import WorldStates
from eureka.tasks.base import Controls, Task
from eureka.tasks.on_device import OnDevice
from eureka.tasks.rng import Rng
from eureka.tasks.shared.drive import DRIVE, add_drive, within_bounds
from eureka.tasks.shared.sawyer import NoCarry

HAND_SPEED_M_S = 0.3
TIP_M = 0.1034
"""From the hand's frame to the middle between the fingertips, along its z axis."""
MOST_OPEN_M = 0.04
"""Of each finger."""
SETTLING_S = 3.0
FINGERS, THINGS = 1, 2
"""Collision masks: fingers meet things and the ground, but not each other."""


class Panda(Task):
    """The hand keeps `ORIENTATION` and starts at `HAND_START`, as `ARM_START` nearly has it, within `BOUNDS`."""

    ORIENTATION: ClassVar[Sequence[float]] = (0.0, 1.0, 0.0, 0.0)
    HAND_START: ClassVar[Sequence[float]] = (0.45, 0.0, 0.3)
    ARM_START: ClassVar[Sequence[float]] = (0.0, 0.2, 0.0, -2.0, 0.0, 2.2, 0.785)
    BOUNDS: ClassVar[Sequence[Sequence[float]]] = ((0.25, -0.35, 0.11), (0.75, 0.35, 0.6))

    Carry = NoCarry
    num_actions = 4

    @abstractmethod
    def add_things(self, spec: mujoco.MjSpec) -> None:
        """What stands around the robot; collides with fingers where contype is `THINGS` and conaffinity 3."""

    def extend_model(self, spec: mujoco.MjSpec) -> None:
        for geom in spec.geoms:
            geom.contype = FINGERS if "finger" in geom.parent.name else 0
            geom.conaffinity, geom.friction, geom.condim = 0, [1.0, 0.01, 0.001], 4
            geom.rgba = [0.9, 0.9, 0.92, 1.0]
        for body in spec.bodies:
            body.gravcomp = 1.0
        for joint in spec.joints:
            is_finger = "finger" in joint.name
            joint.armature, joint.damping = (0.05, [5.0, 0, 0]) if is_finger else (0.1, [2.0, 0, 0])
            if is_finger:
                actuator = spec.add_actuator(name=joint.name, target=joint.name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
                actuator.set_to_position(kp=1500.0, kv=60.0)
                actuator.ctrllimited, actuator.ctrlrange = True, [0.0, MOST_OPEN_M]
        spec.worldbody.add_light(pos=[0.5, -1.0, 2.5], dir=[0.0, 0.4, -1.0])
        spec.worldbody.add_camera(name="front", pos=[1.5, -0.9, 0.9], xyaxes=[0.55, 0.83, 0, -0.36, 0.24, 0.9])
        spec.worldbody.add_camera(name="side", pos=[0.0, -1.5, 1.2], xyaxes=[0.95, -0.32, 0.0, 0.12, 0.36, 0.92])
        spec.worldbody.add_geom(
            name="ground",
            type=mujoco.mjtGeom.mjGEOM_PLANE,
            size=[2.0, 2.0, 0.1],
            contype=0,
            conaffinity=FINGERS | THINGS,
            rgba=[0.8, 0.85, 0.8, 1.0],
        )
        spec.body("panda_hand").add_site(name="tip", pos=[0.0, 0.0, TIP_M])
        weld = add_drive(spec, "panda_hand", self.ORIENTATION, HAND_SPEED_M_S)
        # The arm is heavier than what drags it: a stiffer bond, or it would lag behind and overshoot.
        weld.solimp, weld.solref = [0.99, 0.999, 0.001, 0.5, 2.0], [0.01, 1.0]
        self.add_things(spec)

    @cached_property
    def _home(self) -> torch.Tensor:
        """The positions of everything (nq,) with the hand at its start, open, and all other things as in the model."""
        data = mujoco.MjData(self.model)
        data.qpos[:7], data.qpos[7:9] = self.ARM_START, MOST_OPEN_M
        drive = self.model.joint(DRIVE[0])
        for _ in range(round(SETTLING_S / self.model.opt.timestep)):
            data.qpos[drive.qposadr[0] :][:3] = self.HAND_START
            data.qvel[drive.dofadr[0] :][:3] = 0.0
            data.ctrl[:2] = MOST_OPEN_M
            mujoco.mj_step(self.model, data)
        settled = self.model.qpos0.copy()
        settled[:9] = data.qpos[:9]
        settled[drive.qposadr[0] :][:3] = self.HAND_START
        return torch.from_numpy(np.array(settled)).float()

    def address(self, joint: str) -> int:
        """Where a joint's positions begin in qpos."""
        return int(self.model.joint(joint).qposadr[0])

    def velocity_address(self, joint: str) -> int:
        """Where a joint's velocities begin in qvel."""
        return int(self.model.joint(joint).dofadr[0])

    def start(self, sim: WorldStates, rng: Rng) -> Any:
        return self.Carry()

    def advance(self, carry: NoCarry, sim: WorldStates, action: torch.Tensor, rng: Rng) -> Any:
        return carry

    @cached_property
    def _limits(self) -> OnDevice:
        return OnDevice(self.BOUNDS)

    def control(self, sim: WorldStates, carry: NoCarry, action: torch.Tensor) -> Controls:
        first = self.address(DRIVE[0])
        at = sim.qpos[:, first : first + 3].to(action.dtype)
        speed = within_bounds(HAND_SPEED_M_S * action[:, :3], at, self._limits.like(action), self.control_timestep_s)
        finger = MOST_OPEN_M * (1 - action[:, 3:]) / 2
        return Controls(torch.cat([finger, finger, speed], dim=1))

    def tip_of(self, sim: WorldStates) -> torch.Tensor:
        """The middle between the fingertips, (num_envs, 3)."""
        return sim.output("site_xpos")[:, int(self.model.site("tip").id)]

    def tip_velocity(self, sim: WorldStates) -> torch.Tensor:
        """Of the hand, (num_envs, 3) m/s: it does not turn."""
        first = self.velocity_address(DRIVE[0])
        return sim.qvel[:, first : first + 3]
