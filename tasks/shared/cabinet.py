"""A cabinet of boxes with a drawer and a door, and ManiSkill's tasks of opening them (Gu et al. 2023)."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import mujoco
import torch

from eureka.physics import WorldStates
from eureka.tasks.base import NoCarry, Reset, state_field
from eureka.tasks.rng import Rng
from eureka.tasks.shared.bars import beyond_bar
from eureka.tasks.shared.locomotion import total_of
from eureka.tasks.shared.mobile_panda import BASE, BASE_ACTION, MobilePanda, facing
from eureka.tasks.shared.panda import FINGERS, THINGS

PARTS = ("drawer", "door")
HANDLE_RADIUS_M = 0.008
HEIGHT_M = 0.77
"""Of the cabinet's middle above the ground, so that both handles are where the hand can be."""
OPEN_SHARE = 0.9  # of the joint's range: ManiSkill's
STILL_M_S, STILL_RAD_S = 0.1, 1.0
CLOSE_M = 0.01


def add_cabinet(spec: mujoco.MjSpec, moving: str) -> None:
    """The cabinet with one of `PARTS` that moves; the other stays shut. Its names begin with `cabinet/`."""
    cabinet = mujoco.MjSpec.from_file(str(Path(__file__).with_name("cabinet.xml")))
    for part in PARTS:
        if part != moving:
            cabinet.delete(cabinet.joint(part))
    spec.worldbody.add_frame().attach_body(cabinet.body("cabinet"), "cabinet/", "")


@dataclass(frozen=True)
class CabinetState:
    """What a reward may read after a control step. x is into the cabinet, y to the left of who faces it."""

    tip_position: torch.Tensor = state_field((3,), "m", "world", "middle between the fingertips; one substep old")
    hand_velocity: torch.Tensor = state_field((3,), "m/s", "base", "of the hand relative to the base")
    finger_gap: torch.Tensor = state_field((), "m", "hand", "between the fingers: 0 closed, 0.08 open")
    base_position: torch.Tensor = state_field((2,), "m", "world", "x and y of the base; the cabinet stands at 0, 0")
    base_yaw: torch.Tensor = state_field((), "rad", "world", "0 where it faces the cabinet, positive to the left")
    base_velocity: torch.Tensor = state_field((2,), "m/s", "world", "velocity of the base")
    base_yaw_rate: torch.Tensor = state_field((), "rad/s", "world", "how fast the base turns")
    handle_position: torch.Tensor = state_field((3,), "m", "world", "middle of the handle, a bar 1.6 cm thick")
    finger_to_handle: torch.Tensor = state_field(
        (2,), "m", "world", "from each finger's inner side to the surface of the handle"
    )
    depth_in_handle: torch.Tensor = state_field(
        (), "m", "world", "how deep the line between the fingers leads into the handle; negative beside it"
    )
    grasp_angle: torch.Tensor = state_field(
        (), "rad", "world", "from how the hand points to straight at the front of what is to be opened"
    )
    opening: torch.Tensor = state_field((), "m or rad", "joint", "how far it is open; 0 closed")
    opening_velocity: torch.Tensor = state_field((), "m/s or rad/s", "joint", "positive where it opens")
    opening_share: torch.Tensor = state_field((), "1", "joint", "opening as a share of its target; 1 or more is enough")
    link_speed: torch.Tensor = state_field((), "m/s", "world", "of the middle of what is opened")
    link_turning: torch.Tensor = state_field((), "rad/s", "world", "how fast it turns; 0 for a drawer")
    action: torch.Tensor = state_field((7,), "1", "base", BASE_ACTION)


