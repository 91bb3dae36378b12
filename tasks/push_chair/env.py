"""ManiSkill's PushChair: a robot with two Panda arms on a mobile base is to push a swivel chair to a place."""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import torch

from eureka.physics import WorldStates
from eureka.tasks import NoCarry, OnDevice, Reset, Rng, state_field
from eureka.tasks.shared.locomotion import total_of
from eureka.tasks.shared.mobile_panda import BASE, MobilePanda, facing
from eureka.tasks.shared.rotations import rotate_back

NEAR_M, TILT_RAD, STILL_M_S, STILL_RAD_S = 0.15, 0.05 * math.pi, 0.1, 0.2  # ManiSkill's success
FALLEN_RAD, AT_CHAIR_M = 0.2 * math.pi, 0.1  # and the stages of its reward
SEAT_BOXES = OnDevice(torch.tensor([[[0.0, 0.0, 0.0], [0.2, 0.2, 0.025]], [[-0.2, 0.0, 0.3], [0.025, 0.19, 0.22]]]))
"""Middles and half sizes of seat and back in the seat's frame, m: what the fingers are to be at."""


class PushChair(MobilePanda):
    """One chair of primitives stands for ManiSkill's; only fingers and the base push it, not the arms."""

    ARMS = {"right_": (0.0, -0.15, 0.1), "left_": (0.0, 0.15, 0.1)}
    ORIENTATION = (0.5, 0.5, 0.5, 0.5)
    BOUNDS = ((0.3, -0.15, 0.45), (0.65, 0.15, 0.8))
    HAND_START = (0.4, 0.0, 0.6)
    num_actions = 11

    @dataclass(frozen=True)
    class State:
        """What a reward may read after a control step. The target is the world's origin; z is up."""

        right_tip: torch.Tensor = state_field((3,), "m", "world", "middle between the right hand's fingertips")
        left_tip: torch.Tensor = state_field((3,), "m", "world", "middle between the left hand's fingertips")
        hand_velocity: torch.Tensor = state_field(
            (6,), "m/s", "base", "of the right and the left hand, beside the base"
        )
        finger_to_chair: torch.Tensor = state_field(
            (4,), "m", "world", "from the fingertips, two of the right and two of the left hand, to seat or back"
        )
        base_position: torch.Tensor = state_field((2,), "m", "world", "x and y of the base")
        base_yaw: torch.Tensor = state_field((), "rad", "world", "where the robot looks, from x to the left")
        base_velocity: torch.Tensor = state_field((2,), "m/s", "world", "velocity of the base")
        base_yaw_rate: torch.Tensor = state_field((), "rad/s", "world", "how fast the base turns")
        chair_position: torch.Tensor = state_field((2,), "m", "world", "x and y of the chair")
        chair_velocity: torch.Tensor = state_field((3,), "m/s", "world", "velocity of the chair")
        chair_angular_velocity: torch.Tensor = state_field((3,), "rad/s", "chair", "of its column and legs")
        chair_tilt: torch.Tensor = state_field((), "rad", "world", "of the column from upright")
        back_position: torch.Tensor = state_field((3,), "m", "world", "middle of the back")
        distance_to_target: torch.Tensor = state_field((), "m", "world", "of the chair, along the ground")
        action: torch.Tensor = state_field(
            (11,),
            "1",
            "base",
            "velocity of the base ahead, to its left (shares of 0.5 m/s) and turning left (of 1 rad/s); of the right "
            "hand along the base's x, y, z (of 0.3 m/s) and its gripper: -1 opens, 1 closes; the same of the left",
        )

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        chair = mujoco.MjSpec.from_file(str(self.folder / "chair.xml"))
        spec.worldbody.add_frame().attach_body(chair.body("chair"), "chair/", "")
        spec.body("chair/seat").add_site(name="seat_0", pos=[0.0, 0.0, 0.0])
        spec.body("chair/seat").add_site(name="back_0", pos=[-0.2, 0.0, 0.3])
        spec.worldbody.add_geom(
            type=mujoco.mjtGeom.mjGEOM_CYLINDER,
            size=[NEAR_M, 0.001, 0.0],
            contype=0,
            conaffinity=0,
            rgba=[0.8, 0.2, 0.2, 1.0],
        )
        spec.worldbody.add_camera(name="chair", pos=[-1.3, -3.0, 2.4], xyaxes=[0.92, -0.4, 0.0, 0.24, 0.55, 0.8])

    def reset(self, rng: Rng, num: int) -> Reset:
        """The chair is 0.8 to 1.2 m from the target and looks about there; the robot is about behind it."""
        qpos = self._home.repeat(num, 1)
        away, angle = rng.uniform(0.8, 1.2, (num,)), rng.uniform(-math.pi, math.pi, (num,))
        yaw = angle - math.pi + rng.uniform(-0.4 * math.pi, 0.4 * math.pi, (num,))
        place = away[:, None] * torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)
        first = self.address("chair/chair")
        turned = torch.stack([torch.cos(yaw / 2), *torch.zeros(2, num), torch.sin(yaw / 2)], dim=1)
        qpos[:, first : first + 7] = torch.cat([place, torch.zeros(num, 1), turned], dim=1)
        behind, looks = facing(rng, num, 0.95, 1.2, yaw, 0.2 * math.pi)
        base = self.address(BASE[0])
        qpos[:, base : base + 3] = torch.cat([place + behind, looks[:, None]], dim=1)
        swivel = self.velocity_address("chair/swivel")
        damping = torch.from_numpy(self.model.dof_damping).float().repeat(num, 1)
        damping[:, swivel] = rng.uniform(5.0, 15.0, (num,))
        return Reset(qpos, torch.zeros(num, self.model.nv), model_fields={"dof_damping": damping})

    def state(self, sim: WorldStates, carry: NoCarry, action: torch.Tensor) -> State:
        base, moving = self.base_of(sim), self.base_velocity(sim)
        first, dof = self.address("chair/chair"), self.velocity_address("chair/chair")
        turned = sim.qpos[:, first + 3 : first + 7]
        up = 1 - 2 * turned[:, 1:3].square().sum(dim=1)
        return self.State(
            right_tip=self.tip_of(sim, "right_"),
            left_tip=self.tip_of(sim, "left_"),
            hand_velocity=torch.cat([self.tip_velocity(sim, arm) for arm in self.ARMS], dim=1),
            finger_to_chair=self._to_chair(sim, turned),
            base_position=base[:, :2],
            base_yaw=base[:, 2],
            base_velocity=moving[:, :2],
            base_yaw_rate=moving[:, 2],
            chair_position=sim.qpos[:, first : first + 2],
            chair_velocity=sim.qvel[:, dof : dof + 3],
            chair_angular_velocity=sim.qvel[:, dof + 3 : dof + 6],
            chair_tilt=torch.acos(up.clamp(-1.0, 1.0)),
            back_position=self.site(sim, "back_0"),
            distance_to_target=torch.linalg.vector_norm(sim.qpos[:, first : first + 2], dim=1),
            action=action,
        )

    def _to_chair(self, sim: WorldStates, turned: torch.Tensor) -> torch.Tensor:
        """From the four fingertips to the nearer of seat and back, (num_envs, 4) m; 0 within them."""
        swivel = sim.qpos[:, self.address("chair/swivel")]
        cos, sin = torch.cos(swivel), torch.sin(swivel)
        tips = torch.cat([self.finger_points(sim, arm)[:, :, -1] for arm in self.ARMS], dim=1)
        middle = self.site(sim, "seat_0")
        away = []
        for finger in range(4):
            x, y, z = rotate_back(turned.to(tips.dtype), tips[:, finger] - middle).unbind(dim=1)
            of_seat = torch.stack([cos * x + sin * y, cos * y - sin * x, z], dim=1)
            boxes = SEAT_BOXES.like(of_seat)
            beyond = ((of_seat[:, None] - boxes[:, 0]).abs() - boxes[:, 1]).clamp(min=0.0)
            away.append(torch.linalg.vector_norm(beyond, dim=2).amin(dim=1))
        return torch.stack(away, dim=1)

    def observe(self, state: State) -> torch.Tensor:
        level = torch.zeros_like(state.base_position[:, :1])
        yaw = state.base_yaw
        chair = torch.cat([state.chair_position - state.base_position, level], dim=1)
        target = torch.cat([-state.base_position, level], dim=1)
        seen = [
            self.in_base_frame(chair, yaw)[:, :2],
            self.in_base_frame(target, yaw)[:, :2],
            self.in_base_frame(torch.cat([state.base_velocity, level], dim=1), yaw)[:, :2],
            self.in_base_frame(state.chair_velocity, yaw)[:, :2],
            *(3 * self.in_base_frame(state.back_position - tip, yaw) for tip in (state.right_tip, state.left_tip)),
        ]
        numbers = [state.base_yaw_rate, state.chair_angular_velocity[:, 2], 5 * state.chair_tilt]
        return torch.cat([*seen, 5 * state.finger_to_chair, torch.stack(numbers, dim=1)], dim=1)

    def _still(self, speed: torch.Tensor, state: State) -> torch.Tensor:
        return (speed <= STILL_M_S) & (self._turning(state) <= STILL_RAD_S)

    def _turning(self, state: State) -> torch.Tensor:
        return torch.linalg.vector_norm(state.chair_angular_velocity, dim=1)

    def succeeded(self, state: State) -> torch.Tensor:
        """ManiSkill's: within 15 cm of the target, upright and still."""
        speed = torch.linalg.vector_norm(state.chair_velocity, dim=1)
        there = (state.distance_to_target < NEAR_M) & (state.chair_tilt < TILT_RAD)
        return there & self._still(speed, state)

    def human_reward(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """ManiSkill2's PushChair (Gu et al. 2023): fingers at the chair, which stands, goes to its target and rests.

        With d the fingers' mean distance, v the chair's speed along the ground and u that away from the target:
        -d - ln d (within -10 and 0), -0.2 tilt, and -10, or -5 where it has fallen (36 degrees). Fingers within 0.1 m
        earn 2 and 2 max(-1, 1 - e^u) - 2 distance; in the target 2 and 2 e^(-10 v) instead, and 2 where it rests.
        """
        away = state.finger_to_chair.mean(dim=1)
        speed = torch.linalg.vector_norm(state.chair_velocity[:, :2], dim=1)
        along = (state.chair_position * state.chair_velocity[:, :2]).sum(dim=1)
        leaving = along / state.distance_to_target.clamp(min=1e-6)
        stands, is_there = state.chair_tilt < FALLEN_RAD, state.distance_to_target <= NEAR_M
        at_chair = stands & (away < AT_CHAIR_M)
        pushing = 2 * (1 - torch.exp(leaving)).clamp(min=-1.0) - 2 * state.distance_to_target
        resting = 2 + 2 * torch.exp(-10 * speed) + 2 * self._still(speed, state)
        components = {
            "reach": -away - torch.log(away + 1e-5).clamp(-10.0, 0.0),
            "upright": -0.2 * state.chair_tilt,
            "effort": -1e-6 * torch.linalg.vector_norm(state.action, dim=1),
            "stage": torch.where(stands, -10.0, -5.0) + 2 * at_chair,
            "chair": at_chair * torch.where(is_there, resting, pushing),
        }
        return total_of(components)
