"""Swing-up: a pole that hangs from a cart is to be swung up and held upright over the middle of the rail."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from eureka.physics import WorldStates
from eureka.tasks import Metric, NoCarry, Reset, Rng, Task, state_field
from eureka.tasks.shared.tolerance import gaussian_tolerance, quadratic_tolerance

# What counts as upright and centred: the control suite's sparse cart-pole (Tassa et al. 2018).
MAX_DISTANCE_M = 0.25
MIN_UPRIGHT = 0.995
POLE_LENGTH_M = 1.0


class Swingup(Task):
    """The body is this folder's own; start states and human reward follow the control suite's cart-pole swing-up.

    No episode ends early: at the rail's ends the cart only stops.
    """

    @dataclass(frozen=True)
    class State:
        """What a reward may read after a control step."""

        cart_position: torch.Tensor = state_field(
            (), "m", "world", "position of the cart along the rail: 0 in its middle, stops at -1.8 and 1.8"
        )
        cart_velocity: torch.Tensor = state_field((), "m/s", "world", "velocity of the cart along the rail")
        pole_upright: torch.Tensor = state_field(
            (), "1", "world", "z of the pole's axis, the cosine of its angle: 1 upright, 0 level, -1 hanging"
        )
        pole_angle: torch.Tensor = state_field(
            (), "rad", "world", "angle of the pole from upright, -pi to pi: 0 upright, positive towards +x"
        )
        pole_angular_velocity: torch.Tensor = state_field((), "rad/s", "world", "rate of change of pole_angle")
        tip_distance: torch.Tensor = state_field(
            (),
            "m",
            "world",
            "distance of the pole's free end from its place when the pole is upright over the middle of the rail: 2 at "
            "the start",
        )
        action: torch.Tensor = state_field((1,), "1", "cart", "force command as a share of the maximum, -1 to 1")

    def reset(self, rng: Rng, num: int) -> Reset:
        # The suite's noise: normal with 0.01, on velocities too.
        hanging = torch.tensor([0.0, math.pi])
        return Reset(hanging + rng.normal(0.01, (num, 2)), rng.normal(0.01, (num, 2)))

    def state(self, sim: WorldStates, carry: NoCarry, action: torch.Tensor) -> State:
        position, angle = sim.qpos[:, 0], sim.qpos[:, 1]
        tip_x = position + POLE_LENGTH_M * torch.sin(angle)
        below_top = POLE_LENGTH_M * (1 - torch.cos(angle))
        return self.State(
            cart_position=position,
            cart_velocity=sim.qvel[:, 0],
            pole_upright=torch.cos(angle),
            pole_angle=torch.atan2(torch.sin(angle), torch.cos(angle)),
            pole_angular_velocity=sim.qvel[:, 1],
            tip_distance=torch.hypot(tip_x, below_top),
            action=action,
        )

    def observe(self, state: State) -> torch.Tensor:
        return torch.stack(
            [
                state.cart_position,
                state.pole_upright,
                torch.sin(state.pole_angle),
                state.cart_velocity,
                state.pole_angular_velocity,
            ],
            dim=1,
        )

    def terminated(self, state: State) -> torch.Tensor:
        return torch.zeros_like(state.pole_upright, dtype=torch.bool)

    @property
    def metric(self) -> Metric:
        return Metric(
            value=self.sparse_reward,
            reduce="mean",
            unit="of the time",
            description="share of the episode with the pole upright within 5.7 degrees and the cart within 0.25 m of "
            "the middle",
        )

    def human_reward(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The control suite's smooth reward of cart-pole swing-up (Tassa et al. 2018), a product in [0, 1].

        The components are its factors.
        """
        components = {
            "upright": (state.pole_upright + 1) / 2,
            "centered": (1 + gaussian_tolerance(state.cart_position, margin=2.0)) / 2,
            "small_control": (4 + quadratic_tolerance(state.action[:, 0], margin=1.0)) / 5,
            "small_velocity": (1 + gaussian_tolerance(state.pole_angular_velocity, margin=5.0)) / 2,
        }
        return torch.stack(list(components.values())).prod(dim=0), components

    def sparse_reward(self, state: State) -> torch.Tensor:
        return ((state.pole_upright >= MIN_UPRIGHT) & (state.cart_position.abs() <= MAX_DISTANCE_M)).float()
