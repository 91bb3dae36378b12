"""Numbers of environments while a candidate is recorded: they may be sizes of tensors, not conditions.

A graph is recorded with few environments and replayed with thousands, so that `if x.shape[0] > 1000` would be decided
wrongly. Sizes of the batch that a candidate's code reads are `Counted`; comparing one with a number is refused.
"""

from __future__ import annotations

import math
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


class CountedFloat(float):
    """A quotient of such numbers."""

    fail: Fail


class Sizes(tuple[int, ...]):
    """A tensor's shape; unlike `torch.Size`, its text is made of the texts of its sizes, which `Counted` refuses."""

    def numel(self) -> int:
        """The number of elements of a tensor with this shape."""
        return math.prod(self)

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return Sizes(found) if isinstance(found, tuple) else found

    def __add__(self, other: Any) -> Sizes:
        return Sizes(super().__add__(other))


def marked(size: Any, num_envs: int, fail: Fail) -> Any:
    """A size or a whole shape as the candidate's code sees it: `Counted` if it depends on the number of
    environments."""
    if isinstance(size, tuple):
        return Sizes(marked(one, num_envs, fail) for one in size)
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


def num_elements(value: Any) -> Any:
    """`value.numel()`, which of a shape keeps that it is a number of environments."""
    return math.prod(value) if isinstance(value, tuple) else value.numel()


def numbers_up_to(*bounds: Any) -> range:
    """`range`, which counts no environments."""
    for bound in bounds:
        if isinstance(bound, Counted) and is_candidates(1):
            failure = bound.fail("it loops over the environments", _REMEDY)
            failure.line = sys._getframe(1).f_lineno
            raise failure
    return range(*bounds)


def whole(value: Any = 0, *base: Any) -> Any:
    """`int`, which of a number of environments keeps that it is one."""
    if isinstance(value, Counted | CountedFloat) and not base:
        return _counted(int.__int__(value) if isinstance(value, int) else float.__int__(value), value.fail)
    return int(value, *base)


def still_counted(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of numbers whose result keeps that an argument was a number of environments."""

    def compute(*arguments: Any, **named: Any) -> Any:
        given = [*arguments, *named.values()]
        given += [one for value in given if isinstance(value, list | tuple) for one in value]
        found = function(*arguments, **named)
        counted = next((one for one in given if isinstance(one, Counted | CountedFloat)), None)
        if counted is None:
            return found
        if type(found) not in (int, float):
            _refuse(counted, None)  # a text, a number's bytes, or whether it is some number
        return _counted(found, counted.fail)

    return compute


def formatted(text: Any, values: Any) -> Any:
    """`text % values`, which makes no text of a number of environments."""
    pending = [values]
    while pending:
        value = pending.pop()
        if isinstance(value, Counted | CountedFloat):
            _refuse(value, None)
        elif isinstance(value, list | tuple):
            pending.extend(value)
        elif isinstance(value, dict):
            pending.extend(value.values())
    return text % values


def is_candidates(depth: int) -> bool:
    """Whether the function `depth` calls up is the candidate's own, or one of this module in its place."""
    code = sys._getframe(depth + 1).f_code
    return code.co_filename == FILENAME or code in (length.__code__, num_elements.__code__)


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


def _computing(kind: type, name: str) -> Callable[..., Any]:
    compute = getattr(kind, name)

    def method(self: Any, *others: Any) -> Any:
        if any(isinstance(other, list | tuple | str | bytes) for other in others):
            _refuse(self, None)  # a sequence as long as there are environments
        found = compute(self, *others)
        if isinstance(found, tuple):
            return tuple(_counted(one, self.fail) for one in found)
        return _counted(found, self.fail)

    return method


def _telling(kind: type, name: str) -> Callable[..., Any]:
    """What makes a text, a key or a plain number of it, on which a candidate could decide unseen."""
    tell = getattr(kind, name)

    def method(self: Any, *others: Any) -> Any:
        _refuse(self, None)
        return tell(self, *others)

    return method


def _refusing(self: Any, *_others: Any, **_named: Any) -> Any:
    """What numpy calls in place of its own functions."""
    _refuse(self, None)
    return NotImplemented


_COMPARED = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")
_TOLD = ("__bool__", "__str__", "__repr__", "__format__", "__hash__", "__float__")
_SIDED = ("add", "sub", "mul", "floordiv", "mod", "truediv", "pow", "divmod")
_BITWISE = ("and", "or", "xor", "lshift", "rshift")
_UNARY = ("neg", "pos", "abs", "round", "trunc", "ceil", "floor")
for _kind, _base, _binary, _single in (
    (Counted, int, (*_SIDED, *_BITWISE), (*_UNARY, "invert")),
    (CountedFloat, float, _SIDED, _UNARY),
):
    for _name in _COMPARED:
        setattr(_kind, _name, _comparing(_base, _name))
    for _name in [*(f"__{one}__" for one in (*_binary, *_single)), *(f"__r{one}__" for one in _binary)]:
        setattr(_kind, _name, _computing(_base, _name))
    for _name in ("__array_ufunc__", "__array_function__", "__array__"):
        setattr(_kind, _name, _refusing)
    for _name in ("real", "numerator"):
        setattr(_kind, _name, property(lambda self: self))
    for _name in (*_TOLD, *(one for one in dir(_base) if not one.startswith("_") and callable(getattr(_base, one)))):
        setattr(_kind, _name, _telling(_base, _name))
