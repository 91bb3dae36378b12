"""Readers of one environment: the State of every step, and the task metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import torch

from eureka.tasks import GymState, Task
from eureka.tasks.base import state_tensors
from eureka.tasks.gym_state import CarryReader
from eureka.wrappers.episode_metric import EpisodeTaskMetric


class StepReading(NamedTuple):
    """The data of one step of one environment: the State's fields, each (1, ...), and the `info` entries of the task
    metric.
    """

    state: dict[str, torch.Tensor]
    metric: dict[str, float]


class EpisodeReader(Protocol):
    """Reads the State and metric of one environment."""

    def reset(self, observation: Any, info: Mapping[str, Any]) -> None:
        """Start an episode; called after `env.reset`, with its results."""
        ...

    def step(self, action: Any, observation: Any, info: Mapping[str, Any], *, ended: bool) -> StepReading:
        """Read a step; called after `env.step(action)`, with its results and whether the episode ended."""
        ...


class TaskReader:
    """Reads a task's State from an environment with the same MuJoCo body, as `GymState` does."""

    def __init__(self, task: Task, env: Any, carry: Mapping[str, CarryReader]) -> None:
        self._state = GymState(task, env, carry) if carry else task.state_from_gym(env)
        self._metric = EpisodeTaskMetric(task)

    def reset(self, observation: Any, info: Mapping[str, Any]) -> None:
        """Start a new episode."""
        del observation, info
        self._state.reset()
        self._metric.reset()

    def step(self, action: Any, observation: Any, info: Mapping[str, Any], *, ended: bool) -> StepReading:
        """The State of the step, before any automatic reset."""
        del observation, info
        state = self._state.step(action)
        return StepReading(state_tensors(state), self._metric.step(state, ended=ended))
