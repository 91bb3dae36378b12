"""ManiSkill's TurnFaucet: the Panda is to turn the lever of a faucet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import mujoco
import torch

from eureka.physics import WorldStates
from eureka.tasks import Reset, Rng, state_field
from eureka.tasks.shared.bars import beyond_bar
from eureka.tasks.shared.panda import ManiSkillPanda

LEVER_RADIUS_M = 0.012
TARGET_RAD = 0.9 * math.pi / 2  # ManiSkill's: nine tenths of the joint's range
PLACE_M = (0.56, 0.0)
ASIDE_M, TURNED_RAD = 0.05, math.pi / 12  # how much the faucet's place varies


class TurnFaucet(ManiSkillPanda):
    """One faucet of primitives stands for ManiSkill's sixty; its lever points at the robot and turns to its right.

    The hand points down and does not turn: it pushes the lever.
    """

    HAND_START = (0.35, 0.0, 0.4)
    BOUNDS = ((0.25, -0.35, 0.2), (0.75, 0.35, 0.6))

    @dataclass(frozen=True)
    class Carry:
        """The lever's angle one control step ago, (num_envs,) rad."""

        angle: torch.Tensor
        angle_before: torch.Tensor

    @dataclass(frozen=True)
    class State:
        """What a reward may read after a control step. x is ahead of the robot, y to its left."""

        tip_position: torch.Tensor = state_field((3,), "m", "world", "middle between the fingertips; one substep old")
        tip_velocity: torch.Tensor = state_field((3,), "m/s", "world", "velocity of the hand")
        finger_gap: torch.Tensor = state_field((), "m", "hand", "between the fingers: 0 closed, 0.08 open")
        lever_pivot: torch.Tensor = state_field((3,), "m", "world", "where the lever begins, near the axis it turns on")
        lever_end: torch.Tensor = state_field((3,), "m", "world", "the lever's free end, 0.13 m from the axis")
        finger_to_lever: torch.Tensor = state_field((), "m", "world", "from the nearer finger to the lever's surface")
        lever_angle: torch.Tensor = state_field((), "rad", "joint", "0 at the start, pi/2 at most; seen from above ccw")
        lever_velocity: torch.Tensor = state_field((), "rad/s", "joint", "positive where it turns to its target")
        angle_left: torch.Tensor = state_field((), "rad", "joint", "from the lever's angle to its target of 0.45 pi")
        angle_left_before: torch.Tensor = state_field((), "rad", "joint", "the same one control step ago")
        action: torch.Tensor = state_field(
            (4,),
            "1",
            "world",
            "velocity of the hand along x, y, z as shares of 0.3 m/s, and gripper: -1 opens, 1 closes",
        )

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        faucet = mujoco.MjSpec.from_file(str(self.folder / "faucet.xml"))
        spec.worldbody.add_frame().attach_body(faucet.body("faucet"), "faucet/", "")

    def reset(self, rng: Rng, num: int) -> Reset:
        qpos = self._home.repeat(num, 1)
        place = torch.cat([rng.uniform(-ASIDE_M, ASIDE_M, (num, 2)), torch.zeros(num, 1)], dim=1)
        place = place + torch.tensor([*PLACE_M, 0.0])
        half = rng.uniform(-TURNED_RAD, TURNED_RAD, (num, 1)) / 2
        turned = torch.cat([torch.cos(half), torch.zeros(num, 2), torch.sin(half)], dim=1)
        mocap = torch.cat([place, turned], dim=1)[:, None]
        return Reset(qpos, torch.zeros(num, self.model.nv), self.Carry(*torch.zeros(2, num)), mocap=mocap)

    def start(self, sim: WorldStates, rng: Rng) -> Any:
        angle = sim.qpos[:, self.address("faucet/lever")].float()
        return self.Carry(angle, angle)

    def advance(self, carry: Carry, sim: WorldStates, action: torch.Tensor, rng: Rng) -> Any:
        return self.Carry(sim.qpos[:, self.address("faucet/lever")].float(), carry.angle)

    def state(self, sim: WorldStates, carry: Carry, action: torch.Tensor) -> State:
        pivot, end = self.site(sim, "faucet/lever_start"), self.site(sim, "faucet/lever_end")
        away = beyond_bar(self.finger_points(sim), pivot, end, LEVER_RADIUS_M).abs()
        angle = sim.qpos[:, self.address("faucet/lever")]
        return self.State(
            tip_position=self.tip_of(sim),
            tip_velocity=self.tip_velocity(sim),
            finger_gap=self.fingers_of(sim).sum(dim=1),
            lever_pivot=pivot,
            lever_end=end,
            finger_to_lever=away.flatten(1).amin(dim=1),
            lever_angle=angle,
            lever_velocity=sim.qvel[:, self.velocity_address("faucet/lever")],
            angle_left=TARGET_RAD - angle,
            angle_left_before=TARGET_RAD - carry.angle_before,
            action=action,
        )

    def observe(self, state: State) -> torch.Tensor:
        places = [10 * (state.lever_end - state.tip_position), 10 * (state.lever_pivot - state.tip_position)]
        numbers = [state.lever_angle, state.lever_velocity, 10 * state.finger_gap, 10 * state.finger_to_lever]
        return torch.cat([*places, state.tip_velocity, torch.stack(numbers, dim=1)], dim=1)

    def succeeded(self, state: State) -> torch.Tensor:
        return state.angle_left < 0

    def human_reward(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """ManiSkill2's TurnFaucet (Gu et al. 2023): near the lever, near its target, turning it; 10 when it is done.

        With d from the fingers to the lever, a the angle that is left and b its change in this step:
        1 - tanh 5d + 3 (1 - tanh 2a) - 5 tanh 2b.
        """
        change = state.angle_left - state.angle_left_before
        components = {
            "reach": 1 - torch.tanh(5 * state.finger_to_lever),
            "angle": 3 * (1 - torch.tanh(2 * state.angle_left.clamp(min=0.0))),
            "turning": -5 * torch.tanh(2 * change),
        }
        under_way = torch.stack(list(components.values())).sum(dim=0)
        return torch.where(self.succeeded(state), 10.0, under_way), components
