"""Groups of environments on a device, like `Worlds`, but without synchronisation with the device in control steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

import torch

from eureka.physics import Engine
from eureka.tasks import Rng, Task
from eureka.trainers.population.sensor_use import observes_outputs, reads_outputs
from eureka.trainers.population.worlds import EpisodeStarts, Worlds

REFILL_EVERY = 128
"""Number of control steps between draws of new start states."""


def make_worlds(
    task: Task,
    generators: Sequence[torch.Generator],
    num_envs: int,
    engine: Engine,
    *,
    threads: int = 1,
    desynchronise: bool = True,
    fields: Collection[str] | None = None,
) -> Worlds:
    """Make groups of environments stepped by `engine`; the arguments are those of `Worlds`."""
    if engine.kind == "warp":
        return DeviceWorlds(task, generators, num_envs, engine, desynchronise=desynchronise, fields=fields)
    return Worlds(task, generators, num_envs, threads=threads, desynchronise=desynchronise, fields=fields)


class DeviceWorlds(Worlds):
    """`len(generators)` groups of `num_envs` worlds of a task, on the device of `engine`.

    Start states come from the groups' own generators on the CPU. `prepare` draws `num_envs` per group after every
    `REFILL_EVERY` control steps; they are used in turn, starting over if more episodes begin meanwhile. Random numbers
    of the task within a step come from generators on the device, which are seeded by the groups' generators. A State
    may share the simulator's memory, so it must be read before the next `restart`. Steps and restarts can be recorded
    (see `Replayed`), with the worlds among its states and `generators`.
    """

    def __init__(
        self,
        task: Task,
        generators: Sequence[torch.Generator],
        num_envs: int,
        engine: Engine,
        *,
        desynchronise: bool = True,
        fields: Collection[str] | None = None,
    ) -> None:
        self.task = task
        self.num_groups = len(generators)
        self.num_envs = num_envs
        self.limit = task.info.max_episode_steps
        self._engine, self._desynchronise = engine, desynchronise
        self._device = torch.device(engine.device)
        total = self.num_groups * num_envs
        # The CPU engine determines what is read, and a task may make tensors on torch's default device.
        with torch.device("cpu"):
            sensors = fields is None or reads_outputs(task, fields)
            settle = observes_outputs(task)
        physics = task.info.physics
        self._device_sim = engine.device_simulator(
            task.model, total, task.info.outputs, sensors, physics.nconmax, physics.njmax, settle
        )
        self.sim = self._device_sim
        self._offset = torch.arange(self.num_groups, device=self._device)[:, None] * num_envs
        self._zero_action = torch.zeros(total, task.num_actions, device=self._device)
        self._pool: dict[str, torch.Tensor] = {}
        self._cursor = torch.zeros(self.num_groups, dtype=torch.int64, device=self._device)
        self._rng = Rng([engine.generator(0) for _ in generators])
        self.start_over(generators)

    def start_over(self, generators: Sequence[torch.Generator]) -> None:
        """Begin new episodes everywhere, as if the worlds were made with these generators."""
        self._host = list(generators)
        self._refill()
        total = self.num_groups * self.num_envs
        self._cursor.zero_()
        self._steps = 0
        self.clock = torch.zeros(total, dtype=torch.int64, device=self._device)
        if self._desynchronise:
            draws = [torch.randint(0, self.limit, (self.num_envs,), generator=g, device=g.device) for g in self._host]
            self.clock = torch.cat(draws).to(self._device)
        self.start_clock = self.clock.clone()
        for generator, host in zip(self._rng.generators, self._host, strict=True):
            seed = torch.randint(0, 1 << 62, (), generator=host, device=host.device)
            generator.manual_seed(int(seed))
        everyone = torch.ones(total, dtype=torch.bool, device=self._device)
        start = self._take(everyone)
        self.carry = start.reset.carry
        self.factors, self.model_fields = start.factors, dict(start.reset.model_fields)
        self._begin(everyone, start)
        self.observation = self._observe(self.task.read_state(self.sim, self.carry, self._zero_action))

    def _observe(self, state: Any) -> torch.Tensor:
        return super()._observe(state).clone()

    def _refill(self) -> None:
        """Draw `num_envs` new start states for every group."""
        with torch.device("cpu"):
            pools = [self._fresh(g) for g in self._host]
            stacked = {key: torch.stack([pool[key] for pool in pools]) for key in pools[0]}
        for key, value in stacked.items():
            # Physics on a device has single precision.
            fresh = value.float() if value.dtype == torch.float64 else value
            if key not in self._pool:
                self._pool[key] = torch.empty_like(fresh, device=self._device)
            self._pool[key].copy_(fresh)

    def _take(self, done: torch.Tensor) -> EpisodeStarts:
        """A start state for every world; those of the worlds `done` are marked as used."""
        by_group = done.view(self.num_groups, self.num_envs)
        rank = by_group.cumsum(dim=1) - 1 + self._cursor[:, None]
        rows = (rank % self.num_envs + self._offset).flatten()
        self._cursor.add_(by_group.sum(dim=1)).remainder_(self.num_envs)
        taken = {key: value.flatten(0, 1).index_select(0, rows) for key, value in self._pool.items()}
        return self._starts(taken)

    def _begin(self, done: torch.Tensor, start: EpisodeStarts) -> None:
        reset, sim = start.reset, self._device_sim
        self.factors = {name: torch.where(done, start.factors[name], old) for name, old in self.factors.items()}
        self.model_fields = {
            name: torch.where(done.view(-1, *[1] * (old.dim() - 1)), reset.model_fields[name], old)
            for name, old in self.model_fields.items()
        }
        if self.factors:
            sim.scale_model_masked(done, self.factors)
        if self.model_fields:
            sim.set_model_masked(done, self.model_fields)
        sim.reset_masked(done, reset.qpos, reset.qvel, reset.act, reset.mocap)

    def prepare(self, steps: int) -> None:
        """Draw new start states if `REFILL_EVERY` control steps were made since the last draw."""
        if self._steps >= REFILL_EVERY:
            self._refill()
            self._steps = 0
        self._steps += steps

    def restart(self, done: torch.Tensor) -> None:
        """Start new episodes in the worlds `done` (num_groups * num_envs,) bool."""
        start = self._take(done)
        self.carry = _where(done, start.reset.carry, self.carry)
        self._begin(done, start)
        self.clock.masked_fill_(done, 0)
        self.start_clock.masked_fill_(done, 0)
        state = self.task.read_state(self.sim, self.carry, self._zero_action)
        self.observation = torch.where(done[:, None], self._observe(state), self.observation)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Everything that the next steps depend on; every tensor has num_groups as its leading dimension."""
        return {
            **super().state_dict(),
            "host_generator": torch.stack([g.get_state() for g in self._host]),
            "steps": torch.full((self.num_groups,), self._steps),
        }

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Restore `state_dict()`, bit for bit; generators' states stay on the CPU, everything else is on the device."""
        super().load_state_dict(state)
        for generator, saved in zip(self._host, state["host_generator"], strict=True):
            generator.set_state(saved.clone())
        self._steps = int(state["steps"][0])


def _where(done: torch.Tensor, new: Any, old: Any) -> Any:
    """The carry `old`, with the rows `done` replaced by those of `new`."""
    values = {}
    for field in dataclasses.fields(old):
        before = getattr(old, field.name)
        mask = done.view(-1, *[1] * (before.dim() - 1))
        values[field.name] = torch.where(mask, getattr(new, field.name).to(before.dtype), before)
    return type(old)(**values)
