"""Groups trained together as one program: one simulator, stacked policies, each group's reward on its own rows.

A group is one candidate with one seed. On the CPU its result is determined bitwise by its job alone, so groups may be
trained together with any others, stopped, and continued from a checkpoint.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from eureka.core.errors import PhysicsError, TrainingError
from eureka.core.training import Progress, TrainingResult
from eureka.core.types import Rejected
from eureka.physics import Engine
from eureka.physics.device_graphs import Replayed
from eureka.reward.graph.runtime import compile_graph
from eureka.tasks import Task
from eureka.tasks.ppo import PPOConfig
from eureka.trainers.curves import not_finite
from eureka.trainers.population.device_worlds import make_worlds
from eureka.trainers.population.episodes import EpisodeTracker
from eureka.trainers.population.evaluate import Evaluator
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.group_record import GroupRecord
from eureka.trainers.population.networks import StackedAdam, StackedMLP
from eureka.trainers.population.normalise import RunningMoments
from eureka.trainers.population.policy import Policies, load_policy
from eureka.trainers.population.ppo import GroupRates, ReturnScale, prepare, update
from eureka.trainers.population.rollout import Rollout, collect
from eureka.trainers.population.traces import EpisodeTracer
from eureka.trainers.statistics import ComponentRecorder, measure

# Independent random streams of one seed.
_NETWORK, _WORLDS, _NOISE, _EVALUATION = range(4)
# A larger share of world steps without memory for contacts makes a training unusable.
_MOST_OVERFLOWS = 1e-3
# Minibatch permutations are the same for every group and seed.
_PERMUTATIONS = 20_231_019


def stream(seed: int, purpose: int) -> torch.Generator:
    """An independent generator for one purpose of one seed."""
    return torch.Generator().manual_seed(stream_seed(seed, purpose))


def stream_seed(seed: int, purpose: int) -> int:
    """The seed of the generator that `stream` returns."""
    state = np.random.SeedSequence([seed, purpose]).generate_state(1, dtype=np.uint64)
    return int(state[0]) >> 1


def population_key(schedule: Schedule) -> Schedule:
    """The part of a schedule that jobs in one population must share: everything except the rates of `GroupRates`."""
    rates = ("learning_rate", "gamma", "gae_lambda", "clip", "entropy")
    return replace(schedule, ppo=replace(schedule.ppo, **{name: getattr(PPOConfig(), name) for name in rates}))


class Population:
    """Trains `jobs` (all with the same `population_key`) on a task.

    Call `advance()` until `finished`; then `results()`. Groups whose reward is not finite are removed and returned once
    as `Rejected` by `advance()`.
    """

    def __init__(
        self,
        task: Task,
        jobs: Sequence[GroupJob],
        threads: int = 1,
        engine: Engine = Engine(),  # noqa: B008
    ) -> None:
        schedule = jobs[0].schedule
        if any(population_key(job.schedule) != population_key(schedule) for job in jobs):
            raise ValueError("the jobs of one population must share their schedule, but for rates and clips")
        if len({job.init is None for job in jobs}) > 1:
            raise ValueError("the jobs of one population must all start from policies, or all from scratch")
        self.task = task
        self.jobs = list(jobs)
        self.schedule = schedule
        self.config = schedule.ppo
        self._threads = threads
        self.engine = engine
        self.num_updates = schedule.num_updates
        self.updates = 0
        self._started = time.monotonic()
        self._wall_s = 0.0
        with engine.scope():
            self._build()

    def _build(self) -> None:
        jobs, config, num_envs = self.jobs, self.config, self.schedule.num_envs
        groups = len(jobs)
        self._rewards = [compile_graph(job.graph) for job in jobs]
        self._fields = sorted({name for reward in self._rewards for name in reward.inputs})
        self.worlds = make_worlds(
            self.task,
            [stream(job.seed, _WORLDS) for job in jobs],
            num_envs,
            self.engine,
            threads=self._threads,
            fields=self._fields,
        )
        obs_dim, actions = self.worlds.observation.shape[1], self.task.num_actions
        self.policy = StackedMLP((obs_dim, *config.hidden, actions), config.activation, extra=actions)
        self.critic = StackedMLP((obs_dim, *config.hidden, 1), config.activation)
        self._noise_generators = [self.engine.generator(stream_seed(job.seed, _NOISE)) for job in jobs]
        self._noise = torch.empty(groups, config.horizon, num_envs, actions)
        rows = config.horizon * num_envs
        self._orders = torch.empty(config.epochs, rows, dtype=torch.int64)
        parameters: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
        # Initialised on the CPU, so that networks are the same on every device, whose random numbers differ.
        with torch.device("cpu"):
            for job in jobs:
                generator = stream(job.seed, _NETWORK)
                row = self.policy.initial(generator, output_gain=0.01)
                row[-actions:] = float(np.log(config.initial_std))
                parameters[0].append(row)
                parameters[1].append(self.critic.initial(generator, output_gain=1.0))
        device = self.engine.device
        self.optimiser = StackedAdam([torch.stack(rows).to(device) for rows in parameters])
        self.rates = GroupRates.stack([job.schedule.ppo for job in jobs])
        self.moments = RunningMoments(groups, obs_dim)
        self._start_from_policies()
        self.return_scale = ReturnScale(groups, num_envs)
        self.tracker = EpisodeTracker(self.task.metric, self.worlds.limit, groups, num_envs)
        self.records = [GroupRecord(components=ComponentRecorder(reward.components)) for reward in self._rewards]
        self._evaluator: Evaluator | None = None
        self._stages()

    def _start_from_policies(self) -> None:
        """Load the policies that jobs start from, with their observation statistics; critics are new."""
        for group, job in enumerate(self.jobs):
            if job.init is None:
                continue
            start = load_policy(job.init)
            if start.network != self.policy:
                raise TrainingError(f"{job.candidate_id} starts from a policy of another network: {start.network}")
            self.optimiser.parameters[0][group] = start.parameters[0]
            self.moments.mean[group] = start.offset[0].double()
            self.moments.var[group] = start.scale[0].double().square().reciprocal()
            # The loaded statistics have the weight of one rollout.
            self.moments.count.fill_(self.config.horizon * self.schedule.num_envs)

    # ---- training ------------------------------------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        return self.updates >= self.num_updates or not self.jobs

    def advance(self) -> list[Progress | Rejected]:
        """Make one rollout and one PPO update of every group, and an evaluation if the schedule has one."""
        with self.engine.scope():
            return self._advance()

    def _advance(self) -> list[Progress | Rejected]:
        jobs, config = self.jobs, self.config
        for noise, generator in zip(self._noise, self._noise_generators, strict=True):
            noise.normal_(generator=generator)
        permutations = self.engine.generator(_PERMUTATIONS + self.updates + 1)
        for order in self._orders:
            torch.randperm(len(order), generator=permutations, out=order)
        self.worlds.prepare(config.horizon)
        # Do not wait for a device before all of the update has been launched.
        rollout, recent = self._collecting()
        reward, measured = self._rewarding(rollout, recent)
        self._learning(rollout, reward)
        self.updates += 1
        self._check_room()
        bad = self._recorded(measured.cpu())
        self._wall_s += time.monotonic() - self._started
        self._started = time.monotonic()
        for group, finite in enumerate(self.optimiser.parameters[0].isfinite().all(dim=1).tolist()):
            if group not in bad and not finite:
                bad[group] = "the policy's parameters became NaN or infinite"
        if bad:
            self._drop(sorted(bad))
        if self.jobs and self.updates in self.schedule.evaluated_after:
            self._evaluate()
        steps = self.updates * self.schedule.num_envs * config.horizon
        return [not_finite(jobs[group].candidate_id, steps, what) for group, what in bad.items()] + self._progress()

    def _stages(self) -> None:
        """The three stages of an update, each of which a CUDA device replays without Python."""
        device = torch.device(self.engine.device)
        self._collecting = Replayed(
            self._collect, (self.worlds, self.tracker), device=device, generators=self.worlds.generators
        )
        self._rewarding = Replayed(self._reward, device=device)
        self._learning = Replayed(self._learn, device=device)

    def _collect(self) -> tuple[Rollout, torch.Tensor]:
        """A rollout of every group, and the tracker's figures of their recent episodes."""
        moments = self.moments.offset_and_scale()
        parameters = self.optimiser.parameters[0]
        rollout = collect(self.worlds, self.policy, parameters, moments, self._noise, self._fields, self.tracker)
        return rollout, self.tracker.recent()

    def _reward(self, rollout: Rollout, recent: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The rewards (G, T, N) from each group's own graph, and all figures to be recorded as one row of numbers.

        Args:
            recent: result of `EpisodeTracker.recent`; the first numbers of that row.
        """
        reward = torch.zeros_like(rollout.metric)
        numbers = [recent.double().flatten()]
        for group, function in enumerate(self._rewards):
            total, components = function({name: rollout.state[name][group].flatten(0, 1) for name in function.inputs})
            # A diverged world was reset by the engine during the step, so its State is meaningless.
            good = ~rollout.diverged[group].flatten()
            values = [*(components[name] for name in function.components), total]
            finite = torch.stack([(value.isfinite() | ~good).all() for value in values])
            reward[group] = torch.where(good & finite[-1], total, 0.0).view_as(reward[group])
            numbers += [finite.double(), measure([*values, rollout.metric[group].flatten()], good)]
        return reward, torch.cat(numbers)

    def _recorded(self, measured: torch.Tensor) -> dict[int, str]:
        """Add the figures of `_reward` to the records; returns the groups whose reward is not finite, with the
        reason."""
        bad: dict[int, str] = {}
        recent, rest = measured[: 2 * len(self.jobs)].view(-1, 2).tolist(), measured[2 * len(self.jobs) :]
        rows = self.schedule.num_envs * self.config.horizon
        for group, (function, record) in enumerate(zip(self._rewards, self.records, strict=True)):
            names = [*function.components, "the total"]
            size = len(names) + 1
            ends = (len(names), len(names) + 1 + size * (size + 4))
            finite, part, rest = rest[: ends[0]], rest[ends[0] : ends[1]], rest[ends[1] :]
            if not bool(finite[-1]):
                where = [name for name, is_finite in zip(function.components, finite, strict=False) if not is_finite]
                bad[group] = f"{_listed(where) or 'the total'} became NaN or infinite on states met in training"
                continue
            mean = record.components.take(part)
            score, length = recent[group]
            record.updated(self.updates * rows, mean if self.task.metric.reduce == "mean" else score, length)
            record.diverged += rows - int(part[0])
        return bad

    def _learn(self, rollout: Rollout, reward: torch.Tensor) -> None:
        moments = self.moments.offset_and_scale()
        done = rollout.terminated | rollout.truncated
        scaled = self.return_scale(reward, done, self.rates.gamma)
        batch = prepare(rollout, scaled, self.critic, self.optimiser.parameters[1], moments, self.rates)
        update(batch, self.policy, self.critic, self.optimiser, self.rates, self.config, self._orders)
        self.moments.update(rollout.raw_observation.flatten(1, 2))

    def _check_room(self) -> None:
        """Check for worlds without memory for their contacts, which count as diverged; many of them are a mistake in
        the task.
        """
        steps = self.updates * self.config.horizon * len(self.worlds.clock)
        overflows = self.worlds.sim.overflows()
        if overflows > max(1.0, _MOST_OVERFLOWS * steps):
            raise PhysicsError(
                f"{self.task.folder / 'task.yaml'}: in {overflows} of {steps} world steps there was no room for all "
                "contacts and constraints; set or raise `physics.nconmax` (contacts per world) and `physics.njmax` "
                "(constraint rows)"
            )

    def _policies(self) -> Policies:
        offset, scale = self.moments.offset_and_scale()
        return Policies(self.policy, self.optimiser.parameters[0], offset, scale)

    def _evaluate(self) -> None:
        generators = [stream(job.seed, _EVALUATION) for job in self.jobs]
        episodes = self.schedule.eval_episodes
        if self._evaluator is None:
            self._evaluator = Evaluator(self.task, episodes, self.engine)
        tracer = None
        if self.updates == self.num_updates:  # the given policies
            shape, conditions = (len(self.jobs), episodes), self.task.end_conditions
            tracer = EpisodeTracer(self.task.fields, self._fields, *shape, conditions)
        scores = self._evaluator(self._policies(), generators, tracer)
        traces = tracer.traces(scores, self._rewards) if tracer else [None] * len(self.jobs)
        for record, row, seen in zip(self.records, scores, traces, strict=True):
            record.evaluated(row.tolist())
            if seen is not None:
                record.traced(seen)

    def _progress(self) -> list[Progress | Rejected]:
        return [
            Progress(job.candidate_id, job.seed, record.steps[-1], record.metric[-1], record.episode_length[-1])
            for job, record in zip(self.jobs, self.records, strict=True)
        ]

    def results(self) -> list[TrainingResult]:
        """The result of every remaining group, once `finished`."""
        policies = self._policies()
        stds = policies.action_std().tolist()
        return [
            record.group_result(job, policies.dump(group), stds[group], self._wall_s)
            for group, (job, record) in enumerate(zip(self.jobs, self.records, strict=True))
        ]

    # ---- checkpoints ---------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The state that determines all further updates; tensors under `groups` have num_groups as leading
        dimension."""
        return {
            "jobs": [[job.candidate_id, job.seed] for job in self.jobs],
            "updates": self.updates,
            "counts": [float(part.count) for part in (self.optimiser, self.moments, self.return_scale)],
            "wall_s": self._wall_s,
            "groups": {
                "noise": torch.stack([g.get_state() for g in self._noise_generators]),
                **{key: tensor.clone() for key, tensor in self._running().items()},
                **{f"parameters{i}": p.clone() for i, p in enumerate(self.optimiser.parameters)},
                **{f"first{i}": m.clone() for i, m in enumerate(self.optimiser.first)},
                **{f"second{i}": v.clone() for i, v in enumerate(self.optimiser.second)},
                **{f"worlds.{key}": value for key, value in self.worlds.state_dict().items()},
                **{f"episodes.{key}": value for key, value in self.tracker.state_dict().items()},
            },
            "records": [record.state_dict() for record in self.records],
        }

    def _running(self) -> dict[str, torch.Tensor]:
        """The tensors of the statistics of observations and returns, which are updated in place."""
        return {
            "mean": self.moments.mean,
            "var": self.moments.var,
            "return": self.return_scale.discounted,
            "return_mean": self.return_scale.mean,
            "return_var": self.return_scale.var,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore `state_dict()` of a population of the same jobs, bit for bit."""
        with self.engine.scope():
            self._load(state)

    def _load(self, state: dict[str, Any]) -> None:
        # States of generators are bytes, which stay on the CPU.
        device = self.engine.device
        groups = {key: v if v.dtype == torch.uint8 else v.to(device) for key, v in state["groups"].items()}
        self.updates, self._wall_s = state["updates"], state["wall_s"]
        counts = (self.optimiser.count, self.moments.count, self.return_scale.count)
        for count, saved in zip(counts, state["counts"], strict=True):
            count.fill_(saved)
        for generator, saved in zip(self._noise_generators, groups["noise"], strict=True):
            generator.set_state(saved.clone())
        for key, tensor in self._running().items():
            tensor.copy_(groups[key])
        for i, parameter in enumerate(self.optimiser.parameters):
            parameter.copy_(groups[f"parameters{i}"])
            self.optimiser.first[i].copy_(groups[f"first{i}"])
            self.optimiser.second[i].copy_(groups[f"second{i}"])
        for part, prefix in ((self.worlds, "worlds."), (self.tracker, "episodes.")):
            part.load_state_dict({k.removeprefix(prefix): v for k, v in groups.items() if k.startswith(prefix)})
        # CUDA graphs refer to the tensors that they were recorded with.
        self._stages()
        for record, saved in zip(self.records, state["records"], strict=True):
            record.load_state_dict(saved)

    def _drop(self, groups: Sequence[int]) -> None:
        """Remove some groups; the others continue as if they had been alone."""
        keep = [index for index in range(len(self.jobs)) if index not in groups]
        state = self.state_dict()
        self.jobs = [self.jobs[index] for index in keep]
        if not keep:
            self.records = []
            return
        state["groups"] = {key: value[keep] for key, value in state["groups"].items()}
        state["records"] = [state["records"][index] for index in keep]
        with self.engine.scope():
            self._build()
        self.load_state_dict(state)


def _listed(names: Sequence[str]) -> str:
    return "" if not names else f"component{'s' if len(names) > 1 else ''} " + ", ".join(f"`{n}`" for n in names)
