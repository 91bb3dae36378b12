"""What tasks with a running body repeat: Gymnasium's start noise, the step before, contact forces, planar states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import mujoco
import torch

from eureka.physics import Snapshot, WorldStates
from eureka.tasks.base import Reset, Task, state_field
from eureka.tasks.metric import Metric
from eureka.tasks.rng import Rng


@dataclass(frozen=True)
class ProgressCarry:
    """`position` and `previous_position`: (num_envs, dimensions) of the torso, metres, now and one control step ago.
    `action` and `previous_action`: (num_envs, num_actions), likewise."""

    position: torch.Tensor
    previous_position: torch.Tensor
    action: torch.Tensor
    previous_action: torch.Tensor


class Locomotion(Task):
    """A body whose progress is measured from step to step.

    `POSITION_NOISE` and `VELOCITY_NOISE` are a start state's, the latter as a half range or a standard deviation by
    `VELOCITY_KIND`; `DIMENSIONS` is 1 for a body in a vertical plane, 2 for one that can go anywhere.
    """

    POSITION_NOISE: ClassVar[float]
    VELOCITY_NOISE: ClassVar[float]
    VELOCITY_KIND: ClassVar[Literal["uniform", "normal"]] = "uniform"
    DIMENSIONS: ClassVar[int] = 1

    Carry = ProgressCarry

    def reset(self, rng: Rng, num: int) -> Reset:
        qpos, qvel = self.noisy_start(rng, num)
        return Reset(qpos, qvel, self.start(Snapshot(qpos, qvel), rng))

    def noisy_start(self, rng: Rng, num: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Positions (num, nq) and velocities (num, nv) around the model's own, with Gymnasium's kinds of noise."""
        noise = rng.uniform(-self.POSITION_NOISE, self.POSITION_NOISE, (num, self.model.nq))
        shape = (num, self.model.nv)
        if self.VELOCITY_KIND == "normal":
            qvel = rng.normal(self.VELOCITY_NOISE, shape)
        else:
            qvel = rng.uniform(-self.VELOCITY_NOISE, self.VELOCITY_NOISE, shape)
        return torch.from_numpy(self.model.qpos0) + noise, qvel

    def start(self, sim: WorldStates, rng: Rng) -> Any:
        position = sim.qpos[:, : self.DIMENSIONS].clone()
        action = torch.zeros(sim.num_envs, self.num_actions)
        return ProgressCarry(position, position, action, action)

    def advance(self, carry: Any, sim: WorldStates, action: torch.Tensor, rng: Rng) -> Any:
        return self.Carry(
            position=sim.qpos[:, : self.DIMENSIONS].clone(),
            previous_position=carry.position,
            action=action,
            previous_action=carry.action,
        )

    @property
    def metric(self) -> Metric:
        return Metric(
            value=lambda state: state.forward_velocity,
            reduce="mean",
            unit="m/s",
            description="progress along +x per second",
        )

    def sparse_reward(self, state: Any) -> torch.Tensor | None:
        return state.forward_velocity


def add_accelerometer(spec: mujoco.MjSpec, body: str) -> None:
    """Contact forces on bodies, `cfrc_ext`, are computed only for models with an acceleration-level sensor."""
    spec.body(body).add_site(name="imu")
    spec.add_sensor(
        name="accelerometer",
        type=mujoco.mjtSensor.mjSENS_ACCELEROMETER,
        objtype=mujoco.mjtObj.mjOBJ_SITE,
        objname="imu",
    )


def set_total_mass(spec: mujoco.MjSpec) -> None:
    """Scale the densities to the total mass that the model asks for by an attribute which MuJoCo is about to drop."""
    wanted, spec.compiler.settotalmass = spec.compiler.settotalmass, -1
    scale = wanted / spec.compile().body_mass.sum()
    for geom in spec.geoms:
        geom.density *= scale


def total_of(components: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The sum of a reward's components, and these."""
    return torch.stack(list(components.values())).sum(dim=0), components


@dataclass(frozen=True)
class PlanarState:
    """What a reward may read of a body in a vertical plane, its joints left out."""

    torso_position: torch.Tensor = state_field((2,), "m", "world", "x and height of the torso's root joints")
    torso_velocity: torch.Tensor = state_field(
        (2,), "m/s", "world", "velocity of the torso along x and up, at this instant"
    )
    forward_velocity: torch.Tensor = state_field(
        (), "m/s", "world", "progress along +x during the step, divided by its duration"
    )
    torso_pitch: torch.Tensor = state_field(
        (), "rad", "world", "angle of the torso from its start, positive when it leans forward; not wrapped"
    )
    torso_pitch_rate: torch.Tensor = state_field((), "rad/s", "world", "angular velocity of the torso, likewise")


class PlanarRunner(Locomotion):
    """Gymnasium's planar bodies: the root slides along x and z and turns, and then come the joints."""

    def state(self, sim: WorldStates, carry: ProgressCarry, action: torch.Tensor) -> Any:
        return self.State(
            torso_position=sim.qpos[:, :2],
            torso_velocity=sim.qvel[:, :2],
            forward_velocity=(carry.position - carry.previous_position)[:, 0] / self.control_timestep_s,
            torso_pitch=sim.qpos[:, 2],
            torso_pitch_rate=sim.qvel[:, 2],
            joint_position=sim.qpos[:, 3:],
            joint_velocity=sim.qvel[:, 3:],
            action=action,
            previous_action=carry.previous_action,
        )

    def observe(self, state: Any) -> torch.Tensor:
        positions = [state.torso_position[:, 1:], state.torso_pitch[:, None], state.joint_position]
        velocities = [state.torso_velocity, state.torso_pitch_rate[:, None], state.joint_velocity]
        return torch.cat([*positions, *(velocity.clamp(-10, 10) for velocity in velocities)], dim=1)
