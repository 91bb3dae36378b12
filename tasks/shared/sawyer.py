"""MetaWorld's Sawyer at its table (Yu et al. 2020): the hand is driven by three velocities and a gripper.

In MetaWorld a body that nothing can push drags the hand; here it slides along x, y and z under velocity actuators, so
that both engines step it and a reset needs no settling. What stands on the table is a mocap body: every episode has it
elsewhere. Model files come with the package metaworld (MIT licence).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import mujoco
import numpy as np
import torch

from eureka.physics import WorldStates
from eureka.tasks.base import Controls, NoCarry, Reset, state_field
from eureka.tasks.on_device import OnDevice
from eureka.tasks.rng import Rng
from eureka.tasks.shared.drive import DRIVE, add_drive, within_bounds
from eureka.tasks.shared.success import SuccessTask

HAND_LOW, HAND_HIGH = (-0.5, 0.4, 0.05), (0.5, 1.0, 0.5)
HAND_SPEED_M_S = 0.8
"""MetaWorld's: an action of 1 moves the hand by 1 cm in a control step of 12.5 ms."""
SETTLING_S = 1.5


@dataclass(frozen=True)
class SawyerState:
    """What a reward may read after a control step. Positions are one substep old. x is to the right, y is ahead."""

    hand_position: torch.Tensor = state_field((3,), "m", "world", "base of the hand")
    gripper_position: torch.Tensor = state_field((3,), "m", "world", "middle between the fingertips")
    left_fingertip: torch.Tensor = state_field((3,), "m", "world", "end of the left finger")
    gripper_opening: torch.Tensor = state_field((), "1", "hand", "how far the fingers are apart: 0 closed, 1 open")
    object_position: torch.Tensor = state_field((3,), "m", "world", "what is to be moved, where a hand would take it")
    object_velocity: torch.Tensor = state_field((), "m/s or rad/s", "joint", "velocity of the object's joint")
    target_position: torch.Tensor = state_field((3,), "m", "world", "where the object is to be brought")
    object_start: torch.Tensor = state_field((3,), "m", "world", "where the object was when the episode began")
    gripper_start: torch.Tensor = state_field((3,), "m", "world", "where the gripper was when the episode began")
    distance_to_goal: torch.Tensor = state_field(
        (), "m", "world", "how far the object is from its target, in the direction that counts"
    )
    action: torch.Tensor = state_field(
        (4,), "1", "world", "velocity of the hand along x, y, z as shares of 0.8 m/s, and gripper: -1 opens, 1 closes"
    )


