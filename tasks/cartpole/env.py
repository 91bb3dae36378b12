"""Cartpole: Gymnasium's inverted pendulum on a cart, to be balanced."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from eureka.physics import WorldStates
from eureka.tasks import Metric, NoCarry, Reset, Rng, Task, state_field


class Cartpole(Task):
    """Observation, start states and the end of an episode follow Gymnasium's InvertedPendulum-v5."""

    @dataclass(frozen=True)
    class State:
        """What a reward may read after a control step."""

        cart_position: torch.Tensor = state_field((), "m", "world", "position of the cart on its rail, -1 to 1")
        cart_velocity: torch.Tensor = state_field((), "m/s", "world", "velocity of the cart")
        pole_angle: torch.Tensor = state_field(
            (), "rad", "world", "angle of the pole from upright; it has fallen beyond 0.2"
        )
        pole_angular_velocity: torch.Tensor = state_field((), "rad/s", "world", "rate of change of pole_angle")
        action: torch.Tensor = state_field((1,), "1", "cart", "force command as a share of the maximum, -1 to 1")

    def reset(self, rng: Rng, num: int) -> Reset:
        return Reset(rng.uniform(-0.01, 0.01, (num, 2)), rng.uniform(-0.01, 0.01, (num, 2)))

    def state(self, sim: WorldStates, carry: NoCarry, action: torch.Tensor) -> State:
        return self.State(
            cart_position=sim.qpos[:, 0],
            cart_velocity=sim.qvel[:, 0],
            pole_angle=sim.qpos[:, 1],
            pole_angular_velocity=sim.qvel[:, 1],
            action=action,
        )

    def observe(self, state: State) -> torch.Tensor:
        return torch.stack(
            [state.cart_position, state.pole_angle, state.cart_velocity, state.pole_angular_velocity], dim=1
        )

    def terminated(self, state: State) -> torch.Tensor:
        return state.pole_angle.abs() > 0.2

    @property
    def metric(self) -> Metric:
        seconds = self.control_timestep_s
        return Metric(
            value=lambda state: (state.pole_angle.abs() <= 0.2) * seconds,
            reduce="sum",
            unit="s",
            description="time upright",
            best=self.info.max_episode_steps * seconds,
        )

    def human_reward(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Gymnasium's InvertedPendulum-v5: 1 while the pole is upright."""
        upright = (state.pole_angle.abs() <= 0.2).float()
        return upright, {"upright": upright}

    def sparse_reward(self, state: State) -> torch.Tensor:
        return (state.pole_angle.abs() <= 0.2).float()
