"""The metric of an episode: the environment's own return, an entry of `info`, or a user's function."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from eureka.core.errors import ConfigError, TaskError
from eureka.core.missing import what_failed
from eureka.core.types import MetricSpec

RETURN = "return"
_REDUCTIONS: Mapping[str, tuple[str, Callable[[list[float]], float]]] = {
    "last": ("at the episode's end", lambda values: values[-1]),
    "any": ("at any time in the episode", max),
    "max": ("at its highest in the episode", max),
    "min": ("at its lowest in the episode", min),
    "mean": ("on average over the episode", lambda values: sum(values) / len(values)),
    "sum": ("summed over the episode", sum),
}


class Transition(NamedTuple):
    """One control step, as passed to the `state` function of a user's file.

    Attributes:
        observation, info: after the action.
        previous_observation, previous_info: before it.
        action: the policy's action.
        previous_action: the action of the step before; in an episode's first step the same as `action`.
        env: the environment itself without wrappers, for its attributes and functions.
    """

    observation: Any
    action: Any
    info: Mapping[str, Any]
    previous_observation: Any
    previous_action: Any
    previous_info: Mapping[str, Any]
    env: Any


@dataclass(slots=True)
class EpisodeRecord:
    """A whole episode, as passed to the `metric` function of a user's file; lists have one entry per control step.

    Attributes:
        rewards: the environment's own.
        state: return values of `state`.
        terminated: whether it ended for another reason than the time limit.
        env: the environment itself, as the episode left it.
    """

    observations: list[Any] = field(default_factory=list)
    actions: list[Any] = field(default_factory=list)
    infos: list[Mapping[str, Any]] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    state: list[Mapping[str, Any]] = field(default_factory=list)
    terminated: bool = False
    env: Any = None


@dataclass(frozen=True)
class EnvironmentMetric:
    """A metric as specified by `metric=`.

    Attributes:
        text: the given text, or the name of the function.
        key: the entry of `info`, empty for none.
        reduction: how the values of an episode are reduced to one.
        function: the user's function of the episode; None for the two other kinds.
    """

    text: str
    key: str = ""
    reduction: str = "sum"
    function: Callable[[EpisodeRecord], Any] | None = None

    @property
    def is_return(self) -> bool:
        """Whether the metric is the sum of the environment's own rewards."""
        return not self.key and self.function is None

    def spec(self, described: Any) -> MetricSpec:
        """The description of the metric; a file's class may set `metric_description`, `metric_unit`, `metric_range`,
        `metric_best`.
        """
        low, high = getattr(described, "metric_range", (None, None))
        best, unit = getattr(described, "metric_best", None), getattr(described, "metric_unit", "")
        said = getattr(described, "metric_description", "")
        if self.is_return:
            text = "the environment's own return: the sum of its rewards over an episode"
            return MetricSpec(said or text, unit or RETURN, low, high, best)
        if self.function is not None:
            text = (self.function.__doc__ or "a function of the episode, of the environment's file").strip()
            return MetricSpec(said or text.splitlines()[0], unit or "1", low, high, best)
        if re.search(r"success|solved|reached", self.key) and self.reduction in ("last", "any", "mean") and low is None:
            low, high, best = 0.0, 1.0, 1.0
            unit = unit or ("share of time" if self.reduction == "mean" else "success rate")
        text = f"`{self.key}` of the environment's info, {_REDUCTIONS[self.reduction][0]}"
        return MetricSpec(said or text, unit or self.key, low, high, best)

    def of_step(self, info: Mapping[str, Any]) -> float | None:
        """The value of the entry in one control step, None if it is missing; None for a function.

        Raises:
            TaskError: the entry is not a number.
        """
        value = _entry(info, self.key) if self.function is None else None
        return None if value is None else _number(value, f"metric={self.text}")

    def of_episode(self, values: list[float | None], record: EpisodeRecord | None, where: str) -> float:
        """The metric's value for a whole episode.

        Raises:
            TaskError: there is no value, or it is not a number.
        """
        if self.function is not None:
            try:
                value = self.function(record)  # type: ignore[arg-type]
            except Exception as error:
                raise TaskError(f"the metric {what_failed(error)} {where}") from error
            return _number(value, "the metric", where)
        there = [value for value in values if value is not None]
        if not there:
            known = ", ".join(sorted(map(str, record.infos[-1]))) if record and record.infos else ""
            has = f"it has {known}" if known else "it has no entries"
            raise ConfigError(f"metric={self.text}: the environment's info has no `{self.key}` {where}; {has}")
        return float(_REDUCTIONS[self.reduction][1](there))


def read_metric(given: str | Callable[..., Any]) -> EnvironmentMetric:
    """The metric that `metric=` or a file names.

    Raises:
        ConfigError: the text has no valid form.
    """
    if callable(given):
        return EnvironmentMetric("metric", function=given)
    if given == RETURN:
        return EnvironmentMetric(RETURN)
    found = re.fullmatch(r"(?:(\w+):)?info\.(.+)", given)
    if not found or (found[1] or "last") not in _REDUCTIONS:
        raise ConfigError(
            f"metric={given}: give return, info.KEY, or one of {', '.join(_REDUCTIONS)} before it, as in "
            "any:info.is_success"
        )
    return EnvironmentMetric(given, found[2], found[1] or "last")


def _entry(info: Mapping[str, Any], key: str) -> Any:
    """An entry of `info` by its key; dots in the key descend into nested mappings."""
    if key in info:
        return info[key]
    inner: Any = info
    for part in key.split("."):
        if not isinstance(inner, Mapping) or part not in inner:
            return None
        inner = inner[part]
    return inner


def _number(value: Any, what: str, where: str = "") -> float:
    try:
        number = float(np.asarray(value, dtype=np.float64).reshape(()))
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number):
        raise TaskError(f"{what}: {str(value)[:300]} is not a number {where}".strip())
    return number
