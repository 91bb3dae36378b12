"""Quadcopter: four rotors that tilt are to bring it to a point and hold it there."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from eureka.physics import WorldStates
from eureka.tasks import Metric, NoCarry, Reset, Rng, Task, state_field
from eureka.tasks.shared.locomotion import total_of

TARGET_HEIGHT_M = 1.0


class Quadcopter(Task):
    """The body is this folder's own; start states, the end of an episode and the human reward follow Isaac Gym's
    quadcopter. Its actions change the rotors' angles and thrusts by steps; here they are the angles and thrusts."""

    @dataclass(frozen=True)
    class State:
        """What a reward may read after a control step."""

        position: torch.Tensor = state_field((3,), "m", "world", "centre of the chassis")
        offset_to_target: torch.Tensor = state_field(
            (3,), "m", "world", "from the chassis to the target, which is 1 m above the origin"
        )
        target_distance: torch.Tensor = state_field((), "m", "world", "length of that offset")
        orientation: torch.Tensor = state_field((4,), "1", "world", "unit quaternion of the chassis, (w, x, y, z)")
        linear_velocity: torch.Tensor = state_field((3,), "m/s", "world", "velocity of the chassis")
        angular_velocity: torch.Tensor = state_field((3,), "rad/s", "chassis", "angular velocity of the chassis")
        up_projection: torch.Tensor = state_field(
            (), "1", "world", "z of the chassis' up axis: 1 level, -1 upside down"
        )
        rotor_angles: torch.Tensor = state_field(
            (8,), "rad", "joint", "pitch and roll of each rotor in turn, -0.52 to 0.52"
        )
        action: torch.Tensor = state_field(
            (12,),
            "1",
            "rotor",
            "of each rotor in turn: pitch and roll to take as shares of 0.52 rad, and thrust, -1 for none, 1 for 2 N",
        )

    def reset(self, rng: Rng, num: int) -> Reset:
        # Isaac Gym's: up to 1.5 m aside, 0.2 m below to 1.5 m above, rotors turned by up to 0.2 rad.
        aside, above = rng.uniform(-1.5, 1.5, (num, 2)), rng.uniform(-0.2, 1.5, (num, 1))
        level = torch.zeros(num, 4) + torch.tensor([1.0, 0.0, 0.0, 0.0])
        qpos = torch.cat([aside, above + TARGET_HEIGHT_M, level, rng.uniform(-0.2, 0.2, (num, 8))], dim=1)
        qvel = torch.zeros(num, 14)
        return Reset(qpos, qvel)

    def state(self, sim: WorldStates, carry: NoCarry, action: torch.Tensor) -> State:
        _, x, y, _ = sim.qpos[:, 3:7].unbind(dim=1)
        horizontal, height = sim.qpos[:, :2], sim.qpos[:, 2:3]
        offset = torch.cat([-horizontal, TARGET_HEIGHT_M - height], dim=1)
        return self.State(
            position=sim.qpos[:, :3],
            offset_to_target=offset,
            target_distance=torch.linalg.vector_norm(offset, dim=1),
            orientation=sim.qpos[:, 3:7],
            linear_velocity=sim.qvel[:, :3],
            angular_velocity=sim.qvel[:, 3:6],
            up_projection=1 - 2 * (x * x + y * y),
            rotor_angles=sim.qpos[:, 7:],
            action=action,
        )

    def observe(self, state: State) -> torch.Tensor:
        velocities = [state.linear_velocity / 2, state.angular_velocity / 5]
        return torch.cat([state.offset_to_target, state.orientation, *velocities, state.rotor_angles], dim=1)

    def terminated(self, state: State) -> torch.Tensor:
        return (state.target_distance > 3.0) | (state.position[:, 2] < 0.3)

    @property
    def metric(self) -> Metric:
        # Eureka's F is the negative distance; a share of the time is 0 for a quadcopter that has fallen.
        return Metric(
            value=self.sparse_reward,
            reduce="mean",
            unit="of the time",
            description="share of the time within 0.1 m of the target",
        )

    def human_reward(self, state: State) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Isaac Gym's quadcopter (Makoviychuk et al. 2021): near, and when near also level and without spin.

        With p = 1 / (1 + distance^2) it is p + p (5 / (1 + tilt^2) + 1 / (1 + spin^2)).
        """
        near = 1 / (1 + state.target_distance.square())
        tilt = (1 - state.up_projection).abs()
        spin = state.angular_velocity[:, 2]
        return total_of({"near": near, "level": near * 5 / (1 + tilt.square()), "no_spin": near / (1 + spin.square())})

    def sparse_reward(self, state: State) -> torch.Tensor:
        return (state.target_distance < 0.1).float()
