"""One run of a reward function under the recorder, and the form that its results must have.

It serves candidates (`trace`, inside the sandbox) and the task's own, trusted functions (`trusted`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch.distributions import Distribution

from eureka.reward.graph.format import MAX_COMPONENTS, MAX_NAME
from eureka.reward.trace.explain import TraceFailure, explain
from eureka.reward.trace.lower import TraceRecording
from eureka.reward.trace.recorder import Recorder
from eureka.reward.trace.watch import Watch

State = Mapping[str, torch.Tensor]
Outputs = tuple[torch.Tensor, dict[str, torch.Tensor]]

# : Numbers of environments for recordings: primes, so that no product of other sizes equals them.
_PRIMES = (53, 61, 59, 67, 71, 73)
MIN_ROWS = max(_PRIMES)
_FORM = "Return (total, components): a tensor of shape (num_envs,) and a dictionary of named tensors of that shape."
_ONE_EACH = "Sum or index the other dimensions away: x.squeeze(-1), x[:, 0], x.sum(dim=-1)."


def small_batches(state: State) -> list[dict[str, torch.Tensor]]:
    """The state of two numbers of environments to record with, which divide no size of a field.

    Args:
        state: fields by name, `MIN_ROWS` rows each or more.
    """
    sizes = {size for value in state.values() for size in value.shape[1:]}
    fitting = [prime for prime in _PRIMES if not any(size % prime == 0 for size in sizes if size)]
    return [{name: value[:rows] for name, value in state.items()} for rows in (*fitting, *_PRIMES)[:2]]


def record(recorder: Recorder, call: Callable[[State], Outputs], state: State) -> TraceRecording:
    """Record the operations of `call` on the tensors of `state`, which `recorder` was made with.

    Raises:
        TraceFailure: the function raises, or does something that a graph cannot represent.
    """
    values = tuple(state.values())
    found: list[tuple[Any, dict[str, Any]]] = []

    def watched(*wrapped: torch.Tensor) -> torch.Tensor:
        with Watch(recorder):
            clones = {name: value.clone() for name, value in zip(state, wrapped, strict=True)}
            total, components = call(clones)
        found.append((recorder.ref(total), {name: recorder.ref(value) for name, value in components.items()}))
        return total

    try:
        with recorder, _unchecked_distributions():
            torch.func.functionalize(watched, remove="mutations")(*values)
    except TraceFailure as failure:
        raise recorder.failure or failure from failure
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise recorder.failure or explain(error) from error
    if recorder.failure:
        raise recorder.failure
    if recorder.counts and recorder.caught is not None:
        raise TraceFailure(
            "it goes on after an error of torch, which may come from the number of environments",
            "Do without `try`: write what works for any number of environments.",
            recorder.caught or None,
        )
    total, components = found[0]
    return TraceRecording(recorder.entries, recorder.num_envs, total, components, recorder.sizes)


@contextmanager
def _unchecked_distributions() -> Iterator[None]:
    """Disable the argument checks of `torch.distributions`, which passed in the eager runs."""
    checks = Distribution._validate_args
    Distribution.set_default_validate_args(False)
    try:
        yield
    finally:
        Distribution.set_default_validate_args(checks)


def checked(result: Any, num_envs: int) -> Outputs:
    """The checked return value of a reward function in its final form; raises `TraceFailure` if it is not a reward."""
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
