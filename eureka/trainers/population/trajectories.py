"""Whole episodes of a MuJoCo task under a policy, or under random actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from eureka.reward.analysis.trajectory import LONGEST, Trajectory
from eureka.tasks import Task
from eureka.tasks.base import state_tensors
from eureka.trainers.population.policy import load_policy
from eureka.trainers.population.population import stream
from eureka.trainers.population.recording import SmoothActions
from eureka.trainers.population.worlds import Worlds

_ROLLOUTS = 5  # a random stream that no training uses


@torch.no_grad()
def roll_out(task: Task, kind: str, policy: bytes | None, episodes: int, seed: int) -> list[Trajectory]:
    """Simulate episodes to their end, or for `LONGEST` control steps; bitwise the same for the same seed.

    Args:
        kind: the kind recorded with the trajectories.
        policy: the bytes of a `policy.pt`; None acts at random.
    """
    generator = stream(seed, _ROLLOUTS)
    worlds = Worlds(task, [generator], episodes, desynchronise=False)
    act: Callable[[torch.Tensor], torch.Tensor]
    if policy is None:
        act = SmoothActions(episodes, task.num_actions, generator)
    else:
        skilled = load_policy(policy)

        def act(observation: torch.Tensor) -> torch.Tensor:
            return skilled(observation[None])[0]

    limit = min(worlds.limit, LONGEST)
    rows: list[dict[str, torch.Tensor]] = []
    values: list[torch.Tensor] = []
    lengths = torch.full((episodes,), limit)
    terminated = torch.zeros(episodes, dtype=torch.bool)
    with _one_thread():
        for step_number in range(1, limit + 1):
            step = worlds.step(act(worlds.observation))
            rows.append({name: value.clone() for name, value in state_tensors(step.state).items()})
            values.append(task.metric.value(step.state).float().nan_to_num(0.0))
            first = (lengths == limit) & (step.terminated | step.diverged) & ~terminated
            lengths[first] = step_number
            terminated |= first
            worlds.restart(step.terminated | step.diverged)
    metric = torch.stack(values)
    return [
        Trajectory(
            kind,
            {name: torch.stack([row[name][world] for row in rows[: int(lengths[world])]]) for name in rows[0]},
            task.metric.of_episode(metric[: int(lengths[world]), world], limit),
            bool(terminated[world]),
        )
        for world in range(episodes)
    ]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limit torch to one thread, as in a worker: with tensors this small, more threads mostly wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
