"""A task for people to read, as `eureka tasks NAME` shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eureka.core.text import table
from eureka.tasks.base import Task


def describe(task: Task) -> Iterator[str]:
    """The lines: what it is, what it is judged by, and the table of its State."""
    info = task.info
    yield f"{info.name}: {info.description}"
    yield f"folder: {task.folder}"
    yield f"control step: {task.control_timestep_s:g} s, time limit {info.max_episode_steps} steps"
    unit = f" ({task.metric.unit})" if info.has_metric else ""
    yield f"metric: {'' if info.has_metric else 'none; '}{task.metric.description}{unit}"
    yield f"evidence: {info.evidence}"
    yield ""
    header = ("state field", "shape", "dtype", "unit", "frame", "description")
    rows = [header, *((f.name, shape(f.shape), f.dtype, f.unit, f.frame, f.description) for f in task.fields)]
    yield from table(rows)


def shape(own: Sequence[int]) -> str:
    """Shape with its leading dimension, as Python writes a tuple: `(num_envs,)`, `(num_envs, 3)`."""
    return f"(num_envs, {', '.join(map(str, own))})" if own else "(num_envs,)"
