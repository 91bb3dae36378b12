"""Numbers of environments while a candidate is recorded: they may be sizes of tensors, and nothing else.

A graph is recorded with few environments and replayed with thousands, so that `if x.shape[0] > 1000` would be decided
wrongly. The sizes of the batch that a candidate's code reads are `Counted`, which is no number for Python: torch takes
it as a size, through `Watch` alone; its multiples, sums and differences are known exactly, and every other use, by
Python, numpy or whatever else asks for a number, a text or a key, is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NoReturn

import torch

from eureka.reward.trace.explain import FILENAME, TraceFailure

_REMEDY = "Write it so that it works for any number of environments at once, with num_envs = x.shape[0] in shapes only."
_DECIDES = "it decides on the number of environments"
_COMPUTES = "it computes with the number of environments"
#: The message and remedy of a number of environments that is asked for its value.
COMPUTES = (_COMPUTES, _REMEDY)

Fail = Callable[[str, str], TraceFailure]


class Counted(torch.SymInt):
    """`multiple` times the number of environments; `fail` makes the failure and records it.

    Torch's functions accept a `SymInt` without asking for its value, and hand it to `Watch` as it is. `isinstance` says
    that it is an int.
    """

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return int

    def __init__(self, multiple: int, fail: Fail) -> None:
        self._multiple = multiple
        self._fail = fail

    @property
    def node(self) -> NoReturn:
        """What torch asks for the value, outside of `Watch`."""
        raise self.refused(_COMPUTES)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise self.refused(_COMPUTES)

    def refused(self, message: str) -> TraceFailure:
        """The failure to raise."""
        failure = self._fail(message, _REMEDY)
        failure.line = candidates_line() or failure.line
        return failure

    # ------------------------------------------------------------------------------------------ arithmetic

    def _times(self, factor: int) -> Any:
        return Counted(factor * self._multiple, self._fail) if factor > 0 else 0

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, torch.Tensor):
            return NotImplemented
        if not _is_plain(other) or other < 0:
            raise self.refused(_COMPUTES)
        return self._times(int(other))

    __rmul__ = __mul__

    def __add__(self, other: Any) -> Any:
        if isinstance(other, torch.Tensor):
            return NotImplemented
        if is_counted(other):
            return Counted(self._multiple + other._multiple, self._fail)
        if not _is_plain(other) or other:
            raise self.refused(_COMPUTES)
        return self

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, torch.Tensor):
            return NotImplemented
        if is_counted(other) and other._multiple <= self._multiple:
            return self._times(self._multiple - other._multiple) if other._multiple < self._multiple else 0
        raise self.refused(_COMPUTES)

    def __floordiv__(self, other: Any) -> Any:
        if isinstance(other, torch.Tensor):
            return NotImplemented
        if is_counted(other) and self._multiple % other._multiple == 0:
            return self._multiple // other._multiple
        if _is_plain(other) and other > 0 and self._multiple % other == 0:
            return Counted(self._multiple // int(other), self._fail)
        raise self.refused(_COMPUTES)

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, torch.Tensor):
            return NotImplemented
        if is_counted(other):
            return self._multiple / other._multiple
        raise self.refused(_COMPUTES)

    def __mod__(self, other: Any) -> Any:
        if isinstance(other, torch.Tensor):
            return NotImplemented
        known = other._multiple if is_counted(other) else other if _is_plain(other) else 0
        if known > 0 and self._multiple % known == 0:
            return 0
        raise self.refused(_COMPUTES)

    # ------------------------------------------------------------------------------------------ comparisons

    def __bool__(self) -> bool:
        return True

    def __hash__(self) -> int:
        raise self.refused(_DECIDES)


def _is_plain(value: Any) -> bool:
    return isinstance(value, int) and not is_counted(value)


def _comparing(compare: Callable[[int, int], bool]) -> Callable[[Counted, Any], Any]:
    """A comparison; one with another multiple, and with a number below 1, is the same for every number of
    environments."""

    def method(self: Counted, other: Any) -> Any:
        if is_counted(other):
            return compare(self._multiple, other._multiple)
        if not isinstance(other, int | float):
            return NotImplemented
        if other <= 0:
            return compare(1, 0)
        raise self.refused(_DECIDES)

    return method


def _refusing(message: str) -> Callable[..., Any]:
    def method(self: Counted, *others: Any, **_: Any) -> Any:
        if any(isinstance(other, torch.Tensor) for other in others):
            return NotImplemented
        raise self.refused(message)

    return method


for _name in ("lt", "le", "eq", "ne", "gt", "ge"):
    setattr(Counted, f"__{_name}__", _comparing(getattr(int, f"__{_name}__")))
for _name in ("str", "repr", "format", "reduce", "reduce_ex", "copy", "deepcopy"):
    setattr(Counted, f"__{_name}__", _refusing(_DECIDES))
for _name in (
    "int",
    "index",
    "float",
    "complex",
    "trunc",
    "ceil",
    "floor",
    "round",
    "pow",
    "divmod",
    "neg",
    "abs",
    "pos",
):
    setattr(Counted, f"__{_name}__", _refusing(_COMPUTES))
for _name in ("and", "or", "xor", "lshift", "rshift", "invert", "array", "array_ufunc", "array_function"):
    setattr(Counted, f"__{_name}__", _refusing(_COMPUTES))
for _name in ("sub", "floordiv", "truediv", "mod", "pow", "divmod", "and", "or", "xor", "lshift", "rshift"):
    setattr(Counted, f"__r{_name}__", _refusing(_COMPUTES))


# ---------------------------------------------------------------------------------------------- into torch and back


#: What torch takes numbers of environments for: sizes of tensors.
TAKE_SIZES = frozenset(
    """
    zeros ones empty full arange linspace eye new_zeros new_ones new_empty new_full empty_strided new_empty_strided
    view reshape expand repeat tile broadcast_to unflatten narrow __getitem__ __setitem__
    """.split()  # noqa: SIM905
)


def marked(size: Any, num_envs: int, fail: Fail) -> Any:
    """A size or a whole shape as the candidate's code sees it: `Counted` if it depends on the number of
    environments."""
    if isinstance(size, tuple):
        return torch.Size([marked(one, num_envs, fail) for one in size])
    return Counted(size // num_envs, fail) if type(size) is int and size > 0 and size % num_envs == 0 else size


def holds_counted(value: Any) -> bool:
    """Whether an argument of torch is or holds a number of environments."""
    if isinstance(value, list | tuple):
        return any(map(holds_counted, value))
    if isinstance(value, slice):
        return holds_counted((value.start, value.stop, value.step))
    return is_counted(value)


def is_counted(value: object) -> bool:
    """Whether a value is a number of environments; `isinstance` would say that it is an int."""
    return type(value) is Counted


def is_whole(index: Any, tensor: torch.Tensor, num_envs: int) -> bool:
    """Whether an index with a number of environments in it is `x[:n]`, all of them, with anything fixed behind."""
    first, *others = index if isinstance(index, tuple) else (index,)
    if not isinstance(first, slice) or holds_counted(others) or holds_counted((first.start, first.step)):
        return False
    return bool(as_sizes(first.stop, num_envs) == tensor.shape[0])


def as_sizes(value: Any, num_envs: int) -> Any:
    """An argument of torch with numbers in place of the numbers of environments in it."""
    if is_counted(value):
        return value._multiple * num_envs
    if isinstance(value, slice):
        return slice(*(as_sizes(one, num_envs) for one in (value.start, value.stop, value.step)))
    if isinstance(value, list | tuple) and holds_counted(value):
        sizes = [as_sizes(one, num_envs) for one in value]
        return sizes if isinstance(value, list) else tuple(sizes)
    return value


# ---------------------------------------------------------------------------------------------- who asks

_TORCH = str(Path(torch.__file__).parent) + "/"
_OURS = str(Path(__file__).parents[2]) + "/"
_ASKING = (f"{_TORCH}distributions/", __file__, str(Path(__file__).with_name("source.py")))


def is_library(code: CodeType) -> bool:
    """Whether code is torch's or ours, which gets the sizes as they are, and gives none of them away.

    Distributions do: they keep the shapes of their parameters for whoever asks. What stands in Python's place, here and
    in `source`, asks for the candidate.
    """
    return code.co_filename.startswith((_TORCH, _OURS)) and not code.co_filename.startswith(_ASKING)


def candidates_line() -> int | None:
    """The line of the candidate's code that is running."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename != FILENAME:
        frame = frame.f_back
    return None if frame is None else frame.f_lineno


# ---------------------------------------------------------------------------------------------- in Python's place


def length(value: Any) -> Any:
    """A `len` that gives the size of a tensor as `x.shape[0]` does."""
    return value.size(0) if isinstance(value, torch.Tensor) and value.dim() else len(value)


def broadcast_shapes(*shapes: Any) -> Any:
    """`torch.broadcast_shapes`, by what it stands for: the shape of tensors of these shapes together."""
    return torch.broadcast_tensors(*map(torch.empty, shapes))[0].shape  # type: ignore[no-untyped-call]


def numbers_up_to(*bounds: Any) -> range:
    """`range`, which counts no environments."""
    for bound in bounds:
        if is_counted(bound):
            raise bound.refused("it loops over the environments")
    return range(*bounds)


def whole(value: Any = 0, *base: Any) -> Any:
    """`int`, which leaves a number of environments what it is."""
    return value if is_counted(value) and not base else int(value, *base)
