"""What a run records of itself besides its config: a row of the table `fact` for every field that was set.

A text is stored as it is, a yes or no as that word, and everything else as JSON.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Any, get_type_hints

from eureka.core.costs import UnrecordedCosts
from eureka.core.serialize import DecodeError, dumps, loads
from eureka.core.text import clean


class Fitness(StrEnum):
    """How candidates are scored: by the task metric, or by a person's preferences."""

    METRIC = "metric"
    PREFERENCE = "preference"


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """The facts of a run; those that an older version did not record have their default.

    Attributes:
        sentence, metric, metric_unit: of the task.
        had_metric_access: whether the proposer, or what screens its rewards, saw the metric of sampled states; None if
            that was not recorded.
        proposer, trainer: one sentence each.
        sandbox_layers: the layers of confinement by name, with their state (`on`, `off` or `missing`).
        training_workers: the confinement of the processes that train.
        unsafe: the warning of a run whose generated code was not confined, else empty.
        run_id: 32 hexadecimal digits, by which a user's own runs are recognised.
        task_dirs: folders of tasks that the run was given.
        resumed_with: overrides of earlier resumes.
        init, init_source: the value of `search.init`, and the reward that the search started from.
        seed_stride: how far the seeds of a generation lie above those of the one before; 0: all have the same.
        evaluations_from_cache: the trainings of the final comparison that were taken from the cache, as in
            `eureka.evaluation.trainings`.
        tracking_run: the run's name for trackers.
        others: facts of other versions, by their names.
    """

    sentence: str = ""
    metric: str = ""
    metric_unit: str = ""
    fitness: Fitness = Fitness.METRIC
    had_metric_access: bool | None = None
    proposer: str = ""
    trainer: str = ""
    physics: str = ""
    sandbox_layers: Mapping[str, str] = field(default_factory=dict)
    training_workers: str = ""
    unsafe: str = ""
    run_id: str = ""
    task_dirs: tuple[str, ...] = field(default=(), metadata={"key": "task_dirs"})
    resumed_with: tuple[str, ...] = ()
    init: str = ""
    init_source: str = ""
    seed_stride: int = field(default=0, metadata={"key": "seeds between generations"})
    evaluations_from_cache: tuple[str, ...] = field(default=(), metadata={"key": "evaluations from the cache"})
    unrecorded_costs: UnrecordedCosts = field(default_factory=UnrecordedCosts, metadata={"key": "llm unrecorded costs"})
    tracking_run: str = ""
    processor: str = ""
    memory: str = ""
    gpu: str = ""
    machine: str = ""
    python: str = ""
    eureka: str = ""
    torch: str = ""
    mujoco: str = ""
    gymnasium: str = ""
    stable_baselines3: str = field(default="", metadata={"key": "stable-baselines3"})
    numpy: str = ""
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_metric(self) -> bool:
        """Whether the task has a metric, rather than being scored by a person's preferences."""
        return self.fitness is Fitness.METRIC

    @property
    def metric_access(self) -> str:
        """`had_metric_access` in words."""
        if not self.has_metric:
            return "no, there is none"
        return {True: "yes", False: "no", None: ""}[self.had_metric_access]


KEYS: Mapping[str, str] = MappingProxyType(
    {each.name: each.metadata.get("key", each.name.replace("_", " ")) for each in fields(RunFacts)}
)
"""The key in the table, and the name on a page, of every field."""
_TYPES = {name: hint for name, hint in get_type_hints(RunFacts).items() if name != "others"}


def rows_of(facts: RunFacts, stored: Collection[str] = ()) -> dict[str, str]:
    """The rows of the facts that differ from their default, and of those that have a row already, by its key."""
    usual = RunFacts()
    changed = (name for name in _TYPES if KEYS[name] in stored or getattr(facts, name) != getattr(usual, name))
    return {**facts.others, **{KEYS[name]: _written(getattr(facts, name)) for name in changed}}


def read_facts(rows: Mapping[str, str]) -> RunFacts:
    """The facts from their rows.

    Raises:
        DecodeError: a row is not a value of its type.
    """
    found: dict[str, Any] = {}
    for name, kind in _TYPES.items():
        if KEYS[name] in rows:
            try:
                found[name] = _read(kind, rows[KEYS[name]])
            except (DecodeError, ValueError) as error:
                said = clean(" ".join(str(error).split()), 200)
                raise DecodeError(f"the fact {KEYS[name]!r} of run.db was changed by hand: {said}") from error
    known = {KEYS[name] for name in _TYPES}
    return RunFacts(**found, others={key: text for key, text in rows.items() if key not in known})


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, str) else dumps(value)


def _read(kind: Any, text: str) -> object:
    if kind is str or kind is Fitness:
        return kind(text)
    if kind == bool | None:
        return text.startswith("yes")
    if kind == Mapping[str, str] and not text.startswith("{"):
        return _earlier_layers(text)
    return loads(kind, text)


def _earlier_layers(text: str) -> dict[str, str]:
    """The sandbox's layers as older versions wrote them: `seccomp on; private memory missing`."""
    parts = (part.strip().rpartition(" ") for part in text.split(";"))
    return {name: state for name, _, state in parts if name}
