"""Transitions recorded from a MuJoCo task under random actions."""

from __future__ import annotations

import torch

from eureka.tasks import Task
from eureka.tasks.base import state_tensors
from eureka.trainers.population.population import stream
from eureka.trainers.population.values import TaskValues
from eureka.trainers.population.worlds import Worlds
from eureka.trainers.recording import Recording

_NUM_ENVS = 64
_RECORDING = 4  # a random stream that no training uses


class SmoothActions:
    """Random actions in [-1, 1] from an autoregressive process, whose amplitude differs between worlds."""

    def __init__(self, num_envs: int, num_actions: int, generator: torch.Generator) -> None:
        self._size = torch.linspace(0.05, 1.5, num_envs)[:, None]
        self._action = torch.zeros(num_envs, num_actions)
        self._generator = generator

    def __call__(self, observation: torch.Tensor) -> torch.Tensor:
        """The next actions (num_envs, num_actions); the observation is ignored."""
        del observation
        noise = torch.randn(self._action.shape, generator=self._generator)
        self._action = 0.8 * self._action + 0.6 * self._size * noise
        return self._action.clamp(-1, 1)


def record(task: Task, num: int = 512, seed: int = 0, steps: int = 200) -> Recording:
    """Record real transitions under random policies of different vigour, a quarter of them terminal if there are any.

    Actions are smooth (an autoregressive process) and their amplitude differs between worlds, so that the rows range
    from standing still to falling over.

    Raises:
        TaskError: a function of the task returns values that are not finite, or every episode ends at once.
    """
    generator = stream(seed, _RECORDING)
    worlds = Worlds(task, [generator], _NUM_ENVS, desynchronise=False)
    act = SmoothActions(_NUM_ENVS, task.num_actions, generator)
    rows: list[dict[str, torch.Tensor]] = []
    metric, terminated = [], []
    values = TaskValues(task)
    values.started(worlds.observation)
    for _ in range(steps):
        step = worlds.step(act(worlds.observation))
        rows.append({name: value.clone() for name, value in state_tensors(step.state).items()})
        metric.append(task.metric.value(step.state).float())
        values.stepped(step, metric[-1])
        terminated.append(step.terminated & ~step.diverged)
        worlds.restart(step.terminated | step.truncated)
        values.started(worlds.observation)
    values.ended()
    state = {name: torch.cat([row[name] for row in rows]) for name in rows[0]}
    ended = torch.cat(terminated)
    order = torch.randperm(len(ended), generator=generator)
    last = order[ended[order]][: num // 4]
    kept = torch.cat([last, order[~ended[order]][: num - len(last)]])
    kept = kept[torch.randperm(len(kept), generator=generator)]
    picked = {name: value[kept] for name, value in state.items()}
    return Recording(picked, torch.cat(metric)[kept], ended[kept])
