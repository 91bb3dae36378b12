"""Indexing of tensors while a candidate is recorded, rewritten where it would depend on values.

`x[mask]` becomes a masked value, `x[mask] = y` a `torch.where`, and `x[:, [0, 2]]` a stack of fixed columns.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

import torch

from eureka.reward.trace.constants import is_mask, listed, settled
from eureka.reward.trace.recorder import Recorder

ALL_AT_ONCE = "All environments are computed at once: use torch.where(condition, a, b)."
DECIDES_ON_VALUES = ("it decides in Python on the values of a tensor", ALL_AT_ONCE)
SIZED = (
    "it makes a tensor whose size depends on values",
    "Keep all environments: use torch.where(mask, a, b), or multiply by mask.float().",
)
_REDUCE = frozenset(
    [
        "sum",
        "mean",
        "max",
        "min",
        "any",
        "all",
        "prod",
        "std",
        "var",
        "norm",
        "amax",
        "amin",
        "argmax",
        "argmin",
        "median",
        "logsumexp",
        "nansum",
        "nanmean",
        "count_nonzero",
        "cumsum",
        "cumprod",
        "sort",
        "topk",
        "softmax",
    ]
)
_WHOLE = frozenset(
    [
        "shape",
        "size",
        "numel",
        "nelement",
        "__len__",
        "cat",
        "stack",
        "concat",
        "view",
        "reshape",
        "unbind",
        "item",
        "tolist",
    ]
)


def flat(values: Iterable[Any]) -> Iterable[Any]:
    """The values in nested lists and tuples, one after the other."""
    for value in values:
        if isinstance(value, list | tuple):
            yield from flat(value)
        else:
            yield value


# ---------------------------------------------------------------------------------------------- indexing


def _expanded(index: Any, dims: int) -> list[Any]:
    """The index as a list with the ellipsis written out."""
    items = list(index) if isinstance(index, tuple) else [index]
    used = sum(i.dim() if is_mask(i) else i is not None and i is not Ellipsis for i in items)
    if not any(i is Ellipsis for i in items):
        return items
    at = next(k for k, i in enumerate(items) if i is Ellipsis)
    return [*items[:at], *[slice(None)] * (dims - used), *items[at + 1 :]]


def _split_mask(recorder: Recorder, tensor: torch.Tensor, index: Any) -> tuple[Any, Any] | None:
    """`(view, mask)` for an index whose first element is a boolean mask, None for an index without masks."""
    items = _expanded(index, tensor.dim())
    masks = [i for i in items if is_mask(i)]
    if not masks:
        return None
    if len(masks) > 1 or items[0] is not masks[0]:
        raise recorder.fail(*SIZED)
    rest = tuple(items[1:])
    view = get_item(recorder, tensor, (*[slice(None)] * masks[0].dim(), *rest)) if rest else tensor
    return view, masks[0]


def get_item(recorder: Recorder, tensor: torch.Tensor, index: Any) -> Any:
    """`tensor[index]`, with masks and lists of columns rewritten."""
    index = settled(recorder, index)
    split = _split_mask(recorder, tensor, index)
    if split is not None:
        return Masked(recorder, *split)
    items = _expanded(index, tensor.dim())
    lists = [k for k, i in enumerate(items) if isinstance(i, list | tuple | range | torch.Tensor)]
    if not lists:
        return tensor[index]
    base, dim, columns = _columns(recorder, tensor, items, lists)
    return torch.stack([base.select(dim, column) for column in columns], dim)


def set_item(recorder: Recorder, tensor: torch.Tensor, index: Any, value: Any) -> None:
    """`tensor[index] = value`, with masks and lists of columns rewritten."""
    index = settled(recorder, index)
    split = _split_mask(recorder, tensor, index)
    if split is not None:
        view, mask = split
        wide = mask.reshape(mask.shape + (1,) * (view.dim() - mask.dim()))
        view.copy_(torch.where(wide, _under(recorder, value, mask), view))
        return
    if isinstance(value, Masked):
        raise recorder.fail("it uses x[mask] outside of an assignment under the same mask", ALL_AT_ONCE)
    items = _expanded(index, tensor.dim())
    lists = [k for k, i in enumerate(items) if isinstance(i, list | tuple | range | torch.Tensor)]
    if not lists:
        tensor[index] = value
        return
    base, dim, columns = _columns(recorder, tensor, items, lists)
    for position, column in enumerate(columns):
        target = base.select(dim, column)
        whole = isinstance(value, torch.Tensor) and value.dim() > 0
        shape = [*base.shape[:dim], len(columns), *base.shape[dim + 1 :]]
        target.copy_(value.expand(shape).select(dim, position)) if whole else target.fill_(value)


def _columns(
    recorder: Recorder, tensor: torch.Tensor, items: list[Any], lists: list[int]
) -> tuple[torch.Tensor, int, list[int]]:
    """The view selected by the other indices, the dimension of the list in it, and the list's numbers."""
    position = lists[0]
    columns = _fixed(recorder, items[position])
    if len(lists) > 1 or columns is None:
        raise recorder.fail(
            "it indexes by computed integers",
            "Use fixed slices (x[:, 0], x[:, [0, 2]]), torch.where, or a one-hot mask and a sum.",
        )
    others = tuple(slice(None) if k == position else i for k, i in enumerate(items))
    dim = sum(not isinstance(i, int) for i in others[:position])
    return tensor[others], dim, columns


