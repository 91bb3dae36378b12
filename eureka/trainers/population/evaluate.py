"""Evaluation episodes of deterministic policies, on start states that no training saw."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from eureka.physics import Engine
from eureka.tasks import Task, Trace
from eureka.trainers.population.device_worlds import make_worlds
from eureka.trainers.population.episodes import EpisodeTracker
from eureka.trainers.population.policy import Policies
from eureka.trainers.population.traces import EpisodeTracer

_ASKED_EVERY = 32


def evaluate(
    task: Task,
    policies: Policies,
    generators: Sequence[torch.Generator],
    episodes: int,
    engine: Engine = Engine(),  # noqa: B008
    tracer: EpisodeTracer | None = None,
) -> torch.Tensor:
    """The task metric of `episodes` evaluations of every policy, (num_groups, episodes); see `Metric` for its meaning.

    Args:
        generators: one per group, for start states and whatever the task draws.
        engine: whose physics; the policies live on its device.
        tracer: is shown every step.
    """
    worlds = make_worlds(task, generators, episodes, engine, desynchronise=False, fields=())
    shape = (worlds.num_groups, episodes)
    tracker = EpisodeTracker(task.metric, worlds.limit, *shape)
    scores = torch.full(shape, torch.nan)
    total = torch.zeros(shape)
    judge = task.metric.reduce if callable(task.metric.reduce) else None
    traced: list[tuple[torch.Tensor, torch.Tensor]] = []
    # A device is seldom asked whether all have finished: it would have to be waited for.
    interval = 1 if scores.device.type == "cpu" else _ASKED_EVERY
    for number in range(worlds.limit):
        action = policies(worlds.observation.view(*shape, -1))
        step = worlds.step(action.flatten(0, 1))
        done = step.terminated | step.truncated
        value = task.metric.value(step.state).view(shape).nan_to_num(0.0)
        total += value
        if tracer is not None:
            tracer.step(step.state, value, step.terminated, step.truncated, step.diverged)
        if judge is not None:
            traced.append((value.clone(), scores.isnan()))
        running = tracker.step(value, done.view(shape), worlds.clock.view(shape), worlds.start_clock.view(shape))
        scores = torch.where(done.view(shape) & scores.isnan(), running, scores)
        if task.metric.reduce != "mean" and number % interval == 0 and not scores.isnan().any():
            break
        worlds.restart(done)
    if judge is not None:
        values, running = (torch.stack(part) for part in zip(*traced, strict=True))
        return judge(Trace(values, running)).float()
    return total / worlds.limit if task.metric.reduce == "mean" else scores
