"""Groups of environments (worlds) in one simulator: stepping, time limits, and resets with each group's own random
numbers.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from eureka.physics import MujocoC, Simulator
from eureka.tasks import Reset, Rng, Task
from eureka.tasks.base import own_memory, replace_rows
from eureka.trainers.population.sensor_use import reads_outputs


@dataclass(frozen=True)
class Step:
    """One control step of all worlds, before resets. The leading dimension is num_groups * num_envs.

    `final_observation` is the observation before resets; the one after resets is `Worlds.observation`.
    """

    state: Any
    final_observation: torch.Tensor
    terminated: torch.Tensor
    truncated: torch.Tensor
    diverged: torch.Tensor


@dataclass(frozen=True)
class EpisodeStarts:
    """Start states of some worlds, and their factors for values of the model."""

    reset: Reset
    factors: dict[str, torch.Tensor]


class Worlds:
    """`len(generators)` groups of `num_envs` worlds of a task.

    Every random number of a group comes from its own generator, so a group's physics is bitwise independent of the
    other groups. With `desynchronise`, episode clocks start at random points, so that time limits are not all reached
    in the same step. `fields` are the State fields that are read besides those that the task itself reads, None for
    all. If none of them depends on the task's extra outputs, these are not simulated, and their values are undefined.
    """

    def __init__(
        self,
        task: Task,
        generators: Sequence[torch.Generator],
        num_envs: int,
        *,
        threads: int = 1,
        desynchronise: bool = True,
        fields: Collection[str] | None = None,
    ) -> None:
        self.task = task
        self.num_groups = len(generators)
        self.num_envs = num_envs
        self.limit = task.info.max_episode_steps
        self._rng = Rng(generators)
        total = self.num_groups * num_envs
        sensors = fields is None or reads_outputs(task, fields)
        self.sim: Simulator = MujocoC(task.model, total, task.info.outputs, threads, sensors)
        pools = [self._fresh(g) for g in generators]
        self._pool = {key: torch.stack([pool[key] for pool in pools]) for key in pools[0]}
        self._cursor = torch.zeros(self.num_groups, dtype=torch.int64)
        self.clock = torch.zeros(total, dtype=torch.int64)
        if desynchronise:
            clocks = [torch.randint(0, self.limit, (num_envs,), generator=g) for g in generators]
            self.clock = torch.cat(clocks)
        self.start_clock = self.clock.clone()
        everyone = torch.ones(total, dtype=torch.bool)
        start = self._take(everyone)
        self.carry = start.reset.carry
        self.factors = {name: torch.ones(total) for name in task.info.randomisation.factors}
        self.model_fields = {name: value.clone() for name, value in start.reset.model_fields.items()}
        self._start(everyone.nonzero()[:, 0], start)
        self._zero_action = torch.zeros(total, task.num_actions)
        self.observation = self._observe(task.read_state(self.sim, self.carry, self._zero_action))

    @property
    def generators(self) -> list[torch.Generator]:
        """The generators for random numbers that the task draws in a step."""
        return self._rng.generators

    def _observe(self, state: Any) -> torch.Tensor:
        return self.task.observe(state).float()

    def _fresh(self, generator: torch.Generator) -> dict[str, torch.Tensor]:
        """A pool of `num_envs` start states of one group, in a flat mapping."""
        start = self.task.reset(Rng([generator]), self.num_envs)
        carry = {f"carry.{f.name}": getattr(start.carry, f.name) for f in dataclasses.fields(start.carry)}
        factors = {
            f"factor.{name}": Rng([generator]).uniform(low, high, (self.num_envs,))
            for name, (low, high) in self.task.info.randomisation.factors.items()
        }
        extra = {name: value for name in ("act", "mocap") if (value := getattr(start, name)) is not None}
        fields = {f"field.{name}": value for name, value in start.model_fields.items()}
        return {"qpos": start.qpos, "qvel": start.qvel, **extra, **carry, **factors, **fields}

    def _take(self, done: torch.Tensor) -> EpisodeStarts:
        """Start states for the worlds `done` (num_groups * num_envs,), from the pools of their groups."""
        by_group = done.view(self.num_groups, self.num_envs)
        counts = by_group.sum(dim=1)
        for group in ((self._cursor + counts) > self.num_envs).nonzero()[:, 0].tolist():
            for key, value in self._fresh(self._rng.generators[group]).items():
                self._pool[key][group] = value
            self._cursor[group] = 0
        rank = by_group.cumsum(dim=1) - 1 + self._cursor[:, None]
        rank += torch.arange(self.num_groups)[:, None] * self.num_envs
        rows = rank.flatten()[done]
        self._cursor += counts
        taken = {key: value.flatten(0, 1)[rows] for key, value in self._pool.items()}
        return self._starts(taken)

    def _starts(self, taken: dict[str, torch.Tensor]) -> EpisodeStarts:
        """The start states in these rows of the pools."""
        carry = self.task.Carry(**below("carry.", taken))
        extra = (taken.get("act"), taken.get("mocap"), below("field.", taken))
        return EpisodeStarts(Reset(taken["qpos"], taken["qvel"], carry, *extra), below("factor.", taken))

    def _start(self, env_ids: torch.Tensor, start: EpisodeStarts) -> None:
        for name, factor in start.factors.items():
            self.factors[name][env_ids] = factor
        for name, value in start.reset.model_fields.items():
            self.model_fields[name][env_ids] = value
        self.sim.scale_model(env_ids, start.factors)
        self.sim.set_model(env_ids, start.reset.model_fields)
        self.sim.reset(env_ids, start.reset.qpos, start.reset.qvel, start.reset.act, start.reset.mocap)

    def _push(self) -> None:
        """Change the velocity of some worlds' free base, according to the task's randomisation."""
        push = self.task.info.randomisation.push
        if push is None:
            return
        total = len(self.clock)
        struck = self._rng.uniform(0, 1, (total,)) < self.task.control_timestep_s / push.every_s
        angle = self._rng.uniform(0, 2 * math.pi, (total,))
        change = struck[:, None] * push.speed_m_s * torch.stack([angle.cos(), angle.sin()], dim=1)
        self.sim.qvel[:, :2] += change

    def prepare(self, steps: int) -> None:
        """Do work that cannot be done within a control step; called before `steps` control steps."""

    def step(self, action: torch.Tensor) -> Step:
        """Advance every world by one control step under `action` in [-1, 1], (num_groups * num_envs, num_actions)."""
        task, sim = self.task, self.sim
        self._push()
        controls = task.control(sim, self.carry, action)
        sim.ctrl.copy_(controls.ctrl)
        if controls.mocap is not None:
            sim.mocap_pos.copy_(controls.mocap[..., :3])
            sim.mocap_quat.copy_(controls.mocap[..., 3:])
        sim.step(task.info.physics.substeps)
        self.carry = own_memory(task.advance(self.carry, sim, action, self._rng), sim)
        state = task.read_state(sim, self.carry, action)
        self.observation = self._observe(state)
        diverged = sim.diverged()
        terminated = task.is_over(state) | diverged
        self.clock += 1
        truncated = (self.clock >= self.limit) & ~terminated
        return Step(state, self.observation, terminated, truncated, diverged)

    def restart(self, done: torch.Tensor) -> None:
        """Start new episodes in the worlds `done` (num_groups * num_envs,) bool."""
        env_ids = done.nonzero()[:, 0]
        if not len(env_ids):
            return
        start = self._take(done)
        self.carry = replace_rows(self.carry, env_ids, start.reset.carry)
        self._start(env_ids, start)
        self.clock[env_ids] = 0
        self.start_clock[env_ids] = 0
        state = self.task.read_state(self.sim.select(env_ids), start.reset.carry, self._zero_action[: len(env_ids)])
        self.observation = self.observation.index_copy(0, env_ids, self._observe(state))

    def tensors(self) -> dict[str, torch.Tensor]:
        """The tensors that persist between steps besides the simulator's state: leading dimension num_groups *
        num_envs.
        """
        return {
            "clock": self.clock,
            "start_clock": self.start_clock,
            "observation": self.observation,
            **{f"carry.{f.name}": getattr(self.carry, f.name) for f in dataclasses.fields(self.carry)},
            **{f"factor.{name}": value for name, value in self.factors.items()},
            **{f"field.{name}": value for name, value in self.model_fields.items()},
        }

    def assign(self, tensors: dict[str, torch.Tensor]) -> None:
        """Use these tensors, named as in `tensors()`, in place of its own."""
        self.clock, self.start_clock = tensors["clock"], tensors["start_clock"]
        self.observation = tensors["observation"]
        self.carry = type(self.carry)(**below("carry.", tensors))
        self.factors, self.model_fields = below("factor.", tensors), below("field.", tensors)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The state that determines all further steps; every tensor has num_groups as its leading dimension."""
        flat = {"physics": self.sim.save(), **self.tensors()}
        shape = (self.num_groups, self.num_envs)
        state = {key: value.reshape(*shape, *value.shape[1:]).clone() for key, value in flat.items()}
        state |= {f"pool.{key}": value.clone() for key, value in self._pool.items()}
        state["cursor"] = self._cursor.clone()
        state["generator"] = torch.stack([g.get_state() for g in self._rng.generators])
        return state

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Restore `state_dict()`, bit for bit."""
        self.assign({name: state[name].flatten(0, 1).clone() for name in self.tensors()})
        everyone = torch.arange(len(self.clock))
        self.sim.scale_model(everyone, self.factors)
        self.sim.set_model(everyone, self.model_fields)
        self.sim.load(state["physics"].flatten(0, 1))
        self._pool = {key: state[f"pool.{key}"].clone() for key in self._pool}
        self._cursor = state["cursor"].clone()
        for generator, saved in zip(self._rng.generators, state["generator"], strict=True):
            generator.set_state(saved.clone())


def below(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The entries whose names begin with `prefix`, with the prefix removed."""
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