def _fixed(recorder: Recorder, index: Any) -> list[int] | None:
    if isinstance(index, torch.Tensor):
        values = recorder.values(index)
        if values is None or values.dim() != 1:
            return None
        index = listed(values)
    columns = list(index)
    if all(isinstance(c, bool) for c in columns):
        columns = [column for column, chosen in enumerate(columns) if chosen]
    return [int(c) for c in columns] if columns and all(type(c) is int for c in columns) else None


def index_select(recorder: Recorder, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`torch.index_select`, with fixed columns as a stack."""
    given = dict(zip(("input", "dim", "index"), args, strict=False)) | kwargs
    columns = _fixed(recorder, given["index"])
    if columns is None:
        return func(*args, **kwargs)
    return torch.stack([given["input"].select(given["dim"], c) for c in columns], given["dim"])


# ---------------------------------------------------------------------------------------------- masks


class Masked:
    """`x[mask]` while tracing: all of `x`, to be used only with the same mask."""

    def __init__(self, recorder: Recorder, full: torch.Tensor, mask: torch.Tensor) -> None:
        self.recorder, self.full, self.mask = recorder, full, mask

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        first = next(a for a in flat([*args, *(kwargs or {}).values()]) if isinstance(a, Masked))
        return masked_call(first.recorder, func, args, kwargs or {})

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(torch.Tensor, name, None)
        if name in _WHOLE or attribute is None:
            raise self.recorder.fail(*SIZED)
        if not callable(attribute):
            return getattr(self.full, name)
        return lambda *args, **kwargs: masked_call(self.recorder, attribute, (self, *args), kwargs)

    def __getitem__(self, index: Any) -> Masked:
        items = list(index) if isinstance(index, tuple) else [index]
        if items[0] is not Ellipsis and items[0] != slice(None):
            raise self.recorder.fail(*SIZED)
        return Masked(self.recorder, self.full[index], self.mask)

    def __len__(self) -> int:
        raise self.recorder.fail(*SIZED)

    def __bool__(self) -> bool:
        raise self.recorder.fail(*DECIDES_ON_VALUES)


def masked_call(recorder: Recorder, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Masked:
    """A call with masked values: computed for all environments, and selected by the mask on assignment."""
    values = [a for a in flat([*args, *kwargs.values()]) if isinstance(a, Masked)]
    mask = values[0].mask
    if any(recorder.ref(v.mask) != recorder.ref(mask) for v in values):
        raise recorder.fail("it combines values under different masks", ALL_AT_ONCE)
    name = getattr(func, "__name__", "")
    if name in _WHOLE or (name in _REDUCE and not _inner(values[0], args, kwargs)):
        raise recorder.fail(*SIZED)

    def open_up(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return type(value)(open_up(element) for element in value)
        return value.full if isinstance(value, Masked) else value

    return Masked(recorder, func(*map(open_up, args), **{k: open_up(v) for k, v in kwargs.items()}), mask)


def _inner(value: Masked, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a reduction does not reduce the batch dimension."""
    dims = kwargs.get("dim", kwargs.get("axis", args[-1] if len(args) > 1 else None))
    dims = [dims] if isinstance(dims, int) else dims
    if not isinstance(dims, list | tuple):
        return False
    return all(isinstance(d, int) and d % value.full.dim() >= value.mask.dim() for d in dims)


def _under(recorder: Recorder, value: Any, mask: torch.Tensor) -> Any:
    if not isinstance(value, Masked):
        return value
    if recorder.ref(value.mask) != recorder.ref(mask):
        raise recorder.fail("it assigns values under one mask from another", ALL_AT_ONCE)
    return value.full


def _operator(function: Callable[..., Any]) -> Callable[..., Masked]:
    def method(self: Masked, *others: Any) -> Masked:
        return masked_call(self.recorder, function, (self, *others), {})

    return method


def _reflected(function: Callable[..., Any]) -> Callable[..., Masked]:
    def method(self: Masked, other: Any) -> Masked:
        return masked_call(self.recorder, function, (other, self), {})

    return method


for _name in ("add", "sub", "mul", "truediv", "pow", "mod", "floordiv", "and_", "or_", "xor"):
    _function = getattr(operator, _name)
    _dunder = _name.strip("_")
    setattr(Masked, f"__{_dunder}__", _operator(_function))
    setattr(Masked, f"__i{_dunder}__", _operator(_function))
    setattr(Masked, f"__r{_dunder}__", _reflected(_function))
for _name in ("neg", "abs", "invert", "gt", "ge", "lt", "le", "eq", "ne"):
    setattr(Masked, f"__{_name}__", _operator(getattr(operator, _name)))
