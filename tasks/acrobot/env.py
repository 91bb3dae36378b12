"""Acrobot in torques: two links hang from a pivot, and the joint between them alone is to swing them upright."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from eureka.physics import WorldStates
from eureka.tasks import Metric, NoCarry, Reset, Rng, Task, state_field
from eureka.tasks.shared.tolerance import gaussian_tolerance

# The control suite's target: a ball of this radius where the free end is when both links stand upright.
TARGET_RADIUS_M = 0.2


class Acrobot(Task):
    """The body is this folder's own, after the control suite's but with a motor of 10 N m instead of 2. No episode ends
    early."""

    @dataclass(frozen=True)
    class State:
        """What a reward may read after a control step."""

        link_upright: torch.Tensor = state_field(
            (2,), "1", "world", "z of the axis of the link at the pivot and of that at the elbow: 1 upright, -1 hanging"
        )
        link_angle: torch.Tensor = state_field(
            (2,), "rad", "world", "angle of these links from upright, -pi to pi: 0 upright, positive towards +x"
        )
        link_angular_velocity: torch.Tensor = state_field((2,), "rad/s", "world", "angular velocity of these")
        elbow_angle: torch.Tensor = state_field(
            (),
            "rad",
            "joint",
            "angle of the link at the elbow from that at the pivot, -pi to pi: 0 when they are in line",
        )
        tip_height: torch.Tensor = state_field(
            (), "m", "world", "height of the free end over the pivot: 2 when both links are upright, -2 hanging"
        )
        target_distance: torch.Tensor = state_field(
            (), "m", "world", "distance of the free end from its place when both links are upright: 4 hanging"
        )
        action: torch.Tensor = state_field((1,), "1", "joint", "torque of the elbow as a share of 10 N m, -1 to 1")

    def reset(self, rng: Rng, num: int) -> Reset:
        # Easier than the suite's, whose start is anywhere: always hanging, so that every episode has to swing up.
        hanging = torch.tensor([math.pi, 0.0])
        return Reset(hanging + rng.uniform(-0.1, 0.1, (num, 2)), rng.normal(0.01, (num, 2)))

    def state(self, sim: WorldStates, carry: NoCarry, action: torch.Tensor) -> State:
        angle = sim.qpos.cumsum(dim=1)  # the elbow's is from the upper link
        elbow = sim.qpos[:, 1]
        height, aside = torch.cos(angle).sum(dim=1), torch.sin(angle).sum(dim=1)
        return self.State(
            link_upright=torch.cos(angle),
            link_angle=torch.atan2(torch.sin(angle), torch.cos(angle)),
            link_angular_velocity=sim.qvel.cumsum(dim=1),
            elbow_angle=torch.atan2(torch.sin(elbow), torch.cos(elbow)),
            tip_height=height,
            target_distance=torch.hypot(2 - height, aside),
            action=action,
        )

    def observe(self, state: State) -> torch.Tensor:
        angles = [state.link_upright, torch.sin(state.link_angle)]
        return torch.cat([*angles, state.link_angular_velocity / 5], dim=1)

    def terminated(self, state: State) -> torch.Tensor:
        return torch.zeros_like(state.tip_height, dtype=torch.bool)

    @property
    def metric(self) -> Metric:
        return Metric(
            value=self.sparse_reward,
            reduce="mean",
            unit="of the time",
            description="share of the episode with the free end within 0.2 m of its place when both links are upright "
            "(the control suite's acrobot, swingup_sparse)",
        )

    def human_reward(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The control suite's smooth reward of its acrobot (Tassa et al. 2018): 1 in the target, 0.1 a metre off it."""
        near = gaussian_tolerance(state.target_distance, margin=1.0, within=TARGET_RADIUS_M)
        return near, {"near": near}

    def sparse_reward(self, state: State) -> torch.Tensor:
        return (state.target_distance <= TARGET_RADIUS_M).float()
