"""The rewards that a task folder defines, as reward graphs, which are trained like a candidate's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from eureka.core.errors import TaskError
from eureka.core.training import OwnReward
from eureka.reward.trace.record import Outputs, State
from eureka.reward.trace.trusted import UntraceableError, trace_trusted
from eureka.tasks import Task


def trace_baselines(task: Task, state: Mapping[str, torch.Tensor]) -> dict[OwnReward, str]:
    """Graphs (canonical JSON) of the human-written reward, and of the metric as a reward if the task has one.

    Args:
        state: recorded transitions, on which the task's own functions are traced.

    Raises:
        TaskError: one of them cannot be traced to a graph; the message says which and why.
    """

    def human(fields: State) -> Outputs:
        return task.human_reward(task.State(**fields))

    def sparse(fields: State) -> Outputs:
        reward = task.sparse_reward(task.State(**fields))
        assert reward is not None
        return reward, {"metric": reward}

    found = {OwnReward.OWN: _graph(task, "human_reward", human, state)}
    if task.sparse_reward(task.State(**state)) is not None:
        found[OwnReward.METRIC] = _graph(task, "sparse_reward", sparse, state)
    return found


def _graph(task: Task, name: str, function: Callable[[State], Outputs], state: Mapping[str, torch.Tensor]) -> str:
    try:
        return trace_trusted(function, task.fields, state)
    except UntraceableError as error:
        raise TaskError(
            f"{task.folder / 'env.py'}: `{name}` cannot become a reward graph, and so cannot be trained: {error}"
        ) from error