class SawyerHand(SuccessTask):
    """The hand, its controls and what MetaWorld counts. No episode ends early; success at any time counts.

    `HAND_START` is where the hand begins. What is to be moved is somewhere between `PLACE_LOW` and `PLACE_HIGH`.
    """

    PLACE_LOW: ClassVar[tuple[float, float, float]]
    PLACE_HIGH: ClassVar[tuple[float, float, float]]
    HAND_START: ClassVar[tuple[float, float, float]] = (0.0, 0.6, 0.2)
    WHOSE_SUCCESS = "MetaWorld's"
    SUCCESS_M: ClassVar[float] = 0.05
    V1_MAX_M: ClassVar[float | None] = None
    V1_REACHES_WITH: ClassVar[str] = "gripper_position"

    State = SawyerState
    num_actions = 4

    # ---- the scene -----------------------------------------------------------------------------------------------

    def extend_model(self, spec: mujoco.MjSpec) -> None:
        spec.delete(spec.body("mocap"))
        for equality in list(spec.equalities):
            spec.delete(equality)
        # The package's own cameras see the scene upside down.
        spec.worldbody.add_camera(name="table", pos=[0.95, 0.0, 0.75], xyaxes=[0.6, 0.8, 0.0, -0.37, 0.28, 0.88])
        add_drive(spec, "hand", np.array([1.0, 0.0, 1.0, 0.0]) / np.sqrt(2), HAND_SPEED_M_S)

    @cached_property
    def _drive_address(self) -> int:
        return int(self.model.joint(DRIVE[0]).qposadr[0])

    @cached_property
    def _home(self) -> mujoco.MjData:
        """The scene at rest with the hand at its start, open, and all else as `hold_object` has it."""
        data = mujoco.MjData(self.model)
        first, place = self._drive_address, np.array(self.HAND_START)
        for _ in range(round(SETTLING_S / self.model.opt.timestep)):
            data.qpos[first : first + 3] = place
            data.qvel[self.model.joint(DRIVE[0]).dofadr[0] :][:3] = 0.0
            self.hold_object(data)
            data.ctrl[:2] = -1.0, 1.0
            mujoco.mj_step(self.model, data)
        data.qvel[:] = 0.0
        data.qpos[first : first + 3] = place
        self.hold_object(data)
        mujoco.mj_forward(self.model, data)
        return data

    @abstractmethod
    def hold_object(self, data: mujoco.MjData) -> None:
        """Put what is to be moved to its start, at rest, while the hand goes to its own."""

    def _measured(self, name: str) -> np.ndarray:
        """A body's, site's or geom's place in the scene at rest."""
        kind, _, own = name.partition(":")
        return np.array(getattr(self._home, kind)(own).xpos)

    @cached_property
    def _gripper_start(self) -> OnDevice:
        """Where the gripper is when an episode begins, (3,)."""
        gripper = (self._measured("site:rightEndEffector") + self._measured("site:leftEndEffector")) / 2
        return OnDevice(torch.from_numpy(gripper).float())

    # ---- episodes ------------------------------------------------------------------------------------------------

    def control(self, sim: WorldStates, carry: Any, action: torch.Tensor) -> Controls:
        """The hand keeps within MetaWorld's bounds: near them it is slowed down."""
        at = sim.qpos[:, self._drive_address : self._drive_address + 3].to(action.dtype)
        speed = within_bounds(HAND_SPEED_M_S * action[:, :3], at, self._bounds.like(action), self.control_timestep_s)
        grip = action[:, 3:]
        return Controls(torch.cat([grip, -grip, speed], dim=1))

    @cached_property
    def _bounds(self) -> OnDevice:
        return OnDevice([HAND_LOW, HAND_HIGH])

    # ---- what is seen --------------------------------------------------------------------------------------------

    def place_of(self, sim: WorldStates, name: str) -> torch.Tensor:
        """Where a body, site or geom is, (num_envs, 3)."""
        kind, _, own = name.partition(":")
        index = int(getattr(self.model, kind)(own).id)
        return sim.output({"body": "xpos", "site": "site_xpos", "geom": "geom_xpos"}[kind])[:, index]

    @abstractmethod
    def distance(self, object_position: torch.Tensor, target_position: torch.Tensor) -> torch.Tensor:
        """What MetaWorld measures of the object's way to its target, (num_envs,)."""

    def hand_fields(self, sim: WorldStates) -> dict[str, torch.Tensor]:
        """The State's fields of the hand by name."""
        right, left = self.place_of(sim, "site:rightEndEffector"), self.place_of(sim, "site:leftEndEffector")
        apart = self.place_of(sim, "body:rightclaw") - self.place_of(sim, "body:leftclaw")
        return {
            "hand_position": self.place_of(sim, "body:hand"),
            "gripper_position": (right + left) / 2,
            "left_fingertip": left,
            "gripper_opening": (torch.linalg.vector_norm(apart, dim=1) / 0.1).clamp(0.0, 1.0),
            "gripper_start": self._gripper_start.like(left).expand_as(left),
        }

    def observe(self, state: Any) -> torch.Tensor:
        hand = [10 * (state.gripper_position - state.object_position), state.gripper_opening[:, None]]
        places = [4 * (state.hand_position - state.gripper_start), 4 * (state.object_position - state.object_start)]
        return torch.cat([*hand, *places, 10 * (state.target_position - state.object_position)], dim=1)

    def terminated(self, state: Any) -> torch.Tensor:
        return torch.zeros_like(state.gripper_opening, dtype=torch.bool)

    # ---- what is wanted ------------------------------------------------------------------------------------------

    def succeeded(self, state: Any) -> torch.Tensor:
        """MetaWorld's success, (num_envs,) bool."""
        return state.distance_to_goal <= self.SUCCESS_M

    def reward_v1(self, state: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """MetaWorld's first reward (Yu et al. 2020), which pays for the object's way while the gripper is at it.

        With r from the gripper to the object and d from there to the target: -r, and where r < 0.05, also
        1000 (d_max - d) + 1000 (exp(-d^2 / 0.01) + exp(-d^2 / 0.001)), but no less than 0.
        """
        reach = torch.linalg.vector_norm(state.object_position - getattr(state, self.V1_REACHES_WITH), dim=1)
        way = self.v1_distance(state.object_position, state.target_position)
        most = self.V1_MAX_M or self.v1_distance(state.object_start, state.target_position)
        near = torch.exp(-way.square() / 0.01) + torch.exp(-way.square() / 0.001)
        moved = torch.clamp(1000 * (most - way) + 1000 * near, min=0.0) * (reach < 0.05)
        return moved - reach, {"reach": -reach, "moved": moved}

    def v1_distance(self, object_position: torch.Tensor, target_position: torch.Tensor) -> torch.Tensor:
        """The way that `reward_v1` pays for, where it is another than `distance`."""
        return self.distance(object_position, target_position)


class Sawyer(SawyerHand):
    """One object that is part of what stands on the table.

    `FIXTURE` is the body that stands somewhere between `PLACE_LOW` and `PLACE_HIGH`; its one joint starts at `START`.
    `OBJECT` names what is to be moved, a `body:`, `site:` or `geom:`, at `OBJECT_OFFSET` from it; the target is a
    `TARGET_SITE` of the fixture or `TARGET_OFFSET` from its place.
    """

    FIXTURE: ClassVar[str]
    START: ClassVar[float] = 0.0
    OBJECT: ClassVar[str]
    OBJECT_OFFSET: ClassVar[tuple[float, float, float]] = (0.0, 0.0, 0.0)
    TARGET_SITE: ClassVar[str] = ""
    TARGET_OFFSET: ClassVar[tuple[float, float, float]] = (0.0, 0.0, 0.0)

    def extend_model(self, spec: mujoco.MjSpec) -> None:
        super().extend_model(spec)
        spec.body(self.FIXTURE).mocap = True

    @cached_property
    def _joint(self) -> mujoco._structs._MjModelJointViews:
        """The fixture's one joint."""
        inside = [
            joint
            for joint in range(self.model.njnt)
            if self.model.body_rootid[self.model.jnt_bodyid[joint]] == self.model.body(self.FIXTURE).id
        ]
        if len(inside) != 1:
            raise ValueError(f"{self.FIXTURE} has {len(inside)} joints, not one")
        return self.model.joint(inside[0])

    def hold_object(self, data: mujoco.MjData) -> None:
        data.qpos[self._joint.qposadr] = self.START
        data.qvel[self._joint.dofadr] = 0.0

    @cached_property
    def _starts(self) -> OnDevice:
        """From the fixture's place to the object's start, and to the target: (2, 3)."""
        place = self._home.mocap_pos[0]
        start = self._measured(self.OBJECT) + self.OBJECT_OFFSET - place
        target = self._measured(self.TARGET_SITE) - place if self.TARGET_SITE else np.array(self.TARGET_OFFSET)
        return OnDevice(torch.from_numpy(np.stack([start, target])).float())

    def reset(self, rng: Rng, num: int) -> Reset:
        qpos = torch.from_numpy(self._home.qpos).float().repeat(num, 1)
        low, high = torch.tensor(self.PLACE_LOW), torch.tensor(self.PLACE_HIGH)
        place = low + (high - low) * rng.uniform(0.0, 1.0, (num, 3))
        turned = torch.from_numpy(self.model.body(self.FIXTURE).quat).float().expand(num, 4)
        mocap = torch.cat([place, turned], dim=1)[:, None]
        return Reset(qpos, torch.zeros(num, self.model.nv), mocap=mocap)

    def state(self, sim: WorldStates, carry: NoCarry, action: torch.Tensor) -> Any:
        place = sim.output("mocap_pos")[:, 0]
        to_start, to_target = self._starts.like(place)
        thing = self.place_of(sim, self.OBJECT)
        thing = torch.stack([thing[:, axis] + self.OBJECT_OFFSET[axis] for axis in range(3)], dim=1)
        return self.State(
            **self.hand_fields(sim),
            object_position=thing,
            object_velocity=sim.qvel[:, int(self._joint.dofadr[0])],
            target_position=place + to_target,
            object_start=place + to_start,
            distance_to_goal=self.distance(thing, place + to_target),
            action=action,
        )


def apart(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """How far two points are from each other, (num_envs,), of (num_envs, dimensions)."""
    return torch.linalg.vector_norm(first - second, dim=1)
