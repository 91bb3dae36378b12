"""Trainer for MuJoCo task folders by population training (see `eureka.trainers.base`)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch

from eureka.core.errors import ConfigError, TaskError, TrainingError
from eureka.core.machine import usable_cores
from eureka.core.pictures import Look, RenderedFrame
from eureka.core.training import POPULATION_POLICY, OwnReward, Policy, TrainingJob, TrainingLength, TrainingResult
from eureka.core.types import TaskSpec
from eureka.physics.engine import choose, engines, identity, where
from eureka.reward.analysis.trajectory import Trajectory
from eureka.sandbox.worker_profile import in_words
from eureka.tasks import Task, load_task
from eureka.tasks.ppo import PPOConfig
from eureka.trainers.base import Capabilities, Cost, TrainingEvent
from eureka.trainers.population.baselines import trace_baselines
from eureka.trainers.population.continuing import forget_trainings
from eureka.trainers.population.facts import physical_facts
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.memory import MemoryNeed, available_bytes, fitting_need, memory_line, memory_need
from eureka.trainers.population.networks import StackedMLP
from eureka.trainers.population.policy import load_policy, policy_network
from eureka.trainers.population.pool import WorkerPool
from eureka.trainers.population.population import stream
from eureka.trainers.population.provenance import digest, provenance
from eureka.trainers.population.recording import record
from eureka.trainers.population.trajectories import roll_out
from eureka.trainers.population.worlds import Worlds
from eureka.trainers.recording import Recording

_OPTIONS = frozenset(field.name for field in fields(PPOConfig))
# Compiling the kernels of a task for the first time takes minutes, during which a worker sends nothing.
_SILENCE_S = {"c": 120.0, "warp": 900.0}
# Half of a training's time is physics (see the trainer's benchmark); the rest is learning.
_PHYSICS_SHARE = 0.5
_MEASURED_S = 0.5
_MEASURED_STREAM = 5  # a random stream that no training uses


class PopulationTrainer:
    """A task folder whose candidates are trained together, by workers on this machine.

    Args:
        name: the task's name.
        task_dirs: where else to look for it.
        environment: environment variables, of which the workers get only those they need, and no keys.
        physics: the engine; `auto` is MuJoCo Warp if that is installed and there is a CUDA device.
        workers: number of processes; None: one per core. With MuJoCo Warp there is always one per device.
        num_envs: environments per group; None: the task's own number.
        sentence: what the policy should do; None: the task's own description.

    Raises:
        TaskError: there is no such task, or its folder violates the contract.
        PhysicsError: the engine is not installed here.
    """

    def __init__(
        self,
        name: str,
        task_dirs: Sequence[Path] = (),
        environment: Mapping[str, str] = os.environ,
        *,
        physics: Literal["auto", "c", "warp"] = "c",
        workers: int | None = None,
        num_envs: int | None = None,
        sentence: str | None = None,
    ) -> None:
        self.task: Task = load_task(name, task_dirs)
        info, spec = self.task.info, self.task.spec
        self._num_envs = num_envs or info.num_envs
        facts = physical_facts(self.task.model, info.ppo, spec.control_step_s, self._num_envs)
        self.spec: TaskSpec = replace(spec, sentence=sentence or spec.sentence, physical_facts=facts)
        self._name, self._task_dirs, self._environment = name, tuple(task_dirs), environment
        self._engine = choose(physics)
        self._workers = workers or usable_cores()
        self._available = available_bytes()  # before workers use part of it
        self._pool: WorkerPool | None = None
        self._pool_folder: Path | None = None

    @property
    def can(self) -> Capabilities:
        """All capabilities; results are bitwise repeatable on the CPU only."""
        return Capabilities(
            continues=True,
            starts_from_policies=True,
            renders=True,
            repeatable=self._engine == "c",
            records_trajectories=self.spec.has_metric,
            reward_rows=self._num_envs * self.task.info.ppo.horizon,
            confinement=in_words(self._pool.layers) if self._pool and self._pool.layers else "",
        )

    @property
    def description(self) -> str:
        """The engine and where it runs."""
        return where(self._engine)

    @property
    def discount(self) -> float:
        """PPO's gamma in the task's `task.yaml`."""
        return self.task.info.ppo.gamma

    @property
    def budgets(self) -> Mapping[str, int]:
        """The budgets in the task's `task.yaml`."""
        return self.task.info.steps

    @cached_property
    def provenance(self) -> str:
        """A digest of the task's files, the trainer's source, the engine and the versions of the libraries."""
        return digest([provenance(self.task), identity(self._engine), str(self._num_envs)])

    # ---- what rewards are checked on, and measured against ---------------------------------------------------------

    def record(self, num: int = 512, seed: int = 0) -> Recording:
        """See `Trainer.record`."""
        return self._recording if (num, seed) == (512, 0) else record(self.task, num, seed)

    @cached_property
    def _recording(self) -> Recording:
        return record(self.task)

    def baselines(self) -> Mapping[OwnReward, str]:
        """The human-written reward and the bare metric, as graphs.

        Raises:
            TaskError: one of them cannot be traced to a graph; the message says which and why.
        """
        return self._baselines

    def human_graph(self) -> str:
        """See `Trainer.human_graph`: the task's `human_reward`."""
        return self._baselines[OwnReward.OWN]

    @cached_property
    def _baselines(self) -> Mapping[OwnReward, str]:
        return trace_baselines(self.task, self.record().state)

    def rollouts(self, policies: Mapping[str, bytes | None], episodes: int, seed: int = 0) -> Sequence[Trajectory]:
        """See `Trainer.rollouts`. Simulated on the CPU, whatever engine trains; bitwise the same for the same seed."""
        found: list[Trajectory] = []
        for number, (kind, policy) in enumerate(policies.items(), start=seed):
            found += roll_out(self.task, kind, policy, episodes, number)
        return found

    # ---- training --------------------------------------------------------------------------------------------------

    def evaluated_after(self, length: TrainingLength) -> tuple[int, ...]:
        """The evaluation points, rounded to whole rollouts of all environments; the last one is nearest to
        `length.steps`.
        """
        schedule = self._schedule(length)
        rows = schedule.num_envs * schedule.ppo.horizon
        return tuple(updates * rows for updates in schedule.evaluated_after)

    def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
        """See `Trainer.train`. A population whose worker dies is continued once from its last checkpoint.

        Raises:
            TrainingError: a worker cannot be started, failed for a reason that is not a candidate's fault, or there is
                not enough memory.
            ConfigError: a job has an option that population training lacks.
        """
        groups = [self._group(job) for job in jobs]
        updates = {(group.candidate_id, group.seed): group.schedule.num_updates for group in groups}
        for event in self._pool_in(folder).train(groups, self._room(groups)):
            if isinstance(event, TrainingResult) and len(event.steps) > updates[event.candidate_id, event.seed]:
                event = replace(event, deviation="with fewer worlds than asked for: its device had no room for all")
            yield event

    def forget(self, folder: Path) -> None:
        """Delete the states from which trainings could be continued: many megabytes that are not needed after a
        search."""
        forget_trainings(folder)

    def close(self) -> None:
        """Stop the workers; their current work can be continued from its checkpoint."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _pool_in(self, folder: Path) -> WorkerPool:
        if self._pool is None or self._pool_folder != folder:
            self.close()
            self._pool_folder = folder
            self._pool = WorkerPool(
                self._name,
                self._task_dirs,
                folder,
                self._environment,
                self._workers,
                _SILENCE_S[self._engine],
                engines(self._engine),
            )
        return self._pool

    def _group(self, job: TrainingJob) -> GroupJob:
        unknown = sorted(job.options.keys() - _OPTIONS)
        if unknown:
            raise ConfigError(f"`{unknown[0]}` is no option of population training: {', '.join(sorted(_OPTIONS))}")
        if isinstance(job.reward, OwnReward):
            if job.reward not in self.baselines():
                raise TaskError(f"{self.task.folder / 'env.py'}: it has no `sparse_reward` to train with")
            graph = self.baselines()[job.reward]
        else:
            graph = job.reward
        schedule = self._schedule(job.length)
        schedule = replace(schedule, ppo=replace(schedule.ppo, **dict(job.options)))  # type: ignore[arg-type]
        return GroupJob(job.candidate_id, graph, job.seed, schedule, job.start.data if job.start else None)

    def _schedule(self, length: TrainingLength) -> Schedule:
        return Schedule(
            num_envs=self._num_envs,
            steps=length.steps,
            checkpoints=length.evaluations,
            eval_episodes=length.eval_episodes,
            ppo=self.task.info.ppo,
            ends_after=length.stop_after,
        )

    # ---- before anything starts ------------------------------------------------------------------------------------

    def cost(self, jobs: Sequence[TrainingJob]) -> Cost:
        """See `Trainer.cost`. Memory of a device is not estimated: if it is exhausted, training uses fewer
        environments.
        """
        groups = [self._group(job) for job in jobs]
        steps = sum(group.schedule.trained_steps for group in groups)
        if self._engine == "warp" or not groups:
            return Cost(steps, lambda: self._speed)
        need = self._memory(groups)
        return Cost(steps, lambda: self._speed, (memory_line(need, self._available),))

    def _memory(self, groups: Sequence[GroupJob]) -> MemoryNeed:
        return memory_need(self.task, groups[0].schedule, len(groups), self._workers, {group.graph for group in groups})

    def _room(self, groups: Sequence[GroupJob]) -> MemoryNeed | None:
        """The part of the groups that is trained at a time, so that it fits into memory; None: all groups.

        Raises:
            TrainingError: not even one training fits.
        """
        if self._engine == "warp" or not groups:
            return None
        need = self._memory(groups)
        fitting = fitting_need(need, self._available)
        return None if fitting == need else fitting

    @cached_property
    def _speed(self) -> float:
        """Control steps per second of all workers together, estimated from half a second of physics."""
        worlds = Worlds(self.task, [stream(0, _MEASURED_STREAM)], self._num_envs, desynchronise=False, fields=())
        action = torch.zeros(self._num_envs, self.task.num_actions)
        worlds.step(action)
        started, steps = time.monotonic(), 0
        while time.monotonic() - started < _MEASURED_S:
            done = worlds.step(action)
            worlds.restart(done.terminated | done.truncated)
            steps += self._num_envs
        return steps / (time.monotonic() - started) * _PHYSICS_SHARE * self._workers

    def read_policy(self, data: bytes) -> Policy:
        """See `Trainer.read_policy`."""
        found, wanted = load_policy(data).network, policy_network(self.task, self.task.info.ppo)
        if found != wanted:
            raise TrainingError(
                f"it is a policy of {_words(found)}, and those of task {self.spec.name} have {_words(wanted)}"
            )
        return Policy(POPULATION_POLICY, data)

    def render(self, policy: bytes, look: Look, graph: str = "") -> Iterator[RenderedFrame]:
        """See `Trainer.render`. The OpenGL is the one that the environment variable MUJOCO_GL named when mujoco was
        first imported.
        """
        from eureka.trainers.population.rendering import render  # a search draws nothing in its own process

        return render(self.task, policy, look, graph)


def _words(network: StackedMLP) -> str:
    return f"{' x '.join(map(str, network.sizes))} units with {network.activation}"
