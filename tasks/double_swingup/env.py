"""Double swing-up: two poles that hang from a cart, one on the other, are to be swung up and held upright."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from eureka.physics import WorldStates
from eureka.tasks import Metric, NoCarry, Reset, Rng, Task, state_field
from eureka.tasks.shared.tolerance import gaussian_tolerance, quadratic_tolerance

POLE_LENGTH_M = 0.6
# What counts as upright: both poles within about 18 degrees.
MIN_UPRIGHT = 0.95


class DoubleSwingup(Task):
    """The body is this folder's own. No episode ends early: at the rail's ends the cart only stops."""

    @dataclass(frozen=True)
    class State:
        """What a reward may read after a control step."""

        cart_position: torch.Tensor = state_field(
            (), "m", "world", "position of the cart along the rail: 0 in its middle, stops at -1.8 and 1.8"
        )
        cart_velocity: torch.Tensor = state_field((), "m/s", "world", "velocity of the cart along the rail")
        pole_upright: torch.Tensor = state_field(
            (2,), "1", "world", "z of the lower and the upper pole's axis: 1 upright, 0 level, -1 hanging"
        )
        pole_angle: torch.Tensor = state_field(
            (2,), "rad", "world", "angle of either pole from upright, -pi to pi: 0 upright, positive towards +x"
        )
        pole_angular_velocity: torch.Tensor = state_field(
            (2,), "rad/s", "world", "angular velocity of either pole, likewise"
        )
        tip_height: torch.Tensor = state_field(
            (), "m", "world", "height of the upper pole's free end over the cart: 1.2 upright, -1.2 hanging"
        )
        action: torch.Tensor = state_field((1,), "1", "cart", "force command as a share of 20 N, -1 to 1")

    def reset(self, rng: Rng, num: int) -> Reset:
        hanging = torch.tensor([0.0, math.pi, 0.0])
        return Reset(hanging + rng.normal(0.01, (num, 3)), rng.normal(0.01, (num, 3)))

    def state(self, sim: WorldStates, carry: NoCarry, action: torch.Tensor) -> State:
        angle = sim.qpos[:, 1:3].cumsum(dim=1)  # the upper hinge's is from the lower pole
        return self.State(
            cart_position=sim.qpos[:, 0],
            cart_velocity=sim.qvel[:, 0],
            pole_upright=torch.cos(angle),
            pole_angle=torch.atan2(torch.sin(angle), torch.cos(angle)),
            pole_angular_velocity=sim.qvel[:, 1:3].cumsum(dim=1),
            tip_height=POLE_LENGTH_M * torch.cos(angle).sum(dim=1),
            action=action,
        )

    def observe(self, state: State) -> torch.Tensor:
        cart = torch.stack([state.cart_position, state.cart_velocity], dim=1)
        poles = [state.pole_upright, torch.sin(state.pole_angle), state.pole_angular_velocity / 5]
        return torch.cat([cart, *poles], dim=1)

    def terminated(self, state: State) -> torch.Tensor:
        return torch.zeros_like(state.cart_position, dtype=torch.bool)

    @property
    def metric(self) -> Metric:
        return Metric(
            value=self.sparse_reward,
            reduce="mean",
            unit="of the time",
            description="share of the episode with both poles upright within 18 degrees",
        )

    def human_reward(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The control suite's smooth reward of its cart with poles (Tassa et al. 2018), a product in [0, 1].

        Uprightness is the mean over the poles, and small velocity the worst pole's, as in its task `two_poles`.
        """
        components = {
            "upright": ((state.pole_upright + 1) / 2).mean(dim=1),
            "centered": (1 + gaussian_tolerance(state.cart_position, margin=2.0)) / 2,
            "small_control": (4 + quadratic_tolerance(state.action[:, 0], margin=1.0)) / 5,
            "small_velocity": (1 + gaussian_tolerance(state.pole_angular_velocity, margin=5.0).amin(dim=1)) / 2,
        }
        return torch.stack(list(components.values())).prod(dim=0), components

    def sparse_reward(self, state: State) -> torch.Tensor:
        return (state.pole_upright >= MIN_UPRIGHT).all(dim=1).float()
