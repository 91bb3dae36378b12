"""What the best reward is measured against, as reward graphs that the trainer takes like any candidate's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from eureka.core.errors import TaskError
from eureka.evaluation.data import Role
from eureka.reward.trace.record import Outputs, State
from eureka.reward.trace.trusted import UntraceableError, trace_trusted
from eureka.tasks import Task


@dataclass(frozen=True)
class Baselines:
    """Graphs (canonical JSON) of the task's human-written reward, and of its metric as a reward where it has that."""

    human: str
    sparse: str | None

    @property
    def graphs(self) -> dict[Role, str]:
        """Those there are, by role."""
        sparse = {} if self.sparse is None else {Role.SPARSE: self.sparse}
        return {Role.HUMAN: self.human, **sparse}


def trace_baselines(task: Task, state: Mapping[str, torch.Tensor]) -> Baselines:
    """Trace the task's own functions on recorded transitions `state`.

    Raises:
        TaskError: one of them has no graph; says which and why.
    """

    def human(fields: State) -> Outputs:
        return task.human_reward(task.State(**fields))

    def sparse(fields: State) -> Outputs:
        reward = task.sparse_reward(task.State(**fields))
        assert reward is not None
        return reward, {"metric": reward}

    has_sparse = task.sparse_reward(task.State(**state)) is not None
    return Baselines(
        human=_graph(task, "human_reward", human, state),
        sparse=_graph(task, "sparse_reward", sparse, state) if has_sparse else None,
    )


def _graph(task: Task, name: str, function: Any, state: Mapping[str, torch.Tensor]) -> str:
    try:
        return trace_trusted(function, task.fields, state)
    except UntraceableError as error:
        raise TaskError(
            f"{task.folder / 'env.py'}: `{name}` cannot become a reward graph, and so cannot be trained: {error}"
        ) from error
