"""Ball balance: a tray on three legs is to keep a ball that drops onto it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from eureka.physics import WorldStates
from eureka.tasks import Metric, NoCarry, Reset, Rng, Task, state_field

BALL_RADIUS_M = 0.1
# Isaac Gym's reward is highest here: the ball on the level tray, above its middle.
REST_HEIGHT_M = 0.7


class BallBalance(Task):
    """The body is this folder's own; end of an episode and human reward follow Isaac Gym's balance bot. The ball starts
    nearer and slower than there, and actions are the knees' angles, where there they change them by steps."""

    @dataclass(frozen=True)
    class State:
        """What a reward may read after a control step."""

        ball_position: torch.Tensor = state_field(
            (3,),
            "m",
            "world",
            "centre of the ball; the tray's middle is above the origin, and the ball rests on it at 0.67",
        )
        ball_velocity: torch.Tensor = state_field((3,), "m/s", "world", "velocity of the ball")
        ball_spin: torch.Tensor = state_field((3,), "rad/s", "ball", "angular velocity of the ball")
        tray_position: torch.Tensor = state_field((3,), "m", "world", "middle of the tray, of radius 0.5; z about 0.56")
        tray_orientation: torch.Tensor = state_field((4,), "1", "world", "unit quaternion of the tray, (w, x, y, z)")
        tray_velocity: torch.Tensor = state_field((3,), "m/s", "world", "velocity of the tray")
        tray_angular_velocity: torch.Tensor = state_field((3,), "rad/s", "tray", "angular velocity of the tray")
        leg_angles: torch.Tensor = state_field((6,), "rad", "joint", "hip and knee of each leg in turn, 0 at the start")
        leg_velocities: torch.Tensor = state_field((6,), "rad/s", "joint", "angular velocities of the same joints")
        action: torch.Tensor = state_field((3,), "1", "joint", "angles that the knees are to take as shares of 0.6 rad")

    def reset(self, rng: Rng, num: int) -> Reset:
        tray = torch.zeros(num, 13) + torch.from_numpy(self.model.qpos0[:13])
        angle = rng.uniform(0.0, 2 * math.pi, (num, 1))
        aside = torch.cat([torch.cos(angle), torch.sin(angle)], dim=1)
        height = rng.uniform(0.7, 1.0, (num, 1))
        ball = torch.cat(
            [rng.uniform(0.0, 0.3, (num, 1)) * aside, height, torch.ones(num, 1), torch.zeros(num, 3)], dim=1
        )
        moving = torch.cat([rng.uniform(-0.5, 0.5, (num, 2)), torch.zeros(num, 4)], dim=1)
        qpos, qvel = torch.cat([tray, ball], dim=1), torch.cat([torch.zeros(num, 12), moving], dim=1)
        return Reset(qpos, qvel)

    def state(self, sim: WorldStates, carry: NoCarry, action: torch.Tensor) -> State:
        return self.State(
            ball_position=sim.qpos[:, 13:16],
            ball_velocity=sim.qvel[:, 12:15],
            ball_spin=sim.qvel[:, 15:18],
            tray_position=sim.qpos[:, :3],
            tray_orientation=sim.qpos[:, 3:7],
            tray_velocity=sim.qvel[:, :3],
            tray_angular_velocity=sim.qvel[:, 3:6],
            leg_angles=sim.qpos[:, 7:13],
            leg_velocities=sim.qvel[:, 6:12],
            action=action,
        )

    def observe(self, state: State) -> torch.Tensor:
        ball = [state.ball_position, state.ball_velocity, state.ball_spin / 10]
        tray = [state.tray_orientation[:, 1:], state.tray_velocity, state.tray_angular_velocity]
        return torch.cat([*ball, *tray, state.leg_angles, state.leg_velocities / 5], dim=1)

    def terminated(self, state: State) -> torch.Tensor:
        return state.ball_position[:, 2] < 1.5 * BALL_RADIUS_M

    @property
    def metric(self) -> Metric:
        seconds = self.control_timestep_s
        return Metric(
            value=lambda state: (~self.terminated(state)) * seconds,
            reduce="sum",
            unit="s",
            description="time until the ball falls to the ground (Eureka's F of BallBalance, Ma et al. 2023)",
            best=self.info.max_episode_steps * seconds,
        )

    def human_reward(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Isaac Gym's balance bot (Makoviychuk et al. 2021): 1 / (1 + distance) x 1 / (1 + speed) of the ball.

        The distance is to the point 0.7 m above the origin. The components are the factors.
        """
        x, y, z = state.ball_position.unbind(dim=1)
        distance = torch.sqrt(x.square() + y.square() + (z - REST_HEIGHT_M).square())
        speed = torch.linalg.vector_norm(state.ball_velocity, dim=1)
        components = {"near": 1 / (1 + distance), "slow": 1 / (1 + speed)}
        return components["near"] * components["slow"], components

    def sparse_reward(self, state: State) -> torch.Tensor:
        return (~self.terminated(state)).float()
