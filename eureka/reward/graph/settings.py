"""One reward with many settings of its named constants at once: what a constant does, without a loop or a new trace."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from eureka.reward.graph.runtime import (
    OPS,
    Argument,
    ConstantRef,
    Graph,
    GraphError,
    Node,
    RewardFunction,
    references,
    resolve,
    set_constants,
)

MAX_ROWS = 1 << 14
"""Settings times environments that are computed at a time."""


def evaluate_settings(
    reward: RewardFunction, state: Mapping[str, torch.Tensor], settings: Mapping[str, Sequence[float]]
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The total and the components, each (num_settings, num_envs), under settings of the named constants.

    All settings go through the operations together (`torch.vmap`), save where a constant is an argument that must be a
    plain number (the order of a norm): then one after the other.

    Args:
        state: State fields, (num_envs, ...) each.
        settings: for each constant that is set, its value in each setting.

    Raises:
        GraphError: a constant of that name is not there, a value is not finite, or the numbers of values differ.
    """
    counts = {len(values) for values in settings.values()}
    if len(counts) != 1:
        raise GraphError(f"settings: expected as many values for every constant, not {sorted(counts)}")
    rows = [dict(zip(settings, row, strict=True)) for row in zip(*settings.values(), strict=True)]
    for row in rows:
        set_constants(reward.graph, row)
    if not _are_tensors(reward.graph, settings):
        results = [reward.with_constants(**row)(state) for row in rows]
        components = {name: torch.stack([parts[name] for _, parts in results]) for name in reward.components}
        return torch.stack([total for total, _ in results]), components
    names = tuple(settings)
    run = _Batched(reward.graph, names, state)
    # As torch takes plain numbers: whole ones as int64, others as float32.
    values = [torch.tensor(list(settings[name]), device=run.device) for name in names]
    with torch.no_grad():
        chunk = max(MAX_ROWS // max(run.num_envs, 1), 1)
        outputs = torch.vmap(run, chunk_size=chunk)(*values)
    return outputs[0], dict(zip(reward.components, outputs[1:], strict=True))


# ---------------------------------------------------------------------------------------------- numbers as tensors

Form = Callable[..., torch.Tensor]


def _filled(size: Sequence[int], value: torch.Tensor, dtype: torch.dtype | None = None) -> torch.Tensor:
    return value.to(dtype or torch.get_default_dtype()).expand(size)


def _clamp(x: torch.Tensor, low: Any, high: Any) -> torch.Tensor:
    x = x if low is None else torch.maximum(x, torch.as_tensor(low).to(x))
    return x if high is None else torch.minimum(x, torch.as_tensor(high).to(x))


def _elu(self: torch.Tensor, alpha: Any = 1.0, scale: Any = 1.0, input_scale: Any = 1.0) -> torch.Tensor:
    return torch.where(self > 0, self * scale, torch.expm1(self * input_scale) * alpha * scale)


def _softplus(self: torch.Tensor, beta: Any = 1.0, threshold: Any = 20.0) -> torch.Tensor:
    return torch.where(self * beta > threshold, self, torch.log1p(torch.exp(self * beta)) / beta)


def _huber(x: torch.Tensor, y: torch.Tensor, delta: Any) -> torch.Tensor:
    distance = (x - y).abs()
    return torch.where(distance <= delta, 0.5 * distance * distance, delta * (distance - 0.5 * delta))


#: How an operation is written where one of its numbers is a tensor of one value; parameters as in the table.
_FORMS: dict[str, Form] = {
    "add.Tensor": lambda self, other, alpha=1: self + other * alpha,
    "sub.Tensor": lambda self, other, alpha=1: self - other * alpha,
    "rsub.Tensor": lambda self, other, alpha=1: other - self * alpha,
    "rsub.Scalar": lambda self, other, alpha=1: other - self * alpha,
    "mul.Tensor": lambda self, other: self * other,
    "div.Tensor": lambda self, other: self / other,
    "pow.Tensor_Scalar": lambda self, exponent: self**exponent,
    "pow.Scalar": lambda self, exponent: torch.pow(torch.as_tensor(self), exponent),
    "fmod.Scalar": lambda self, other: self.fmod(other),
    "remainder.Scalar": lambda self, other: self % other,
    "gt.Scalar": lambda self, other: self > other,
    "ge.Scalar": lambda self, other: self >= other,
    "lt.Scalar": lambda self, other: self < other,
    "le.Scalar": lambda self, other: self <= other,
    "eq.Scalar": lambda self, other: self == other,
    "ne.Scalar": lambda self, other: self != other,
    "clamp": lambda self, min=None, max=None: _clamp(self, min, max),
    "clamp_min": lambda self, min: _clamp(self, min, None),
    "clamp_max": lambda self, max: _clamp(self, None, max),
    "hardtanh": lambda self, min_val=-1.0, max_val=1.0: _clamp(self, min_val, max_val),
    "lerp.Scalar": lambda self, end, weight: self + weight * (end - self),
    "addcmul": lambda self, tensor1, tensor2, value=1: self + value * tensor1 * tensor2,
    "addcdiv": lambda self, tensor1, tensor2, value=1: self + value * tensor1 / tensor2,
    "masked_fill.Scalar": lambda self, mask, value: torch.where(mask, torch.as_tensor(value).to(self), self),
    "threshold": lambda self, threshold, value: torch.where(self > threshold, self, torch.as_tensor(value).to(self)),
    "leaky_relu": lambda self, negative_slope=0.01: torch.where(self > 0, self, self * negative_slope),
    "elu": _elu,
    "softplus": _softplus,
    "full": lambda size, fill_value, dtype=None: _filled(size, fill_value, dtype),
    "full_like": lambda self, fill_value, dtype=None: _filled(self.shape, fill_value, dtype or self.dtype),
    "scalar_tensor": lambda s, dtype=None: _filled((), s, dtype),
}
#: Losses, of which only the elementwise form is there (`reduction` 0).
_LOSSES: dict[str, Form] = {
    "huber_loss": lambda self, target, delta=1.0, **_: _huber(self, target, delta),
    "smooth_l1_loss": lambda self, target, beta=1.0, **_: _huber(self, target, beta) / beta,
}


def _given(node: Node) -> dict[str, Argument]:
    """A node's arguments by the names of its operation's parameters."""
    names = [p.name for p in OPS[node.op].parameters if not p.keyword_only]
    return dict(zip(names, node.args, strict=False)) | dict(node.kwargs)


def _form(node: Node) -> Form | None:
    """The form of this operation whose numbers may be tensors."""
    if node.op in _LOSSES:
        return _LOSSES[node.op] if _given(node).get("reduction") == 0 else None
    return _FORMS.get(node.op)


def _is_set(argument: Argument, names: Mapping[str, object] | Sequence[str]) -> bool:
    return any(isinstance(r, ConstantRef) and r.name in names for r in references(argument))


def _takes(node: Node, names: Mapping[str, object] | Sequence[str]) -> bool:
    return any(_is_set(argument, names) for argument in (*node.args, *(value for _, value in node.kwargs)))


def _are_tensors(graph: Graph, settings: Mapping[str, object]) -> bool:
    """Whether every operation that takes one of these constants can take a tensor in its place."""
    return all(_form(node) is not None for node in graph.nodes if _takes(node, settings))


class _Batched:
    """The reward as a function of some of its constants, each a tensor of one value."""

    def __init__(self, graph: Graph, names: tuple[str, ...], state: Mapping[str, torch.Tensor]) -> None:
        self._graph = graph
        self._names = names
        self._state = state
        first = state[graph.inputs[0]]
        self.num_envs, self.device = first.shape[0], first.device

    def __call__(self, *values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        constants: dict[str, Any] = {**self._graph.constants, **dict(zip(self._names, values, strict=True))}
        results: list[Any] = []

        def value_of(argument: Argument) -> Any:
            return resolve(argument, results, self._state, constants, self.num_envs)

        for node in self._graph.nodes:
            value = self._compute(node, value_of)
            results.append(value)
        outputs = [self._graph.total, *(c.value for c in self._graph.components)]
        return tuple(map(value_of, outputs))

    def _compute(self, node: Node, value_of: Callable[[Argument], Any]) -> Any:
        kwargs = {name: value_of(value) for name, value in node.kwargs}
        if node.op == "tensor":
            values, shape = node.args
            return torch.tensor(values, dtype=kwargs["dtype"], device=self.device).reshape(value_of(shape))
        form = _form(node)
        if form is not None and _takes(node, self._names):
            return form(**{name: value_of(value) for name, value in _given(node).items()})
        if OPS[node.op].takes_device:
            kwargs["device"] = self.device
        return OPS[node.op].function(*map(value_of, node.args), **kwargs)
