"""Constant tensors of a candidate's code, whose values may be read in Python: numbers, and columns to index by."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import _disable_current_modes

from eureka.reward.trace.recorder import Recorder


def constant_number(recorder: Recorder, name: str, args: tuple[Any, ...]) -> Any:
    """The result of `x.item()`, `float(x)`, `x.tolist()` and similar calls if `x` is a constant; None if it is not."""
    values = recorder.values(args[0]) if args and isinstance(args[0], torch.Tensor) and name in _NUMBERS else None
    if values is None or (name != "tolist" and values.numel() != 1):
        return None
    found = listed(values)
    return found if name == "tolist" else _NUMBERS[name](_first(found))


def listed(values: torch.Tensor) -> Any:
    """The values as Python numbers."""
    # This call is ours, not the candidate's, so it is not recorded.
    with _disable_current_modes():
        return values.tolist()


def _first(value: Any) -> Any:
    while isinstance(value, list):
        value = value[0]
    return value


_NUMBERS: dict[str, Callable[[Any], Any]] = {
    "item": lambda number: number,
    "tolist": list,
    "__float__": float,
    "__int__": int,
    "__bool__": bool,
    "__index__": operator.index,
}


def is_mask(index: Any) -> bool:
    """Whether an index is a tensor of booleans."""
    return isinstance(index, torch.Tensor) and index.dtype == torch.bool


def settled(recorder: Recorder, index: Any) -> Any:
    """The index with its constant tensors replaced by numbers: single ones, and masks over columns."""
    items = list(index) if isinstance(index, tuple) else [index]
    for position, item in enumerate(items):
        if isinstance(item, list):
            items[position] = [_single(recorder, element) for element in item]
        elif is_mask(item) and position and item.dim() == 1 and (values := recorder.values(item)) is not None:
            items[position] = [k for k, chosen in enumerate(listed(values)) if chosen]
        else:
            items[position] = _single(recorder, item)
    return tuple(items) if isinstance(index, tuple) else items[0]


def _single(recorder: Recorder, item: Any) -> Any:
    if not isinstance(item, torch.Tensor) or item.dim() or item.dtype == torch.bool or item.is_floating_point():
        return item
    values = recorder.values(item)
    return item if values is None else listed(values)
