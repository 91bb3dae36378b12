"""Two Shadow hands: the scene of Eureka's twenty two-handed tasks, which are those of Bi-DexHands (Chen et al. 2022).

A scene is two copies of the hand of gymnasium-robotics, a right one both times as in the original, and what lies in
`things.xml`. Where a task lets the hands move, each slides and turns under velocity actuators; the original pushes it
with forces against a heavy damping, to the same effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, NamedTuple

import mujoco
import numpy as np
import torch

from eureka.physics import WorldStates
from eureka.tasks.base import Reset, state_field
from eureka.tasks.rng import Rng
from eureka.tasks.shared.addresses import AddressedTask
from eureka.tasks.shared.success import SuccessTask

RIGHT, LEFT = "robot0:", "left/robot0:"
"""What the names of each hand's parts begin with."""
SPEED_M_S, TURN_RAD_S = 0.5, 1.0
"""How fast a moving hand is along and about each of the world's axes."""
REACH_RAD = 1.0
"""How far it turns."""
HAND_JOINTS = 24


class HandPose(NamedTuple):
    """Where a hand is held: its forearm's end, metres, and turns about the world's x, then y, then z, radians.

    Without a turn the palm looks up and the fingers point along -y; the palm is 0.39 m from the forearm's end.
    """

    position: tuple[float, float, float]
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)


ABOVE_TABLE_RIGHT = HandPose((0.55, 0.2, 0.8), (3.1416, 0.0, 1.5708))
ABOVE_TABLE_LEFT = HandPose((0.55, -0.2, 0.8), (3.1416, 0.0, 1.5708))
"""Palms down, both pointing along -x at what is on a table."""


@dataclass(frozen=True)
class TwoHandsState:
    """What a reward may read of the hands after a control step. Positions of tips and palms are one substep old."""

    right_fingertips: torch.Tensor = state_field(
        (5, 3), "m", "world", "tips of the right hand's first, middle, ring and little finger and thumb"
    )
    left_fingertips: torch.Tensor = state_field((5, 3), "m", "world", "tips of the left hand's, in the same order")
    right_palm: torch.Tensor = state_field((3,), "m", "world", "middle of the right palm")
    left_palm: torch.Tensor = state_field((3,), "m", "world", "middle of the left palm")
    joint_position: torch.Tensor = state_field(
        (48,),
        "rad",
        "joint",
        "24 of the right hand, then of the left: wrist (2), first, middle, ring (4), little finger, thumb (5)",
    )
    joint_velocity: torch.Tensor = state_field((48,), "rad/s", "joint", "velocities of the same joints")
    action: torch.Tensor = state_field(
        (52,),
        "1",
        "joint",
        "angles to take, within the joints' ranges, 20 of the right hand, 20 of the left, in the order of the joints "
        "without the last one of each finger but the thumb; then velocities of the right and of the left hand: along "
        "x, y, z as shares of 0.5 m/s, about x, y, z as shares of 1 rad/s",
    )


