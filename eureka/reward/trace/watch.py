"""Watches the candidate's calls of torch while they are recorded.

Tells the recorder the line and the named constants of each call, refuses what leaves the world of tensors, and has
indexing rewritten that would depend on values (`indexing`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from eureka.reward.trace.constants import constant_number
from eureka.reward.trace.explain import FILENAME
from eureka.reward.trace.indexing import (
    ALL_AT_ONCE,
    DECIDES_ON_VALUES,
    SIZED,
    Masked,
    flat,
    get_item,
    index_select,
    masked_call,
    set_item,
)
from eureka.reward.trace.recorder import Recorder
from eureka.reward.trace.sizes import (
    COMPUTES,
    TAKE_SIZES,
    as_sizes,
    holds_counted,
    is_counted,
    is_library,
    is_whole,
    marked,
)
from eureka.reward.trace.source import NamedFloat, NamedInt

_STAY = "Stay in tensors: reduce over dim=-1, and use torch.where for choices."
_LEAVES: dict[str, tuple[str, str]] = {
    "__bool__": DECIDES_ON_VALUES,
    "__contains__": DECIDES_ON_VALUES,
    "item": ("it reads a number out of a tensor", _STAY),
    "tolist": ("it reads numbers out of a tensor", _STAY),
    "__float__": ("it reads a number out of a tensor", _STAY),
    "__int__": ("it reads a number out of a tensor", "Use x.long() or torch.floor(x), and stay in tensors."),
    "__index__": ("it uses a tensor's value as a Python index", ALL_AT_ONCE),
    "numpy": ("it takes a tensor to numpy", "Use the torch function of the same name."),
    "__array__": ("it takes a tensor to numpy", "Use the torch function of the same name."),
    "equal": ("it compares tensors as a whole", ALL_AT_ONCE),
    "allclose": ("it compares tensors as a whole", ALL_AT_ONCE),
    "backward": ("it takes gradients", "A reward is computed without gradients."),
}
#: Functions that convert a tensor to text or bytes.
_TEXTS = frozenset({"__repr__", "__str__", "__format__", "__reduce_ex__", "storage", "untyped_storage", "data_ptr"})
#: What gives one part of a tensor after the other.
_PARTING = frozenset({"__iter__", "unbind", "split", "chunk", "tensor_split", "vsplit", "unsafe_split", "unsafe_chunk"})
_LAYOUT = frozenset({"stride", "storage_offset", "element_size"})
_LAYOUT_OF = (torch.Tensor.nbytes.__get__, torch.Tensor.itemsize.__get__)  # type: ignore[attr-defined]
_SIZES = frozenset({"size", "numel", "nelement", "__len__"})
_SHAPE = torch.Tensor.shape.__get__  # type: ignore[attr-defined]
#: What a call of torch may give: tensors, and what is known of them without their values and sizes.
_SEEN = (torch.Tensor, bool, int, torch.dtype, torch.device, torch.layout, torch.memory_format)


class Watch(TorchFunctionMode):
    """Intercepts every call of torch by the candidate's code."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        self._enter([*args, *kwargs.values()])
        try:
            return self._called(func, getattr(func, "__name__", ""), args, kwargs)
        except Exception:
            # Sizes that do not fit, a place that is not there: whoever catches it decides on them.
            self.recorder.caught = self.recorder.caught or self.recorder.line or 0
            raise

    def _called(self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if name in _TEXTS:
            raise self.recorder.fail(
                "it reads a tensor's values as text",
                "Remove this line: a reward is recorded once, as tensor operations.",
            )
        num_envs = self.recorder.num_envs
        counted = self.recorder.counts and any(map(holds_counted, (*args, *kwargs.values())))
        if counted:
            is_item = name in ("__getitem__", "__setitem__")
            if name not in TAKE_SIZES or (is_item and not is_whole(args[1], args[0], num_envs)):
                raise self.recorder.fail(*COMPUTES)
            args = tuple(as_sizes(value, num_envs) for value in args)
            kwargs = {key: as_sizes(value, num_envs) for key, value in kwargs.items()}
        if name in _PARTING and parts_environments(name, args, kwargs, num_envs):
            raise self.recorder.fail("it takes the environments apart", ALL_AT_ONCE)
        asks = self.recorder.counts and not is_library(sys._getframe(4 if name == "__len__" else 2).f_code)
        if asks and (name in _LAYOUT or func in _LAYOUT_OF):
            raise self.recorder.fail(
                "it reads how a tensor lies in memory", "A reward depends on the values of one environment alone."
            )
        if name in _SIZES or func == _SHAPE:
            size = func(*args, **kwargs)
            if not asks:
                return size
            self.recorder.read_size(args[0] if args else kwargs["input"], size)
            return marked(size, num_envs, self.recorder.fail)
        if name == "requires_grad_":
            return args[0]
        if name in _LEAVES:
            number = constant_number(self.recorder, name, args)
            if number is None:
                raise self.recorder.fail(*_LEAVES[name])
            return number
        if name == "__getitem__":
            return get_item(self.recorder, args[0], args[1])
        if name == "__setitem__":
            return set_item(self.recorder, args[0], args[1], args[2])
        if any(isinstance(a, Masked) for a in flat([*args, *kwargs.values()])):
            return masked_call(self.recorder, func, args, kwargs)
        if name == "index_select":
            return index_select(self.recorder, func, args, kwargs)
        if name in ("masked_select", "nonzero", "argwhere") or (name == "where" and len(args) + len(kwargs) == 1):
            raise self.recorder.fail(*SIZED)
        found = func(*args, **kwargs)
        if not all(value is None or isinstance(value, _SEEN) for value in flat([found])):
            raise self.recorder.fail(*_LEAVES["numpy"])
        return found

    def _enter(self, values: list[Any]) -> None:
        frame = sys._getframe(2)
        while frame is not None and frame.f_code.co_filename != FILENAME:
            frame = frame.f_back  # type: ignore[assignment]
        if frame is not None:
            self.recorder.line = frame.f_lineno
        named: dict[tuple[type, float], NamedFloat | NamedInt | None] = {}
        for value in flat(values):
            if isinstance(value, bool) or not isinstance(value, int | float) or is_counted(value):
                continue
            source = value if isinstance(value, NamedFloat | NamedInt) else None
            key = (float, float(value)) if isinstance(value, float) else (int, int(value))
            before = named.setdefault(key, source)
            # Two names for one value in one call, or a name and a bare number, are ambiguous.
            same = before is not None and source is not None and before.name == source.name
            named[key] = source if same else before if before is source else None
        self.recorder.named = named


def parts_environments(name: str, args: Sequence[Any], kwargs: Mapping[str, Any], num_envs: int) -> bool:
    """Whether a call gives as many values as there are environments, or groups of them."""
    tensor = args[0] if args else kwargs.get("input")
    if not isinstance(tensor, torch.Tensor) or not tensor.dim():
        return False
    place = 1 if name in ("__iter__", "unbind", "vsplit") else 2
    dim = kwargs.get("dim", args[place] if len(args) > place else 0)
    dim = 0 if name in ("__iter__", "vsplit") else dim
    return isinstance(dim, int) and -tensor.dim() <= dim < tensor.dim() and tensor.shape[dim] == num_envs
