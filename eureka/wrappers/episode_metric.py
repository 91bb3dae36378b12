"""The task metric of an episode, as it goes on in somebody's environment."""

from __future__ import annotations

from typing import Any

import torch

from eureka.tasks import Task


class EpisodeTaskMetric:
    """Keeps the task metric of one environment's episode.

    A metric that is a `mean` is that of the episode's own steps here: an environment has no further episodes in the
    time that an early end leaves, over which training takes it.
    """

    def __init__(self, task: Task) -> None:
        self._metric = task.metric if task.info.has_metric else None
        self._values: list[float] = []

    def reset(self) -> None:
        """Begin an episode."""
        self._values.clear()

    def step(self, state: Any, *, ended: bool) -> dict[str, float]:
        """What `info` says of a step, after which the episode has `ended` or not; nothing where there is no metric.

        Args:
            state: the step's State, of one environment.
        """
        if self._metric is None:
            return {}
        self._values.append(float(self._metric.value(state)[0]))
        said = {"task_metric": self._values[-1]}
        if ended:
            said["episode_task_metric"] = self._metric.of_episode(torch.tensor(self._values, dtype=torch.float64))
        return said
