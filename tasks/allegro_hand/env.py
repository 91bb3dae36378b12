"""Allegro hand: a cube in it is to be turned to one random orientation after another."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import torch

from eureka.tasks import state_field
from eureka.tasks.shared.in_hand import InHand, InHandState

HALF_CUBE_M = 0.03
PALM_HEIGHT_M = 0.5


class AllegroHand(InHand):
    """The palm looks up, its fingers along -x, tilted so that the cube does not roll off. The hand comes with the
    package example-robot-data (BSD)."""

    CUBE_START = (-0.02, 0.0, 0.58)
    NUM_JOINTS = 16

    @dataclass(frozen=True)
    class State(InHandState):
        """What a reward may read after a control step."""

        joint_position: torch.Tensor = state_field(
            (16,), "rad", "joint", "first, middle, ring finger and thumb, from the palm outwards (4 each)"
        )
        joint_velocity: torch.Tensor = state_field((16,), "rad/s", "joint", "velocities of the same joints")
        action: torch.Tensor = state_field((16,), "1", "joint", "angles to take, within the ranges of the same joints")

    def extend_model(self, spec: mujoco.MjSpec) -> None:
        palm = spec.worldbody.first_body()
        palm.pos, palm.quat = [0.0, 0.0, PALM_HEIGHT_M], [0.7071, 0.0, -0.7071, 0.0]
        for geom in spec.geoms:
            geom.contype, geom.conaffinity, geom.condim = 1, 2, 4
            geom.rgba = [0.3, 0.3, 0.35, 1.0]
        for joint in list(spec.joints):
            joint.armature, joint.damping = 1e-3, [0.05, 0, 0]
            actuator = spec.add_actuator(name=joint.name, target=joint.name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
            actuator.set_to_position(kp=3.0, kv=0.1)
            actuator.ctrllimited, actuator.ctrlrange = True, joint.range
        for body, is_target in (("cube", False), ("target", True)):
            made = spec.worldbody.add_body(name=body, mocap=is_target, pos=self.CUBE_START)
            made.add_geom(
                type=mujoco.mjtGeom.mjGEOM_BOX,
                size=[HALF_CUBE_M] * 3,
                mass=0.1,
                condim=4,
                contype=0 if is_target else 2,
                conaffinity=0 if is_target else 1,
                rgba=[0.2, 0.7, 0.3, 0.5] if is_target else [0.8, 0.4, 0.2, 1.0],
            )
            if not is_target:
                made.add_freejoint(name="cube")
        spec.worldbody.add_light(pos=[0.3, -0.5, 1.5], dir=[-0.2, 0.3, -1.0])
        spec.worldbody.add_camera(name="side", pos=[-0.05, -0.55, 0.85], xyaxes=[1, 0, 0, 0, 0.45, 0.9])
