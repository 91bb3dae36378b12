"""Franka cabinet: the Panda is to pull a cabinet's drawer open by its handle."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import torch

from eureka.physics import WorldStates
from eureka.tasks import Metric, NoCarry, Reset, Rng, state_field
from eureka.tasks.shared.cabinet import add_cabinet
from eureka.tasks.shared.locomotion import total_of
from eureka.tasks.shared.panda import MOST_OPEN_M, Panda
from eureka.tasks.shared.sawyer import apart

# Isaac Gym's, metres: the drawer counts as open, and further bonuses on the way.
OPEN_M, HALF_OPEN_M, MOVED_M = 0.39, 0.2, 0.01


class FrankaCabinet(Panda):
    """The hand keeps pointing at it, its fingers above and below the handle, where
    Isaac Gym's arm is moved by its joints and may turn."""

    # z of the hand, along which it points, is the world's x; its fingers open along the world's z.
    ORIENTATION = (0.5, 0.5, 0.5, 0.5)
    HAND_START = (0.4, 0.0, 0.65)
    ARM_START = (0.0, -0.4, 0.0, -2.0, 0.0, 3.2, -0.785)
    BOUNDS = ((0.2, -0.2, 0.55), (0.75, 0.2, 0.8))

    @dataclass(frozen=True)
    class State:
        """What a reward may read after a control step. x is ahead of the robot, into the cabinet."""

        tip_position: torch.Tensor = state_field((3,), "m", "world", "middle between the fingertips; one substep old")
        tip_velocity: torch.Tensor = state_field((3,), "m/s", "world", "velocity of the hand")
        finger_height: torch.Tensor = state_field((2,), "m", "world", "z of the upper and of the lower fingertip")
        handle_position: torch.Tensor = state_field((3,), "m", "world", "middle of the drawer's handle, a bar along y")
        drawer_opening: torch.Tensor = state_field((), "m", "joint", "how far the drawer is out: 0 closed, 0.4 at most")
        drawer_velocity: torch.Tensor = state_field((), "m/s", "joint", "positive where it opens")
        around_handle: torch.Tensor = state_field(
            (), "1", "world", "1 where one fingertip is above the handle and the other below it, else 0"
        )
        action: torch.Tensor = state_field(
            (4,),
            "1",
            "world",
            "velocity of the hand along x, y, z as shares of 0.3 m/s, and gripper: -1 opens, 1 closes",
        )

    def add_objects(self, spec: mujoco.MjSpec) -> None:
        add_cabinet(spec, "drawer")

    def reset(self, rng: Rng, num: int) -> Reset:
        qpos = self._home.repeat(num, 1)
        aside = rng.uniform(-0.05, 0.05, (num, 3)) + torch.tensor([1.03, 0.0, 0.57])
        turned = torch.tensor([1.0, 0.0, 0.0, 0.0]).expand(num, 4)
        mocap = torch.cat([aside, turned], dim=1)[:, None]
        return Reset(qpos, torch.zeros(num, self.model.nv), mocap=mocap)

    def state(self, sim: WorldStates, carry: NoCarry, action: torch.Tensor) -> State:
        tip = self.tip_of(sim)
        handle = (self.site(sim, "cabinet/drawer_0") + self.site(sim, "cabinet/drawer_1")) / 2
        up, down = self.fingers_of(sim).unbind(dim=1)
        upper, lower = tip[:, 2] + up, tip[:, 2] - down
        near = apart(tip[:, :2], handle[:, :2]) < MOST_OPEN_M
        around = (upper > handle[:, 2]) & (lower < handle[:, 2]) & near
        return self.State(
            tip_position=tip,
            tip_velocity=self.tip_velocity(sim),
            finger_height=torch.stack([upper, lower], dim=1),
            handle_position=handle,
            drawer_opening=sim.qpos[:, self.address("cabinet/drawer")],
            drawer_velocity=sim.qvel[:, self.velocity_address("cabinet/drawer")],
            around_handle=around.to(tip.dtype),
            action=action,
        )

    def observe(self, state: State) -> torch.Tensor:
        to_handle = 10 * (state.handle_position - state.tip_position)
        numbers = [state.drawer_opening * 5, state.drawer_velocity, state.around_handle]
        gap = 10 * (state.finger_height[:, 0] - state.finger_height[:, 1])
        return torch.cat([to_handle, state.tip_velocity, torch.stack([*numbers, gap], dim=1)], dim=1)

    def terminated(self, state: State) -> torch.Tensor:
        return torch.zeros_like(state.drawer_opening, dtype=torch.bool)

    @property
    def metric(self) -> Metric:
        return Metric(
            value=self.sparse_reward,
            reduce="max",
            unit="of the episodes",
            description="share of the episodes in which the drawer was out by more than 0.39 m (Eureka's F of the "
            "Franka cabinet)",
        )

    def human_reward(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Isaac Gym's Franka cabinet (Makoviychuk et al. 2021), without its term for turning the hand, which does not.

        With d from the fingers to the handle, 1 / (1 + d^2) squared, doubled within 2 cm, weighs 2; fingers around the
        handle 0.25, and close to it from both sides 5; the drawer's way 7.5, doubled with fingers around the handle;
        the action's square -0.01; and there are bonuses for a drawer that is out by 0.01, 0.2 and 0.39 m.
        """
        away = apart(state.tip_position, state.handle_position)
        near = (1 / (1 + away.square())).square()
        around, way = state.around_handle, state.drawer_opening
        gaps = (state.finger_height - state.handle_position[:, 2:]).abs()
        bonus = 0.5 * (way > MOVED_M) + around * (way > HALF_OPEN_M) + 2 * around * (way > OPEN_M)
        return total_of(
            {
                "near": 2 * torch.where(away <= 0.02, 2 * near, near),
                "around": 0.25 * around,
                "closed": 5 * around * (MOST_OPEN_M - gaps).sum(dim=1),
                "open": 7.5 * (way * around + way),
                "effort": -0.01 * state.action.square().sum(dim=1),
                "bonus": bonus,
            }
        )

    def sparse_reward(self, state: State) -> torch.Tensor:
        return (state.drawer_opening > OPEN_M).float()
