"""Numbers of environments while a candidate is recorded: they may be sizes of tensors, not conditions.

A graph is recorded with few environments and replayed with thousands, so that `if x.shape[0] > 1000` would be decided
wrongly. Sizes of the batch that a candidate's code reads are `Counted`; comparing one with a number is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch

from eureka.reward.trace.explain import FILENAME, TraceFailure

_REMEDY = "Write it so that it works for any number of environments at once, with num_envs = x.shape[0] in shapes only."


Fail = Callable[[str, str], TraceFailure]


class Counted(int):
    """A number derived from the number of environments; `fail` makes the failure and records it."""

    fail: Fail
    __hash__ = int.__hash__

    def __bool__(self) -> bool:
        _refuse(self, None)
        return int.__bool__(self)


class CountedFloat(float):
    """A quotient of such numbers."""

    fail: Fail
    __hash__ = float.__hash__

    def __bool__(self) -> bool:
        _refuse(self, None)
        return float.__bool__(self)


def marked(size: Any, num_envs: int, fail: Fail) -> Any:
    """A size or a whole shape as the candidate's code sees it: `Counted` if it depends on the number of
    environments."""
    if isinstance(size, tuple):
        return torch.Size([marked(one, num_envs, fail) for one in size])
    return _counted(size, fail) if type(size) is int and size > 0 and size % num_envs == 0 else size


def _counted(value: Any, fail: Fail) -> Any:
    if type(value) not in (int, float):
        return value
    counted: Counted | CountedFloat = Counted(value) if isinstance(value, int) else CountedFloat(value)
    counted.fail = fail
    return counted


def length(value: Any) -> int:
    """A `len` that keeps the information that a tensor's length is a number of environments."""
    if isinstance(value, torch.Tensor) and value.dim():
        return value.shape[0]
    return len(value)


def is_candidates(depth: int) -> bool:
    """Whether the function `depth` calls up is the candidate's own, or `length` in its place."""
    code = sys._getframe(depth + 1).f_code
    return code.co_filename == FILENAME or code is length.__code__


def _refuse(number: Counted | CountedFloat, other: Any) -> None:
    if isinstance(other, Counted | CountedFloat) or not is_candidates(2):
        return
    if other is None or isinstance(other, int | float):
        failure = number.fail("it decides on the number of environments", _REMEDY)
        failure.line = sys._getframe(2).f_lineno
        raise failure


def _comparing(kind: type, name: str) -> Callable[[Any, Any], Any]:
    compare = getattr(kind, name)

    def method(self: Any, other: Any) -> Any:
        _refuse(self, other)
        return compare(self, other)

    return method


def _computing(kind: type, name: str) -> Callable[[Any, Any], Any]:
    compute = getattr(kind, name)

    def method(self: Any, other: Any) -> Any:
        return _counted(compute(self, other), self.fail)

    return method


for _kind, _base in ((Counted, int), (CountedFloat, float)):
    for _name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
        setattr(_kind, _name, _comparing(_base, _name))
    for _name in ("add", "sub", "mul", "floordiv", "mod", "truediv", "pow"):
        for _side in (f"__{_name}__", f"__r{_name}__"):
            setattr(_kind, _side, _computing(_base, _side))
