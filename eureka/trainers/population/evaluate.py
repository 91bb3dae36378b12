"""Evaluation episodes of deterministic policies, on start states never used in training."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from eureka.physics import Engine, device_graphs
from eureka.tasks import Task, Trace
from eureka.trainers.population.device_worlds import DeviceWorlds, make_worlds
from eureka.trainers.population.episodes import EpisodeTracker
from eureka.trainers.population.policy import Policies
from eureka.trainers.population.traces import EpisodeTracer
from eureka.trainers.population.worlds import Worlds

# Control steps between checks whether all episodes have ended, since each check waits for the device.
_ON_DEVICE = 32

Act = Callable[[torch.Tensor], torch.Tensor]
"""Maps observations (num_groups, num_envs, obs_dim) to actions (num_groups, num_envs, A); usually `Policies`."""


def evaluate(
    task: Task,
    policies: Act,
    generators: Sequence[torch.Generator],
    episodes: int,
    engine: Engine = Engine(),  # noqa: B008
    tracer: EpisodeTracer | None = None,
) -> torch.Tensor:
    """The task metric of `episodes` evaluations of every policy, (num_groups, episodes); see `Metric` for its meaning.

    Args:
        generators: one per group, for start states and the task's random numbers.
        engine: the physics engine; the policies are on its device.
        tracer: called with every step.
    """
    return Evaluator(task, episodes, engine)(policies, generators, tracer)


class Evaluator:
    """Evaluates policies of the same network and number repeatedly, like `evaluate`.

    On a device, the environments and the CUDA graph of their steps are kept between evaluations.
    """

    def __init__(self, task: Task, episodes: int, engine: Engine = Engine()) -> None:  # noqa: B008
        self._task, self._episodes, self._engine = task, episodes, engine
        self._episode: _Episodes | None = None

    def __call__(
        self, policies: Act, generators: Sequence[torch.Generator], tracer: EpisodeTracer | None = None
    ) -> torch.Tensor:
        """See `evaluate`."""
        kept = self._episode
        if kept is not None and kept.can_start_over(policies):
            kept.start_over(policies, generators)
            return kept.scores_of_all(tracer)
        worlds = make_worlds(self._task, generators, self._episodes, self._engine, desynchronise=False, fields=())
        self._episode = _Episodes(worlds, policies)
        return self._episode.scores_of_all(tracer)


class _Episodes:
    """One episode in every environment, with policies in tensors of their own."""

    def __init__(self, worlds: Worlds, policies: Act) -> None:
        self.worlds = worlds
        self._metric = worlds.task.metric
        shape = (worlds.num_groups, worlds.num_envs)
        self._policies = policies
        if isinstance(policies, Policies):
            held = (part.clone() for part in (policies.parameters, policies.offset, policies.scale))
            self._policies = Policies(policies.network, *held)
        self._tracker = EpisodeTracker(self._metric, worlds.limit, *shape)
        self._scores = torch.full(shape, torch.nan)
        self._total = torch.zeros(shape)
        device = self._scores.device
        self._interval = min(_ON_DEVICE, worlds.limit) if device_graphs.reading_synchronises(device) else 1
        states = (worlds, self._tracker)
        self._stepping = device_graphs.Replayed(self._steps, states, device=device, generators=worlds.generators)

    def can_start_over(self, policies: Act) -> bool:
        """Whether the environments can be reused in place, and these policies can replace the current ones."""
        both = isinstance(policies, Policies) and isinstance(self._policies, Policies)
        return both and isinstance(self.worlds, DeviceWorlds)

    def start_over(self, policies: Act, generators: Sequence[torch.Generator]) -> None:
        """Copy these policies, restart the environments, and clear the last episodes."""
        assert isinstance(self.worlds, DeviceWorlds)
        self.worlds.start_over(generators)
        for name in ("parameters", "offset", "scale"):
            getattr(self._policies, name).copy_(getattr(policies, name))
        self._tracker.start_over()
        self._scores.fill_(torch.nan)
        self._total.zero_()

    def scores_of_all(self, tracer: EpisodeTracer | None) -> torch.Tensor:
        """The metric of every episode, (num_groups, num_envs); with a tracer, steps are not replayed from a CUDA
        graph."""
        limit, interval, reduce = self.worlds.limit, self._interval, self._metric.reduce
        traced: list[Trace] = []
        for _ in range(limit // interval):
            self.worlds.prepare(interval)
            steps = self._stepping() if tracer is None else self._steps(tracer)
            if callable(reduce):
                traced.append(Trace(steps.values.clone(), steps.running.clone()))
            if reduce != "mean" and not self._scores.isnan().any():
                break
        else:
            self.worlds.prepare(limit % interval)
            traced += [self._step(tracer) for _ in range(limit % interval)]
        if callable(reduce):
            values, running = (torch.cat([getattr(part, name) for part in traced]) for name in ("values", "running"))
            return reduce(Trace(values, running)).float()
        return self._total / limit if reduce == "mean" else self._scores.clone()

    def _steps(self, tracer: EpisodeTracer | None = None) -> Trace:
        steps = [self._step(tracer) for _ in range(self._interval)]
        return Trace(torch.cat([step.values for step in steps]), torch.cat([step.running for step in steps]))

    def _step(self, tracer: EpisodeTracer | None) -> Trace:
        """One control step of all environments, as a trace of length 1."""
        worlds, shape = self.worlds, self._scores.shape
        step = worlds.step(self._policies(worlds.observation.view(*shape, -1)).flatten(0, 1))
        done = (step.terminated | step.truncated).view(shape)
        value = self._metric.value(step.state).view(shape).nan_to_num(0.0)
        running = self._scores.isnan()
        self._total += value
        if tracer is not None:
            tracer.step(step.state, value, step.terminated, step.truncated, step.diverged)
        reduced = self._tracker.step(value, done, worlds.clock.view(shape), worlds.start_clock.view(shape))
        self._scores.copy_(torch.where(done & running, reduced, self._scores))
        worlds.restart(done.flatten())
        return Trace(value.clone()[None], running[None])
