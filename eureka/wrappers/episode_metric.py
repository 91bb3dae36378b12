"""The task metric of an episode in another environment, step by step."""

from __future__ import annotations

from typing import Any

import torch

from eureka.tasks import Task


class EpisodeTaskMetric:
    """Keeps the task metric of one environment's episode.

    A `mean` metric is averaged over the episode's own steps here, while training also averages over the time that is
    left after an early end.
    """

    def __init__(self, task: Task) -> None:
        self._metric = task.metric if task.info.has_metric else None
        self._values: list[float] = []

    def reset(self) -> None:
        """Start a new episode."""
        self._values.clear()

    def step(self, state: Any, *, ended: bool) -> dict[str, float]:
        """The `info` entries of a step; `ended` says whether it ended the episode. Empty without a metric.

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
