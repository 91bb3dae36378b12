"""Which episode a film shows."""

from __future__ import annotations

import torch

from eureka.core.pictures import Look
from eureka.tasks import load_task
from eureka.trainers.population.networks import StackedMLP
from eureka.trainers.population.policy import Policies
from eureka.trainers.population.rendering import typical_world
from eureka.trainers.population.worlds import Worlds

NUM, PUSH = 5, 0.02


def test_the_typical_episode_is_that_of_median_score() -> None:
    task = load_task("cartpole")
    worlds = Worlds(task, [torch.Generator().manual_seed(3)], NUM, desynchronise=False)
    size = worlds.observation.shape[1]
    zeros, ones = torch.zeros(1, 1, size), torch.ones(1, 1, size)
    parameters = torch.cat([torch.zeros(1, size), torch.full((1, 1), PUSH)], dim=1)
    pushes = Policies(StackedMLP((size, 1), "relu"), parameters, zeros, ones)
    # A cart that is always pushed to one side loses its pole sooner or later: the metric is the time until then.
    fell = [0] * NUM
    for number in range(1, task.info.max_episode_steps + 1):
        ended = worlds.step(torch.full((NUM, 1), PUSH)).terminated
        fell = [before or number * bool(now) for before, now in zip(fell, ended.tolist(), strict=True)]
    assert len(set(fell)) > 1
    assert fell[typical_world(task, pushes, Look(typical=NUM, seed=3))] == sorted(fell)[NUM // 2]
    assert typical_world(task, pushes, Look()) == 0
