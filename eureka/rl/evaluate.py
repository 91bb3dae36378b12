"""Evaluation episodes of deterministic policies, on start states that no training saw."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from eureka.rl.episodes import EpisodeTracker
from eureka.rl.policy import Policies
from eureka.rl.worlds import Worlds
from eureka.tasks import Task


def evaluate(task: Task, policies: Policies, generators: Sequence[torch.Generator], episodes: int) -> torch.Tensor:
    """The task metric of `episodes` evaluations of every policy, (num_groups, episodes); see `Metric` for its meaning.

    Args:
        generators: one per group, for start states and whatever the task draws.
    """
    worlds = Worlds(task, generators, episodes, desynchronise=False, fields=())
    shape = (worlds.num_groups, episodes)
    tracker = EpisodeTracker(task.metric, worlds.limit, *shape)
    scores = torch.full(shape, torch.nan)
    total = torch.zeros(shape)
    for _ in range(worlds.limit):
        action = policies(worlds.observation.view(*shape, -1))
        step = worlds.step(action.flatten(0, 1))
        done = step.terminated | step.truncated
        value = task.metric.value(step.state).view(shape).nan_to_num(0.0)
        total += value
        running = tracker.step(value, done.view(shape), worlds.clock.view(shape), worlds.start_clock.view(shape))
        scores = torch.where(done.view(shape) & scores.isnan(), running, scores)
        if task.metric.reduce != "mean" and not scores.isnan().any():
            break
        worlds.restart(done)
    return total / worlds.limit if task.metric.reduce == "mean" else scores
