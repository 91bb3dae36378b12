"""Sentences about an attribute that user code asks for and that is not there."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Collection
from types import ModuleType
from typing import Any

_MOST_LISTED = 12


class MissingOutput(LookupError):
    """A quantity of the simulator that the task did not name; `str()` says what to write."""

    def __init__(self, name: str, named: Collection[str]) -> None:
        there = list(named)
        super().__init__(
            f'asks for sim.output("{name}"), and task.yaml has outputs: [{", ".join(there)}]'
            f"{did_you_mean(near_names(name, there))} (fields of MjData that are named there can be read)"
        )


def what_failed(error: Exception) -> str:
    """What user code did that raised `error`, to follow its name in a sentence: "raised ValueError: ..."; for a missing
    attribute: "asks State for `heigth`, which it does not have; did you mean `height`?".
    """
    if isinstance(error, MissingOutput):
        return str(error)
    if isinstance(error, AttributeError) and error.name and error.obj is not None:
        return f"asks {_named(error.obj)} for `{error.name}`, which it does not have{_instead(error.name, error.obj)}"
    return f"raised {type(error).__name__}: {error}"


def near_attributes(error: BaseException) -> list[str]:
    """Attributes with names like the one that an AttributeError misses; none for other errors."""
    if not isinstance(error, AttributeError) or not error.name or error.obj is None:
        return []
    return near_names(error.name, _attributes(error.obj))


def near_names(name: str, known: list[str]) -> list[str]:
    """At most two of the `known` names that resemble `name`, the nearest first."""
    return difflib.get_close_matches(name, known, n=2, cutoff=0.6)


def did_you_mean(near: list[str]) -> str:
    """ "; did you mean `a` or `b`?", or nothing."""
    return f"; did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""


def _instead(name: str, holder: Any) -> str:
    inner = getattr(holder, "unwrapped", holder)
    if inner is not holder:
        inside = [name] if hasattr(inner, name) else near_names(name, _attributes(inner))
        own = [one for one in near_names(name, _attributes(holder)) if one not in inside]
        return did_you_mean([*own, *(f"env.unwrapped.{one}" for one in inside)])
    known = _attributes(holder)
    near = near_names(name, known)
    said = did_you_mean(near)
    if dataclasses.is_dataclass(holder) or (not near and len(known) <= _MOST_LISTED):
        said = f"; it has {', '.join(f'`{one}`' for one in known) or 'nothing'}{said}"
    if hasattr(holder, "qpos") and hasattr(holder, "output"):
        said += f' (other fields of MjData: sim.output("{name}"), with outputs: [{name}] in task.yaml)'
    return said


def _attributes(holder: Any) -> list[str]:
    if dataclasses.is_dataclass(holder):
        fields = [field.name for field in dataclasses.fields(holder)]
        return fields + [name for name in dir(holder) if not name.startswith("_") and name not in fields]
    return [name for name in dir(holder) if not name.startswith("_")]


def _named(holder: Any) -> str:
    if isinstance(holder, ModuleType):
        return f"module {holder.__name__}"
    return holder.__name__ if isinstance(holder, type) else type(holder).__name__
