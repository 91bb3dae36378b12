"""Franka's Panda arm, its hand driven by three velocities and a gripper.

ManiSkill (Gu et al. 2023) moves the hand by a controller of its position, which this stands for; the hand does not
turn. The robot comes with the package example-robot-data (Apache 2.0).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import mujoco
import numpy as np
import torch

from eureka.physics import WorldStates
from eureka.tasks.base import Controls
from eureka.tasks.on_device import OnDevice
from eureka.tasks.shared.addresses import AddressedTask
from eureka.tasks.shared.drive import DRIVE, add_drive, within_bounds
from eureka.tasks.shared.success import SuccessTask

HAND_SPEED_M_S = 0.3
HAND_GAIN_N_S_M = 1000.0
"""Under random actions the hand keeps within 2 mm of the 12 that an action moves it; with five times as much it misses
them by 14, because the arm rings."""
TIP_M = 0.1034
"""From the hand's frame to the middle between the fingertips, along its z axis."""
MOST_OPEN_M = 0.04
"""Of each finger."""
INSIDE_M = (0.0149, 0.052)
"""Where a finger's inner side begins and ends, along it from its frame, as ManiSkill samples it."""
SAMPLES = OnDevice(torch.linspace(0.0, 1.0, 5))
"""Points of a finger's inner side, as shares of the way."""
SETTLING_S = 3.0
FINGERS, THINGS = 1, 2
"""Collision masks: fingers meet things and the ground, but not each other."""


