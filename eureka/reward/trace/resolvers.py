"""Resolves operations whose value is already recorded, or is recorded as another: copies, fills, reads of written
slices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from eureka.reward.graph.format import DType, InputRef, NodeRef, Ref
from eureka.reward.graph.operations import OPS

if TYPE_CHECKING:
    from eureka.reward.trace.recorder import Recorder

_LAST = 2**31


def dtype_of(tensor: torch.Tensor) -> DType:
    """The tensor's type as the graph has it."""
    return DType(str(tensor.dtype).removeprefix("torch."))


def is_last(value: object) -> bool:
    """Whether a slice's end means `to the end`."""
    return type(value) is int and value >= _LAST


# : Returns an operation's value from earlier recordings, or None to have it recorded.
Resolver = Callable[["Recorder", dict[str, Any], torch.Tensor], Ref | None]


def _copied(recorder: Recorder, given: dict[str, Any], result: torch.Tensor) -> Ref:
    """`copy(self, src)` is `src` in the type and shape of `self`."""
    source = given["src"]
    ref = recorder.encode(source)
    if source.dtype != result.dtype:
        ref = NodeRef(recorder.entry("_to_copy", (ref,), (("dtype", dtype_of(result)),)))
    if source.shape != result.shape:
        ref = NodeRef(recorder.entry("expand", (ref, tuple(result.shape))))
    return ref


def _filled(recorder: Recorder, given: dict[str, Any], result: torch.Tensor) -> Ref:
    """`fill(self, value)` is a constant tensor, or a broadcast of a computed value."""
    value = given["value"]
    if isinstance(value, torch.Tensor):
        ref = recorder.encode(value)
        entry = recorder.entries[ref.index] if isinstance(ref, NodeRef) else None
        if entry is None or entry.op != "scalar_tensor":
            return _copied(recorder, {"src": value}, result)
        number = entry.args[0]
    else:
        number = recorder.literal(value)
    return NodeRef(recorder.entry("full", (tuple(result.shape), number), (("dtype", dtype_of(result)),)))


def _new_filled(recorder: Recorder, given: dict[str, Any], result: torch.Tensor) -> Ref:
    return _filled(recorder, {"value": given.get("fill_value", 1.0 if result.is_floating_point() else 1)}, result)


def _squeezed(recorder: Recorder, given: dict[str, Any], _: torch.Tensor) -> Ref:
    """`x.squeeze()` takes away the sizes that are 1 in every run: with one environment it must keep the first."""
    tensor = given["self"]
    dims = tuple(dim for dim, size in enumerate(tensor.shape) if size == 1)
    return NodeRef(recorder.entry("squeeze.dims", (recorder.encode(tensor), dims)))


def _norm(recorder: Recorder, given: dict[str, Any], _: torch.Tensor) -> Ref:
    """The older `norm` over dimensions is `linalg_vector_norm`."""
    order = recorder.literal(2 if given.get("p") is None else given["p"])
    arguments = (recorder.encode(given["self"]), order, tuple(given["dim"]), given.get("keepdim", False))
    return NodeRef(recorder.entry("linalg_vector_norm", arguments))


_WRITES = {"select_scatter": ("dim", "index"), "slice_scatter": ("dim", "start", "end", "step")}


def _written(recorder: Recorder, given: dict[str, Any], write: str) -> Ref | None:
    """The value last written to exactly the place of `given["self"]` that `given` names, None if there was no write."""
    ref = recorder.encode(given["self"])
    entry = recorder.entries[ref.index] if isinstance(ref, NodeRef) and ref.item is None else None
    if entry is None or entry.op != write:
        return None
    there = OPS[write].named(entry.args, entry.kwargs)
    defaults = {"dim": 0, "start": None, "end": None, "step": 1}
    for key in _WRITES[write]:
        here = given.get(key, defaults.get(key))
        if there.get(key, defaults.get(key)) != (None if key == "end" and is_last(here) else here):
            return None
    source = there["src"]
    assert isinstance(source, NodeRef | InputRef)
    return source


def _reread(write: str) -> Resolver:
    """Read the slice that was just written, as functionalize does after every write."""
    return lambda recorder, given, _: _written(recorder, given, write)


def _rewritten(write: str) -> Resolver:
    """Write a value that is already there, as in `x[:, 0] += y`."""

    def resolve(recorder: Recorder, given: dict[str, Any], _: torch.Tensor) -> Ref | None:
        same = _written(recorder, given, write) == recorder.encode(given["src"])
        return recorder.encode(given["self"]) if same else None

    return resolve


RESOLVERS: dict[str, Resolver] = {
    "copy": _copied,
    "fill.Scalar": _filled,
    "fill.Tensor": _filled,
    "norm.ScalarOpt_dim": _norm,
    "squeeze": _squeezed,
    "full_like": _new_filled,
    "ones_like": _new_filled,
    "new_full": _new_filled,
    "new_ones": _new_filled,
    "select.int": _reread("select_scatter"),
    "slice.Tensor": _reread("slice_scatter"),
    "select_scatter": _rewritten("select_scatter"),
    "slice_scatter": _rewritten("slice_scatter"),
}
