"""The child side: the only code that runs a candidate's source. For use inside the sandbox only.

`trace` is the sandbox's target, `warm_up` its preload. The request carries the source, the names of the inputs and
two recorded batches of the State of different sizes; the answer is a graph with the eager outputs on both batches, or
a failure with its line. The function is run eagerly (native errors first), twice on one batch (randomness, counters),
on the other batch (other numbers of environments), and is then recorded twice (`recorder`, `watch`) and lowered to
one graph (`lower`).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import torch

from eureka.reward.canonical import format_graph
from eureka.reward.explain import TraceFailure, explain
from eureka.reward.lower import Recording, lower
from eureka.reward.recorder import Recorder
from eureka.reward.runtime import MAX_COMPONENTS, MAX_NAME
from eureka.reward.source import Hooks, load
from eureka.reward.watch import Watch
from eureka.reward.wire import pack, request, unpack

State = Mapping[str, torch.Tensor]
Outputs = tuple[torch.Tensor, dict[str, torch.Tensor]]

#: Numbers of environments of the two recordings; primes, so that no product of other sizes looks like them.
TRACED = (53, 61)
_FORM = "Return (total, components): a tensor of shape (num_envs,) and a dictionary of named tensors of that shape."


def trace(payload: bytes) -> bytes:
    """Traces the candidate in `payload` (see `wire.request`); the answer is for `eureka.reward.service`."""
    parcel = unpack(payload)
    source, inputs = str(parcel.body["source"]), tuple(parcel.body["inputs"])
    batches = [{name: parcel.tensors[f"{which}/{name}"] for name in inputs} for which in ("first", "second")]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph, outputs = _Tracer(source, inputs).run(batches)
    # A candidate's code may raise anything at all, and what it raises is the answer.
    except (Exception, TraceFailure, SystemExit) as error:  # noqa: BLE001
        failure = explain(error)
        return pack({"ok": False, "message": failure.message, "remedy": failure.remedy, "line": failure.line}, {})
    tensors = {}
    for which, (total, components) in zip(("first", "second"), outputs, strict=True):
        tensors[f"{which}/total"] = total
        tensors |= {f"{which}/{number}": value for number, value in enumerate(components.values())}
    return pack({"ok": True, "graph": graph}, tensors)


_ONE_EACH = "Sum or index the other dimensions away: x.squeeze(-1), x[:, 0], x.sum(dim=-1)."


class _Tracer:
    def __init__(self, source: str, inputs: tuple[str, ...]) -> None:
        self._inputs = inputs
        self._recorder: Recorder | None = None
        self._loaded = load(source, Hooks(self._bind, lambda: self._recorder is not None))

    def run(self, batches: list[dict[str, torch.Tensor]]) -> tuple[str, list[Outputs]]:
        with torch.no_grad():
            first = self._eager(batches[0])
            again = self._eager(batches[0])
            unequal = not _equal(first, again)
            second = first if unequal else self._eager_elsewhere(batches)
            small = [{name: value[:size] for name, value in batches[0].items()} for size in TRACED]
            if unequal:
                small[1] = small[0]
            recordings = [self._record(state) for state in small]
            graph = lower(self._inputs, *recordings)
            names = [component.name for component in graph.components]
            if not list(first[1]) == list(second[1]) == names:
                raise TraceFailure(
                    "the names of the components depend on values", "Use fixed names.", self._loaded.return_line
                )
            if unequal or not _equal(first, self._eager(batches[0])):
                raise TraceFailure(
                    "it gives different results for the same state",
                    "A reward must be the same for the same state: no random numbers, counters or memory.",
                )
        return format_graph(graph), [first, second]

    def _eager_elsewhere(self, batches: list[dict[str, torch.Tensor]]) -> Outputs:
        try:
            return self._eager(batches[1])
        # As in `trace`: the candidate's code may raise anything.
        except (Exception, TraceFailure) as error:
            failure = explain(error)
            sizes = [next(iter(batch.values())).shape[0] for batch in batches]
            message = f"it works with {sizes[0]} environments and fails with {sizes[1]}: {failure.message}"
            raise TraceFailure(message, failure.remedy, failure.line) from error

    def _eager(self, state: State) -> Outputs:
        return self._call({name: value.clone() for name, value in state.items()})

    def _call(self, state: State) -> Outputs:
        result = self._loaded.function(**state)
        num_envs = next(iter(state.values())).shape[0]
        try:
            return _checked(result, num_envs)
        except TraceFailure as failure:
            failure.line = failure.line or self._loaded.return_line
            raise

    def _record(self, state: State) -> Recording:
        values = tuple(state.values())
        recorder = self._recorder = Recorder(dict(state))
        found: list[tuple[Any, dict[str, Any]]] = []

        def watched(*wrapped: torch.Tensor) -> torch.Tensor:
            with Watch(recorder):
                clones = {name: value.clone() for name, value in zip(state, wrapped, strict=True)}
                total, components = self._call(clones)
            found.append((recorder.ref(total), {name: recorder.ref(value) for name, value in components.items()}))
            return total

        try:
            with recorder:
                torch.func.functionalize(watched, remove="mutations")(*values)
        except TraceFailure as failure:
            raise recorder.failure or failure from failure
        except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise recorder.failure or explain(error) from error
        finally:
            self._recorder = None
        if recorder.failure:
            raise recorder.failure
        total, components = found[0]
        return Recording(recorder.entries, values[0].shape[0], total, components)

    def _bind(self, name: str, value: Any) -> None:
        if self._recorder is not None and isinstance(value, torch.Tensor):
            self._recorder.bind(name, value)


def _checked(result: Any, num_envs: int) -> Outputs:
    """What the candidate returned, in its final form; raises `TraceFailure` where it is no reward."""
    if not isinstance(result, tuple) or len(result) != 2:
        raise TraceFailure(f"it returns {_describe(result, num_envs)} instead of a pair", _FORM)
    total, parts = result
    if not isinstance(parts, Mapping) or not parts:
        what = "an empty dictionary" if isinstance(parts, Mapping) else _describe(parts, num_envs)
        raise TraceFailure(f"it returns {what} for the components", _FORM)
    if len(parts) > MAX_COMPONENTS:
        raise TraceFailure(f"it returns {len(parts)} components", f"Return at most {MAX_COMPONENTS}.")
    if not isinstance(total, torch.Tensor) or total.shape != (num_envs,):
        raise TraceFailure(
            f"the total reward is {_describe(total, num_envs)}; it must be a tensor of shape (num_envs,)",
            _ONE_EACH if isinstance(total, torch.Tensor) and total.dim() > 1 else _FORM,
        )
    if not total.is_floating_point():
        raise TraceFailure(f"the total reward has the type {_dtype(total)}", "Make it floating point: total.float().")
    components = {name: _component(name, value, total) for name, value in parts.items()}
    return total.float(), components


def _component(name: Any, value: Any, total: torch.Tensor) -> torch.Tensor:
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise TraceFailure(
            f"a component is named {name!r:.80}", f"Use printable text of at most {MAX_NAME} characters."
        )
    if isinstance(value, bool | int | float):
        return torch.full(total.shape, value, dtype=torch.float32, device=total.device)
    shape = total.shape[0]
    if not isinstance(value, torch.Tensor) or value.shape not in ((shape,), ()):
        raise TraceFailure(
            f"the component {name!r} is {_describe(value, shape)}; it must be a tensor of shape (num_envs,)",
            _ONE_EACH if isinstance(value, torch.Tensor) else _FORM,
        )
    if value.is_complex():
        raise TraceFailure(f"the component {name!r} has the type {_dtype(value)}", "Use real numbers.")
    return value.float().expand(shape)


def _describe(value: Any, num_envs: int) -> str:
    if isinstance(value, torch.Tensor) and value.dim() == 0:
        return "one number for all environments"
    if isinstance(value, torch.Tensor):
        sizes = ["num_envs" if size == num_envs else str(size) for size in value.shape]
        return f"a tensor of shape ({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    return "None" if value is None else f"a value of type {type(value).__name__}"


def _dtype(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _equal(a: Outputs, b: Outputs) -> bool:
    if list(a[1]) != list(b[1]):
        return False
    pairs = zip([a[0], *a[1].values()], [b[0], *b[1].values()], strict=True)
    return all(torch.allclose(x, y, rtol=0.0, atol=0.0, equal_nan=True) for x, y in pairs)


_WARM_UP = """
import math
import typing
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SCALE = 0.5
COLUMNS = torch.tensor([0, 2])