class TwoHands(SuccessTask, AddressedTask):
    """`RIGHT_HAND` and `LEFT_HAND` say where the hands are at the start; where `HANDS_MOVE` is not set they stay there,
    else they go `REACH_M` along each of the world's axes.

    What else is in the scene is in `THINGS`, a file in the task's folder.
    """

    WHOSE_SUCCESS = "Bi-DexHands'"
    RIGHT_HAND: ClassVar[HandPose]
    LEFT_HAND: ClassVar[HandPose]
    HANDS_MOVE: ClassVar[bool] = True
    REACH_M: ClassVar[float] = 0.5
    THINGS: ClassVar[str | Path] = "things.xml"

    # ---- the scene -----------------------------------------------------------------------------------------------

    def extend_model(self, spec: mujoco.MjSpec) -> None:
        left = mujoco.MjSpec.from_file(str(self._model_path()))
        for hand, placed in ((spec, self.RIGHT_HAND), (left, self.LEFT_HAND)):
            for thing in [*hand.worldbody.geoms, *hand.worldbody.lights, *hand.worldbody.bodies[:-1]]:
                hand.delete(thing)
            for sensor in list(hand.sensors):
                hand.delete(sensor)
            _hold(hand, placed)
        spec.attach(left, prefix=LEFT.removesuffix(RIGHT), frame=spec.worldbody.add_frame())
        if self.HANDS_MOVE:
            for side in (RIGHT, LEFT):
                _let_move(spec, side, self.REACH_M)
        spec.attach(
            mujoco.MjSpec.from_file(str(self.folder / self.THINGS)), prefix="things/", frame=spec.worldbody.add_frame()
        )
        spec.worldbody.add_light(pos=[0.5, -1.5, 2.5], dir=[-0.2, 0.5, -1.0])

    @cached_property
    def _right_joints(self) -> slice:
        return self._joints(RIGHT)

    @cached_property
    def _left_joints(self) -> slice:
        return self._joints(LEFT)

    def _joints(self, side: str) -> slice:
        """Where a hand's joints are in qpos and qvel: they come before everything with a free joint."""
        first = int(self.model.joint(f"{side}WRJ1").qposadr[0])
        return slice(first, first + HAND_JOINTS)

    @cached_property
    def _right_tips(self) -> slice:
        return self._tips(RIGHT)

    @cached_property
    def _left_tips(self) -> slice:
        return self._tips(LEFT)

    def _tips(self, side: str) -> slice:
        """The fingertips among the model's sites: every second one, since each has a touch sensor's beside it."""
        first = int(self.model.site(f"{side}S_fftip").id)
        return slice(first, first + 10, 2)

    # ---- episodes ------------------------------------------------------------------------------------------------

    def hands_start(self, rng: Rng, num: int) -> torch.Tensor:
        """The positions of everything at the start, (num, nq): hands nearly open, things as the model has them."""
        qpos = torch.from_numpy(self.model.qpos0).float().repeat(num, 1)
        for joints in (self._right_joints, self._left_joints):
            qpos[:, joints] += rng.uniform(-0.05, 0.05, (num, HAND_JOINTS))
        return qpos

    def reset(self, rng: Rng, num: int) -> Reset:
        return Reset(self.hands_start(rng, num), torch.zeros(num, self.model.nv))

    def hands(self, sim: WorldStates, action: torch.Tensor) -> dict[str, torch.Tensor]:
        """The State's fields of the hands."""
        sites, right, left = sim.output("site_xpos"), self._right_joints, self._left_joints
        return {
            "right_fingertips": sites[:, self._right_tips],
            "left_fingertips": sites[:, self._left_tips],
            "right_palm": self.site(sim, f"{RIGHT}palm"),
            "left_palm": self.site(sim, f"{LEFT}palm"),
            "joint_position": torch.cat([sim.qpos[:, right], sim.qpos[:, left]], dim=1),
            "joint_velocity": torch.cat([sim.qvel[:, right], sim.qvel[:, left]], dim=1),
            "action": action,
        }


def _hold(hand: mujoco.MjSpec, placed: HandPose) -> None:
    """Hold a hand in its place, weightless as in the original, and mark the middle of its palm."""
    turn, mount = np.zeros(4), hand.body(f"{RIGHT}hand mount")
    mujoco.mju_euler2Quat(turn, np.array(placed.turn), "XYZ")
    quat = np.zeros(4)
    mujoco.mju_mulQuat(quat, turn, _UNTURNED)
    mount.pos, mount.quat, mount.alt.type = placed.position, quat, mujoco.mjtOrientation.mjORIENTATION_QUAT
    for body in hand.bodies:
        body.gravcomp = 1.0
    hand.body(f"{RIGHT}palm").add_site(name=f"{RIGHT}palm", pos=[0.0, -0.02, 0.08], size=[0.005] * 3, group=3)


_UNTURNED = np.array([0.0, 0.0, -np.sqrt(0.5), np.sqrt(0.5)])
"""How the package holds its hand: turned by a quarter about x, then by a half about z."""


def _let_move(spec: mujoco.MjSpec, side: str, reach_m: float) -> None:
    """Joints along and about the world's axes at the end of a hand's forearm, and actuators of their velocities."""
    mount = spec.body(f"{side}hand mount")
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, mount.quat)
    for kind, reach, speed, gain, armature in (
        (mujoco.mjtJoint.mjJNT_SLIDE, reach_m, SPEED_M_S, 1000.0, 1.0),
        (mujoco.mjtJoint.mjJNT_HINGE, REACH_RAD, TURN_RAD_S, 100.0, 0.1),
    ):
        for axis, of_world in zip("xyz", np.eye(3), strict=True):
            joint = mount.add_joint(type=kind, axis=rotation.reshape(3, 3).T @ of_world, armature=armature)
            joint.name = f"{side}{'move' if kind == mujoco.mjtJoint.mjJNT_SLIDE else 'turn'}_{axis}"
            joint.limited, joint.range = True, [-reach, reach]
            actuator = spec.add_actuator(name=joint.name, target=joint.name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
            actuator.set_to_velocity(kv=gain)
            actuator.ctrllimited, actuator.ctrlrange = True, [-speed, speed]
