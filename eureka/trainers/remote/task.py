"""The description of a task in another interpreter."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from eureka.core.errors import ConfigError
from eureka.core.types import FieldSpec, MetricSpec, TaskSpec

_DTYPES = ("float32", "bool", "int64")
_NAME = r"[A-Za-z_]\w{0,63}"
_MOST_NAME = 100


@dataclass(frozen=True)
class TableTerm:
    """A term of the task's own reward table: its name, the State field with its value, and its weight."""

    name: str
    field: str
    weight: float


@dataclass(frozen=True)
class RemoteTask:
    """An open task, as described by the other interpreter.

    Attributes:
        num_envs: number of environments of a training.
        rollout: control steps of all environments in one update of the policy.
        iterations: number of updates in the task's own runner configuration.
        discount: the runner's discount factor per control step.
        scales: whether the reward manager multiplies by the control step.
        chosen_metric: why the metric was chosen, if the user did not name one.
        chosen_sentence: why the sentence was chosen, likewise.
        table: the terms of the task's own reward table, if they were requested.
    """

    spec: TaskSpec
    num_envs: int
    rollout: int
    iterations: int
    discount: float
    scales: bool
    chosen_metric: str
    chosen_sentence: str
    table: tuple[TableTerm, ...]


def read_task(task: str, simulator: str, sentence: str | None, described: Mapping[str, Any]) -> RemoteTask:
    """Check and convert the answer to `open`.

    Raises:
        ConfigError: the answer does not describe a usable task.
    """
    try:
        fields = tuple(_field(entry) for entry in described["fields"])
        metric = described["metric"]
        judged = MetricSpec(
            str(metric["description"]), str(metric["unit"]), _bound(metric["lowest"]), _bound(metric["highest"])
        )
        control_step = float(described["control_step_s"])
        spec = TaskSpec(
            name=task,
            sentence=sentence or str(described["sentence"]) or _sentence(task, simulator, str(metric["name"])),
            fields=fields,
            source=str(described["configuration"]),
            control_step_s=control_step,
            episode_steps=int(described["episode_steps"]),
            metric=judged,
            physical_facts=tuple(str(fact) for fact in described["facts"]),
        )
        said = f'the sentence for the model is "{spec.sentence}"; description= gives another'
        return RemoteTask(
            spec=spec,
            num_envs=int(described["num_envs"]),
            rollout=int(described["num_envs"]) * int(described["rollout_steps"]),
            iterations=int(described["iterations"]),
            discount=float(described["discount"]),
            scales=bool(described["scales"]),
            chosen_metric=str(metric["chosen"]),
            chosen_sentence="" if sentence else said,
            table=tuple(
                TableTerm(str(term["name"])[:_MOST_NAME], str(term["field"]), float(term["weight"]))
                for term in described["table"]
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"env={simulator}:{task}: the other interpreter describes no task: {error}") from error


def _field(entry: Mapping[str, Any]) -> FieldSpec:
    name, dtype = str(entry["name"]), str(entry["dtype"])
    if not re.fullmatch(_NAME, name) or dtype not in _DTYPES:
        raise ValueError(f"the field {name!r:.80} of type {dtype!r:.20}")
    return FieldSpec(
        name,
        tuple(int(size) for size in entry["shape"]),
        cast(Literal["float32", "bool", "int64"], dtype),
        str(entry["unit"]),
        str(entry["frame"]),
        str(entry["description"]),
    )


def _bound(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _sentence(task: str, simulator: str, metric: str) -> str:
    """A sentence on what the policy should do, from the task's name and metric alone."""
    if metric.startswith("tracking."):
        return "Follow the commanded velocity of the base: forward, sideways and turning, without falling."
    words = [word for word in re.split(r"[-_]", task) if word.lower() not in (simulator, "isaac", "direct")]
    named = " ".join(word for word in words if not re.fullmatch(r"v\d+", word)).lower()
    return f"Solve the task {task} of {simulator}, which its name says: {named}."
