"""Our simulator's task as one vectorised environment, for trainers that step environments themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import torch
from training import GRAPH

from eureka.reward.graph.runtime import compile_graph
from eureka.tasks import Task
from eureka.trainers.population.population import stream
from eureka.trainers.population.worlds import Worlds

_STREAM = 1


@dataclass(frozen=True)
class Transition:
    """One control step of all worlds; every tensor has num_envs in front.

    `observation` is the next observation after resets; `final_observation` is the one before them.
    """

    observation: torch.Tensor
    final_observation: torch.Tensor
    reward: torch.Tensor
    terminated: torch.Tensor
    truncated: torch.Tensor


class TaskWorlds:
    """`num_envs` worlds of a task with one reward.

    Args:
        reward: of a State, (num_envs,).
        fields: the State fields that it reads; None: all.
    """

    def __init__(
        self,
        task: Task,
        num_envs: int,
        seed: int,
        reward: Callable[[Any], torch.Tensor],
        fields: Collection[str] | None = None,
    ) -> None:
        self.task = task
        self.num_envs = num_envs
        self.num_actions = task.num_actions
        self._reward = reward
        self._worlds = Worlds(task, [stream(seed, _STREAM)], num_envs, fields=fields)

    @property
    def observation(self) -> torch.Tensor:
        """The current observation, (num_envs, obs_dim)."""
        return self._worlds.observation

    def step(self, action: torch.Tensor) -> Transition:
        """Act in all worlds, (num_envs, num_actions), clipped to [-1, 1], and begin anew where an episode ended."""
        step = self._worlds.step(action.clamp(-1, 1))
        reward = torch.where(step.diverged, 0.0, self._reward(step.state).float())
        self._worlds.restart(step.terminated | step.truncated)
        return Transition(self.observation, step.final_observation, reward, step.terminated, step.truncated)


def with_graph(task: Task, num_envs: int, seed: int) -> TaskWorlds:
    """Worlds with the reward that the throughput of all trainers is measured with."""
    function = compile_graph(GRAPH)

    def reward(state: Any) -> torch.Tensor:
        return function({name: getattr(state, name) for name in function.inputs})[0]

    return TaskWorlds(task, num_envs, seed, reward, function.inputs)


def with_human_reward(task: Task, num_envs: int, seed: int) -> TaskWorlds:
    """Worlds with the task's human-written reward."""
    return TaskWorlds(task, num_envs, seed, lambda state: task.human_reward(state)[0])