class Panda(AddressedTask):
    """The hand keeps `ORIENTATION` and starts at `HAND_START`, as `ARM_START` nearly has it, within `BOUNDS`.

    All of these are in the frame of what carries the arm, from where `ARMS` mounts it; that maps what the names of an
    arm's parts begin with to its place, metres.
    """

    ARMS: ClassVar[Mapping[str, Sequence[float]]] = {"": (0.0, 0.0, 0.0)}
    ORIENTATION: ClassVar[Sequence[float]] = (0.0, 1.0, 0.0, 0.0)
    HAND_START: ClassVar[Sequence[float]] = (0.45, 0.0, 0.3)
    ARM_START: ClassVar[Sequence[float]] = (0.0, 0.2, 0.0, -2.0, 0.0, 2.2, 0.785)
    BOUNDS: ClassVar[Sequence[Sequence[float]]] = ((0.25, -0.35, 0.11), (0.75, 0.35, 0.6))

    num_actions = 4

    # ---- the scene -----------------------------------------------------------------------------------------------

    @abstractmethod
    def add_objects(self, spec: mujoco.MjSpec) -> None:
        """What stands around the robot; collides with fingers where contype is `THINGS` and conaffinity 3."""

    def carrier(self, spec: mujoco.MjSpec) -> mujoco.MjsBody:
        """The body that carries the arms."""
        return spec.worldbody

    def extend_model(self, spec: mujoco.MjSpec) -> None:
        carrier = self.carrier(spec)
        for geom in spec.geoms:
            geom.contype = FINGERS if "finger" in geom.parent.name else 0
            geom.conaffinity, geom.friction, geom.condim = 0, [1.0, 0.01, 0.001], 4
            geom.rgba = [0.9, 0.9, 0.92, 1.0]
        for body in spec.bodies:
            body.gravcomp = 1.0
        for joint in spec.joints:
            if "panda" in joint.name:
                is_finger = "finger" in joint.name
                joint.armature, joint.damping = (0.5, [5.0, 0, 0]) if is_finger else (0.1, [2.0, 0, 0])
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
        for arm, place in self.ARMS.items():
            self._add_controls(spec, carrier, arm, place)
        self.add_objects(spec)

    def _add_controls(self, spec: mujoco.MjSpec, carrier: mujoco.MjsBody, arm: str, place: Sequence[float]) -> None:
        """Two fingers' actuators, the drive's three, and sites between and on the fingers."""
        for finger in _fingers(arm):
            actuator = spec.add_actuator(name=finger, target=finger, trntype=mujoco.mjtTrn.mjTRN_JOINT)
            actuator.set_to_position(kp=2000.0, kv=200.0)
            actuator.ctrllimited, actuator.ctrlrange = True, [0.0, MOST_OPEN_M]
            for end, height in enumerate(INSIDE_M):
                spec.joint(finger).parent.add_site(name=f"{finger}_{end}", pos=[0.0, 0.0, height])
        spec.body(f"{arm}panda_hand").add_site(name=f"{arm}tip", pos=[0.0, 0.0, TIP_M])
        weld = add_drive(
            spec, f"{arm}panda_hand", self.ORIENTATION, HAND_SPEED_M_S, HAND_GAIN_N_S_M, arm, carrier, place
        )
        # The arm is heavier than what drags it: a stiffer bond, or it would lag behind and overshoot.
        weld.solimp, weld.solref = [0.99, 0.999, 0.001, 0.5, 2.0], [0.01, 1.0]

    @cached_property
    def _home(self) -> torch.Tensor:
        """The positions of everything (nq,) with the hands at their start, open, and all other things as in the
        model."""
        data, settled = mujoco.MjData(self.model), self.model.qpos0.copy()
        arms = {
            arm: np.array([self.address(f"{arm}panda_joint{number}") for number in range(1, 8)]) for arm in self.ARMS
        }
        fingers = [self.address(finger) for arm in self.ARMS for finger in _fingers(arm)]
        drives = [(self.address(arm + DRIVE[0]), self.velocity_address(arm + DRIVE[0])) for arm in self.ARMS]
        for arm in self.ARMS:
            data.qpos[arms[arm]] = self.ARM_START
            for finger in _fingers(arm):
                data.ctrl[self.model.actuator(finger).id] = MOST_OPEN_M
        data.qpos[fingers] = MOST_OPEN_M
        for _ in range(round(SETTLING_S / self.model.opt.timestep)):
            for first, moving in drives:
                data.qpos[first : first + 3] = self.HAND_START
                data.qvel[moving : moving + 3] = 0.0
            mujoco.mj_step(self.model, data)
        for moved in (*arms.values(), fingers):
            settled[moved] = data.qpos[moved]
        for first, _ in drives:
            settled[first : first + 3] = self.HAND_START
        return torch.from_numpy(np.array(settled)).float()

    # ---- episodes ------------------------------------------------------------------------------------------------

    @cached_property
    def _limits(self) -> OnDevice:
        return OnDevice(self.BOUNDS)

    def control(self, sim: WorldStates, carry: Any, action: torch.Tensor) -> Controls:
        return Controls(self.arm_control(sim, "", action))

    def arm_control(self, sim: WorldStates, arm: str, action: torch.Tensor) -> torch.Tensor:
        """An arm's five controls (num_envs, 5) by the hand's three velocities and its gripper, (num_envs, 4)."""
        first = self.address(arm + DRIVE[0])
        at = sim.qpos[:, first : first + 3].to(action.dtype)
        speed = within_bounds(HAND_SPEED_M_S * action[:, :3], at, self._limits.like(action), self.control_timestep_s)
        finger = MOST_OPEN_M * (1 - action[:, 3:]) / 2
        return torch.cat([finger, finger, speed], dim=1)

    # ---- what is seen --------------------------------------------------------------------------------------------

    def tip_of(self, sim: WorldStates, arm: str = "") -> torch.Tensor:
        """The middle between the fingertips, (num_envs, 3)."""
        return self.site(sim, f"{arm}tip")

    def tip_velocity(self, sim: WorldStates, arm: str = "") -> torch.Tensor:
        """Of the hand, along the axes of what carries its arm and relative to it, (num_envs, 3) m/s: it does not
        turn."""
        first = self.velocity_address(arm + DRIVE[0])
        return sim.qvel[:, first : first + 3]

    def fingers_of(self, sim: WorldStates, arm: str = "") -> torch.Tensor:
        """How far either finger is from the middle, (num_envs, 2) m."""
        first = self.address(_fingers(arm)[0])
        return sim.qpos[:, first : first + 2]

    def finger_points(self, sim: WorldStates, arm: str = "") -> torch.Tensor:
        """Points of both fingers' inner sides, (num_envs, 2, 5, 3)."""
        ends = [[self.site(sim, f"{finger}_{end}") for finger in _fingers(arm)] for end in range(2)]
        first, last = (torch.stack(fingers, dim=1)[:, :, None] for fingers in ends)
        return first + SAMPLES.like(first)[:, None] * (last - first)


class ManiSkillPanda(SuccessTask, Panda):
    """A Panda whose episodes end by the clock alone; ManiSkill's success at any time counts."""

    WHOSE_SUCCESS = "ManiSkill's"

    def terminated(self, state: Any) -> torch.Tensor:
        return torch.zeros_like(state.action[:, 0], dtype=torch.bool)


def _fingers(arm: str) -> tuple[str, str]:
    """The fingers' joints and actuators."""
    return f"{arm}panda_finger_joint1", f"{arm}panda_finger_joint2"