class OpenCabinet(MobilePanda):
    """Open `PART`, whose joint's `RANGE` is in m or rad and whose middle is `LEVER_M` from its hinge; 0: it slides."""

    PART: ClassVar[str]
    RANGE: ClassVar[float]
    LEVER_M: ClassVar[float] = 0.0

    State: ClassVar[type[Any]] = CabinetState

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        add_cabinet(spec, self.PART)
        spec.body("cabinet/cabinet").pos = [0.0, 0.0, HEIGHT_M]
        spec.worldbody.add_geom(
            name="plinth",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=[0.2, 0.25, (HEIGHT_M - 0.21) / 2],
            pos=[0.0, 0.0, (HEIGHT_M - 0.21) / 2],
            contype=THINGS,
            conaffinity=FINGERS,
            rgba=[0.5, 0.45, 0.4, 1.0],
        )
        spec.worldbody.add_camera(name="cabinet", pos=[-1.6, -1.9, 1.6], xyaxes=[0.85, -0.53, 0.0, 0.27, 0.43, 0.86])

    def reset(self, rng: Rng, num: int) -> Reset:
        """The base stands 1.15 to 1.35 m before the cabinet, nearer than ManiSkill's, and faces it."""
        qpos = self._home.repeat(num, 1)
        place, yaw = facing(rng, num, 1.15, 1.35, torch.zeros(num), 0.1 * math.pi)
        first = self.address(BASE[0])
        qpos[:, first : first + 3] = torch.cat([place, yaw[:, None]], dim=1)
        moving = self.velocity_address(f"cabinet/{self.PART}")
        damping = torch.from_numpy(self.model.dof_damping).float().repeat(num, 1)
        damping[:, moving] = rng.uniform(5.0, 20.0, (num,))
        friction = torch.from_numpy(self.model.dof_frictionloss).float().repeat(num, 1)
        friction[:, moving] = rng.uniform(0.05, 0.15, (num,))
        fields = {"dof_damping": damping, "dof_frictionloss": friction}
        return Reset(qpos, torch.zeros(num, self.model.nv), model_fields=fields)

    @abstractmethod
    def front_yaw(self, opening: torch.Tensor) -> torch.Tensor:
        """How the front of what is opened has turned, (num_envs,) rad; 0 where it is shut."""

    def state(self, sim: WorldStates, carry: NoCarry, action: torch.Tensor) -> Any:
        base, moving = self.base_of(sim), self.base_velocity(sim)
        start, end = (self.site(sim, f"cabinet/{self.PART}_{number}") for number in range(2))
        fingers = self.finger_points(sim, "right_")
        away = beyond_bar(fingers, start, end, HANDLE_RADIUS_M).abs().amin(dim=2)
        depth = -beyond_bar(fingers.mean(dim=1), start, end, HANDLE_RADIUS_M).amin(dim=1)
        joint = f"cabinet/{self.PART}"
        opening, velocity = sim.qpos[:, self.address(joint)], sim.qvel[:, self.velocity_address(joint)]
        aside = base[:, 2] - self.front_yaw(opening)
        return self.State(
            tip_position=self.tip_of(sim, "right_"),
            hand_velocity=self.tip_velocity(sim, "right_"),
            finger_gap=self.fingers_of(sim, "right_").sum(dim=1),
            base_position=base[:, :2],
            base_yaw=base[:, 2],
            base_velocity=moving[:, :2],
            base_yaw_rate=moving[:, 2],
            handle_position=(start + end) / 2,
            finger_to_handle=away,
            depth_in_handle=depth,
            grasp_angle=torch.atan2(torch.sin(aside), torch.cos(aside)).abs(),
            opening=opening,
            opening_velocity=velocity,
            opening_share=opening / (OPEN_SHARE * self.RANGE),
            link_speed=velocity.abs() * (self.LEVER_M or 1.0),
            link_turning=velocity.abs() * (1.0 if self.LEVER_M else 0.0),
            action=action,
        )

    def observe(self, state: Any) -> torch.Tensor:
        to_handle = self.in_base_frame(state.handle_position - state.tip_position, state.base_yaw)
        velocity = torch.cat([state.base_velocity, state.base_yaw_rate[:, None]], dim=1)
        middle = torch.cat([-state.base_position, state.tip_position[:, 2:]], dim=1)
        numbers = [10 * state.finger_gap, state.base_yaw, state.opening_share, state.opening_velocity]
        near = [10 * state.finger_to_handle, 10 * state.depth_in_handle[:, None].clamp(min=-0.2)]
        flags = torch.stack(numbers, dim=1)
        return torch.cat([5 * to_handle, middle, velocity, state.hand_velocity, flags, *near], dim=1)

    def still(self, state: Any) -> torch.Tensor:
        """Whether what is opened hardly moves, (num_envs,) bool."""
        return (state.link_speed <= STILL_M_S) & (state.link_turning <= STILL_RAD_S)

    def succeeded(self, state: Any) -> torch.Tensor:
        """ManiSkill's: open by nine tenths of the range, and still."""
        return (state.opening_share >= 1) & self.still(state)

    def human_reward(self, state: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """ManiSkill2's OpenCabinet (Gu et al. 2023): fingers at the handle and around it, straight, then opening it.

        With d from the fingers to the handle, s the depth in the handle (m) and a the angle to a straight grasp:
        -2 mean(d), s from -0.01 to 0.004 m as -1 to 0, -3 a / pi, and -7. Fingers at the handle (d <= 0.01, s > 0)
        earn 0.5, up to 0.5 for the opening and up to 1.5 for its velocity (from -0.1 to 0.5); where it is open, 3.5
        instead, less how it moves, and 1 where it is still.
        """
        depth = ((state.depth_in_handle + 0.01) / 0.014).clamp(0.0, 1.0)
        at_handle = (state.finger_to_handle.amax(dim=1) <= CLOSE_M) & (state.depth_in_handle > 0)
        is_open = state.opening_share >= 1
        faster = 1.5 * ((state.opening_velocity + 0.1) / 0.6).clamp(0.0, 1.0)
        calm = 3.5 - state.link_speed - 0.5 * state.link_turning + self.still(state).to(faster.dtype)
        components = {
            "reach": -2 * state.finger_to_handle.mean(dim=1),
            "around": depth - 1,
            "straight": -3 * state.grasp_angle / math.pi,
            "stage": 0.5 * at_handle - 7,
            "opening": at_handle * 0.5 * state.opening_share.clamp(0.0, 1.0),
            "moving": at_handle * torch.where(is_open, calm, faster),
        }
        return total_of(components)