@torch.jit.script
def helper(x: Tensor) -> Tensor:
    return F.cosine_similarity(x, x.roll(1, -1), dim=-1)

def compute_reward(position: Tensor, reached: Tensor, step: Tensor):
    distance = torch.norm(position, dim=-1) + torch.linalg.norm(position, axis=1) * np.exp(-0.5)
    reward = -SCALE * distance + math.pi
    reward[reached] += 10.0
    reward = reward + torch.einsum("ij,ij->i", position, position) + position[:, [0, 2]].std(-1)
    reward += torch.where(step > 5, 1.0, 0.0) + F.smooth_l1_loss(position, position * 2, reduction="none").sum(-1)
    reward += position[:, COLUMNS].max(dim=-1).values + torch.cross(position, position, dim=-1).sum(-1)
    return reward + helper(position), {"distance": distance, "scale": SCALE}
"""


def warm_up() -> None:
    """Imports and runs what a trace needs, so that a child forked afterwards needs no files."""
    states = [{"position": torch.ones(n, 3), "reached": torch.ones(n) > 0, "step": torch.arange(n)} for n in (70, 80)]
    inputs = ("position", "reached", "step")
    for source in (_WARM_UP, _WARM_UP.replace("SCALE = 0.5", "SCALE = position"), "def compute_reward(", "x = 1"):
        trace(request(source, inputs, *states))
