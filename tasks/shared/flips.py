"""Flips of a body in a vertical plane: full turns of its torso that never touch the floor with it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from eureka.physics import Snapshot, WorldStates
from eureka.tasks.base import Reset, Task, state_field
from eureka.tasks.metric import Metric
from eureka.tasks.rng import Rng
from eureka.tasks.shared.locomotion import total_of

FULL_TURN = 2 * math.pi

TOUCH_M = 0.01
"""The torso touches the floor where its surface is closer than this."""


@dataclass(frozen=True)
class TurnCarry:
    """`pitch`: (num_envs,) unwrapped, rad. `progress`: turn in the flip's direction since the torso last touched the
    floor, less a full turn for each one completed, rad. `turns`: full turns so far. `completed`: 1 where one was
    completed now."""

    pitch: torch.Tensor
    progress: torch.Tensor
    turns: torch.Tensor
    completed: torch.Tensor


@dataclass(frozen=True)
class FlipState:
    """What a reward may read after a control step, the joints left out."""

    torso_height: torch.Tensor = state_field((), "m", "world", "z of the torso's middle")
    lowest_torso_point: torch.Tensor = state_field(
        (),
        "m",
        "world",
        "z of the lowest point of the torso's surface, 0 on the floor; below 0.01 counts as touching it",
    )
    forward_velocity: torch.Tensor = state_field((), "m/s", "world", "velocity of the torso along +x")
    vertical_velocity: torch.Tensor = state_field((), "m/s", "world", "velocity of the torso along +z")
    up_projection: torch.Tensor = state_field(
        (), "1", "world", "cosine of the torso's pitch: 1 as at the start, 0 turned by a quarter, -1 upside down"
    )
    pitch: torch.Tensor = state_field(
        (), "rad", "world", "angle of the torso from its start, -pi to pi: positive where it leans forward"
    )
    pitch_velocity: torch.Tensor = state_field(
        (),
        "rad/s",
        "world",
        "angular velocity of the torso: positive turns forward, as a front flip does, negative as a back flip does",
    )
    turn_progress: torch.Tensor = state_field(
        (),
        "rad",
        "world",
        "how far the torso has turned in the direction of the flip since it last touched the floor or the episode "
        "began, less 2 pi for each full turn completed since then; any amount below 0 where it turned back",
    )
    turn_completed: torch.Tensor = state_field(
        (), "1", "world", "1 in the step in which a full turn without touching the floor was completed, else 0"
    )
    turns: torch.Tensor = state_field((), "1", "world", "full turns completed so far in this episode")


class Flip(Task):
    """The body starts as in Gymnasium. No episode ends early: a body that fell lies there until the time is up.

    `DIRECTION` is 1 for front flips and -1 for back flips. `TORSO_POINTS` are (x, z) of the torso's ends, from its
    middle and as it lies at pitch 0, metres, and `TORSO_RADIUS_M` is what there is of it around them; `START_HEIGHT_M`
    is that of its middle where the root's slide is at 0.
    """

    DIRECTION: ClassVar[float]
    TORSO_POINTS: ClassVar[tuple[tuple[float, float], ...]]
    TORSO_RADIUS_M: ClassVar[float]
    START_HEIGHT_M: ClassVar[float] = 0.0

    Carry = TurnCarry

    def reset(self, rng: Rng, num: int) -> Reset:
        qpos = torch.from_numpy(self.model.qpos0) + rng.uniform(-0.01, 0.01, (num, self.model.nq))
        qvel = rng.uniform(-0.01, 0.01, (num, self.model.nv))
        return Reset(qpos, qvel, self.start(Snapshot(qpos, qvel), rng))

    def start(self, sim: WorldStates, rng: Rng) -> Any:
        pitch = sim.qpos[:, 2].clone()  # a view: the engine writes the next step into it
        zero = torch.zeros_like(pitch)
        return TurnCarry(pitch, zero, zero, zero)

    def lowest_point(self, sim: WorldStates) -> torch.Tensor:
        height, pitch = self.START_HEIGHT_M + sim.qpos[:, 1], sim.qpos[:, 2]
        below = [z * torch.cos(pitch) - x * torch.sin(pitch) for x, z in self.TORSO_POINTS]
        return height + torch.stack(below).amin(dim=0) - self.TORSO_RADIUS_M

    def advance(self, carry: TurnCarry, sim: WorldStates, action: torch.Tensor, rng: Rng) -> Any:
        pitch = sim.qpos[:, 2].clone()
        progress = carry.progress + self.DIRECTION * (pitch - carry.pitch)
        progress = torch.where(self.lowest_point(sim) < TOUCH_M, torch.zeros_like(progress), progress)
        completed = (progress >= FULL_TURN).to(progress.dtype)
        return self.Carry(pitch, progress - FULL_TURN * completed, carry.turns + completed, completed)

    def state(self, sim: WorldStates, carry: TurnCarry, action: torch.Tensor) -> Any:
        pitch = carry.pitch
        return self.State(
            torso_height=self.START_HEIGHT_M + sim.qpos[:, 1],
            lowest_torso_point=self.lowest_point(sim),
            forward_velocity=sim.qvel[:, 0],
            vertical_velocity=sim.qvel[:, 1],
            up_projection=torch.cos(pitch),
            pitch=torch.atan2(torch.sin(pitch), torch.cos(pitch)),
            pitch_velocity=sim.qvel[:, 2],
            turn_progress=carry.progress,
            turn_completed=carry.completed,
            turns=carry.turns,
            joint_angles=sim.qpos[:, 3:],
            joint_velocities=sim.qvel[:, 3:],
            action=action,
        )

    def observe(self, state: Any) -> torch.Tensor:
        torso = [
            state.torso_height,
            state.forward_velocity / 5,
            state.vertical_velocity / 5,
            state.up_projection,
            torch.sin(state.pitch),
            state.pitch_velocity / 10,
            state.turn_progress / FULL_TURN,
        ]
        return torch.cat([torch.stack(torso, dim=1), state.joint_angles, state.joint_velocities / 10], dim=1)

    def terminated(self, state: Any) -> torch.Tensor:
        return torch.zeros_like(state.pitch, dtype=torch.bool)

    @property
    def metric(self) -> Metric:
        return Metric(
            value=lambda state: state.turns + state.turn_progress / FULL_TURN,
            reduce="max",
            unit="flips",
            description="full turns of the episode plus the share of the one in progress, at its highest; touching the "
            "floor with the torso takes away only the turn in progress",
        )

    def human_reward(self, state: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """As a person would begin: spin and height, a prize for each flip, a fine for lying there, and effort."""
        return total_of(
            {
                "spin": 0.2 * torch.clamp(self.DIRECTION * state.pitch_velocity, -10.0, 10.0),
                "height": 0.5 * torch.clamp(state.torso_height, 0.0, 2.0),
                "flip": 10.0 * state.turn_completed,
                "fallen": -0.5 * (state.lowest_torso_point < 0.02).float(),
                "effort": -0.02 * state.action.square().sum(dim=1),
            }
        )

    def sparse_reward(self, state: Any) -> torch.Tensor | None:
        return state.turn_completed
