"""Watches the candidate's calls of torch while they are recorded.

Tells the recorder the line and the named constants of each call, refuses what leaves the world of tensors, and
rewrites indexing that would depend on values: `x[mask]` becomes a masked value, `x[mask] = y` a `torch.where`, and
`x[:, [0, 2]]` a stack of fixed columns.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from eureka.reward.trace.constants import constant_number, is_mask, listed, settled
from eureka.reward.trace.explain import FILENAME
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

_WHERE = "All environments are computed at once: use torch.where(condition, a, b)."
_STAY = "Stay in tensors: reduce over dim=-1, and use torch.where for choices."
_LEAVES: dict[str, tuple[str, str]] = {
    "__bool__": ("it decides in Python on the values of a tensor", _WHERE),
    "__contains__": ("it decides in Python on the values of a tensor", _WHERE),
    "item": ("it reads a number out of a tensor", _STAY),
    "tolist": ("it reads numbers out of a tensor", _STAY),
    "__float__": ("it reads a number out of a tensor", _STAY),
    "__int__": ("it reads a number out of a tensor", "Use x.long() or torch.floor(x), and stay in tensors."),
    "__index__": ("it uses a tensor's value as a Python index", _WHERE),
    "numpy": ("it takes a tensor to numpy", "Use the torch function of the same name."),
    "__array__": ("it takes a tensor to numpy", "Use the torch function of the same name."),
    "equal": ("it compares tensors as a whole", _WHERE),
    "allclose": ("it compares tensors as a whole", _WHERE),
    "backward": ("it takes gradients", "A reward is computed without gradients."),
}
# : Functions that convert a tensor to text or bytes.
_TEXTS = frozenset({"__repr__", "__str__", "__format__", "__reduce_ex__", "storage", "untyped_storage", "data_ptr"})
#: What gives one part of a tensor after the other.
_PARTING = frozenset({"__iter__", "unbind", "split", "chunk", "tensor_split", "vsplit", "unsafe_split", "unsafe_chunk"})
_LAYOUT = frozenset({"stride", "storage_offset", "element_size"})
_LAYOUT_OF = (torch.Tensor.nbytes.__get__, torch.Tensor.itemsize.__get__)  # type: ignore[attr-defined]
_SIZES = frozenset({"size", "numel", "nelement", "__len__"})
_SHAPE = torch.Tensor.shape.__get__  # type: ignore[attr-defined]
#: What a call of torch may give: tensors, and what is known of them without their values and sizes.
_SEEN = (torch.Tensor, bool, int, torch.dtype, torch.device, torch.layout, torch.memory_format)
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
            raise self.recorder.fail("it takes the environments apart", _WHERE)
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
        if any(isinstance(a, Masked) for a in _flat([*args, *kwargs.values()])):
            return masked_call(self.recorder, func, args, kwargs)
        if name == "index_select":
            return _index_select(self.recorder, func, args, kwargs)
        if name in ("masked_select", "nonzero", "argwhere") or (name == "where" and len(args) + len(kwargs) == 1):
            raise self.recorder.fail(*SIZED)
        found = func(*args, **kwargs)
        if not all(value is None or isinstance(value, _SEEN) for value in _flat([found])):
            raise self.recorder.fail(*_LEAVES["numpy"])
        return found

    def _enter(self, values: list[Any]) -> None:
        frame = sys._getframe(2)
        while frame is not None and frame.f_code.co_filename != FILENAME:
            frame = frame.f_back  # type: ignore[assignment]
        if frame is not None:
            self.recorder.line = frame.f_lineno
        named: dict[tuple[type, float], NamedFloat | NamedInt | None] = {}
        for value in _flat(values):
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


def _flat(values: Iterable[Any]) -> Iterable[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _flat(value)
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
        raise recorder.fail("it uses x[mask] outside of an assignment under the same mask", _WHERE)
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


def _index_select(recorder: Recorder, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
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
        first = next(a for a in _flat([*args, *(kwargs or {}).values()]) if isinstance(a, Masked))
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
        raise self.recorder.fail(*_LEAVES["__bool__"])


def masked_call(recorder: Recorder, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Masked:
    """A call with masked values: computed for all environments, and selected by the mask on assignment."""
    values = [a for a in _flat([*args, *kwargs.values()]) if isinstance(a, Masked)]
    mask = values[0].mask
    if any(recorder.ref(v.mask) != recorder.ref(mask) for v in values):
        raise recorder.fail("it combines values under different masks", _WHERE)
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
        raise recorder.fail("it assigns values under one mask from another", _WHERE)
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
