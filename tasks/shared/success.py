"""Tasks that are judged by whether an episode succeeded at any time."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import torch

from eureka.tasks.base import Task
from eureka.tasks.metric import Metric


class SuccessTask(Task):
    """The metric is the share of episodes with a success; the bare metric as a reward is the success of each step.

    `WHOSE_SUCCESS` names the benchmark that defines it, in the possessive.
    """

    WHOSE_SUCCESS: ClassVar[str]

    @abstractmethod
    def succeeded(self, state: Any) -> torch.Tensor:
        """The success in this step, (num_envs,) bool, or a share of it."""

    @property
    def metric(self) -> Metric:
        return Metric(
            value=lambda state: self.succeeded(state).float(),
            reduce="max",
            unit="of the episodes",
            description=f"share of the episodes in which {self.WHOSE_SUCCESS} success was reached at any time",
        )

    def sparse_reward(self, state: Any) -> torch.Tensor | None:
        return self.succeeded(state).float()
