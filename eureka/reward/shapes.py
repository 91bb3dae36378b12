"""What the parent derives about a graph without running it: shapes, memory, work, and values that mix environments.

Every shape is derived anew on the meta device, node by node, and looked at before the next node is computed, so that
a hostile graph cannot make this process work or allocate beyond the bounds below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from eureka.reward.runtime import (
    DTYPES,
    OPS,
    Argument,
    ConstantRef,
    Graph,
    InputRef,
    Node,
    NodeRef,
    Ref,
    call_operation,
    evaluate_nodes,
    references,
)
from eureka.types import FieldSpec

State = Mapping[str, torch.Tensor]

#: Numbers of environments that shapes are derived with: primes, so that no product of other sizes looks like them.
BATCHES = (7, 13)
MAX_ELEMENTS_PER_ENV = 4096
MAX_BYTES_PER_ENV = 1 << 18
MAX_TENSORS = 8192
#: In units of about a nanosecond of one core: a reward at this bound costs some ten times the physics of an Ant.
MAX_WORK_PER_ENV = 1 << 18


@dataclass(frozen=True)
class Problem:
    """Why a graph is not accepted, for a person and for the model; `line` is the candidate's, where one is to blame."""

    message: str
    remedy: str = ""
    line: int | None = None


def check_shapes(graph: Graph, fields: Sequence[FieldSpec]) -> Problem | None:
    """Derives every shape at two numbers of environments; bounds memory and work; finds values that mix environments.

    Raises:
        One of `runtime.KERNEL_ERRORS`: an operation does not take its arguments.
    """
    specs = {field.name: field for field in fields}
    unknown = [name for name in graph.inputs if name not in specs]
    if unknown:
        return Problem(f"the state has no field {unknown[0]}")
    meta = torch.device("meta")
    states = [
        {n: torch.empty((b, *specs[n].shape), dtype=DTYPES[specs[n].dtype], device=meta) for n in graph.inputs}
        for b in BATCHES
    ]
    both = zip(states, BATCHES, strict=True)
    pairs = zip(*(evaluate_nodes(graph, state, batch, meta, _derived) for state, batch in both), strict=True)
    budget = _Budget(graph, states[1])
    for node, (small, large) in zip(graph.nodes, pairs, strict=True):
        problem = budget.spend(node, list(tensors(small)), list(tensors(large)))
        if problem is not None:
            return problem
    for name, ref in (("the total", graph.total), *((f"the component {c.name!r}", c.value) for c in graph.components)):
        result = budget.value(ref)
        if result.shape != (BATCHES[1],) or result.dtype != torch.float32:
            return Problem(f"{name} is not a float32 tensor of shape (num_envs,)")
    return None


class _Budget:
    """Goes through the nodes in order, keeping account of what they take of the bounds."""

    def __init__(self, graph: Graph, state: State) -> None:
        self._graph = graph
        self._state = state
        self._values: list[list[torch.Tensor]] = []
        self._reads_state: set[int] = set()
        self._bytes = self._tensors = 0
        self._work = 0.0

    def value(self, ref: Ref) -> torch.Tensor:
        return self._state[ref.name] if isinstance(ref, InputRef) else self._values[ref.index][ref.item or 0]

    def spend(self, node: Node, small: list[torch.Tensor], large: list[torch.Tensor]) -> Problem | None:
        """Looks at one node's results with the smaller and the larger number of environments."""
        if len(small) != len(large):
            return Problem("the number of tensors depends on the number of environments", line=node.line)
        for a, b in zip(small, large, strict=True):
            problem = _check_size(node, a, b)
            if problem is not None:
                return problem
        arguments = [self.value(r) for r in tensor_references(node)]
        if any(isinstance(r, InputRef) or r.index in self._reads_state for r in tensor_references(node)):
            self._reads_state.add(len(self._values))
            if not all(_batch_dims(a, b) for a, b in zip(small, large, strict=True)):
                return (_REDUCED if _reduces_again(node, arguments) else _MIXES).at(node)
        self._values.append(large)
        self._bytes += sum(tensor.numel() * tensor.element_size() for tensor in large) // BATCHES[1]
        self._tensors += len(large)
        self._work += _work(node, arguments, large)
        return self._beyond(node) or _check_division(self._graph, node, large)

    def _beyond(self, node: Node) -> Problem | None:
        if self._bytes > MAX_BYTES_PER_ENV:
            message = f"it needs more than {MAX_BYTES_PER_ENV} bytes an environment"
            return Problem(message, "Use fewer and smaller tensors.", node.line)
        if self._tensors > MAX_TENSORS:
            return Problem(f"it makes more than {MAX_TENSORS} tensors", "Use operations on whole tensors.", node.line)
        if self._work > MAX_WORK_PER_ENV:
            message = "it takes more than about a quarter of a millisecond of computing an environment"
            return Problem(message, "Use fewer and smaller tensors.", node.line)
        return None


def tensors(value: Any) -> Iterator[torch.Tensor]:
    """The one or several tensors that a node gave."""
    return iter(value) if isinstance(value, tuple | list) else iter((value,))


def tensor_references(node: Node) -> Iterator[Ref]:
    """The nodes and inputs that a node reads."""
    for argument in (*node.args, *(value for _, value in node.kwargs)):
        yield from (r for r in references(argument) if isinstance(r, NodeRef | InputRef))


# ---------------------------------------------------------------------------------------------- deriving

_MAX_KNOWN = 1 << 14
_known: dict[Any, Any] = {}


def _derived(op: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """`call_operation` on the meta device: the same forms give the same form, so each is derived by torch only once.

    Torch takes up to milliseconds for one, and a graph may have thousands of nodes.
    """
    key = (op, _form(args), _form(kwargs))
    value = _known.get(key)
    if value is None:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        value = _known[key] = call_operation(op, args, kwargs)
    return value


def _form(value: Any) -> Any:
    """All of an argument that matters for the form of a result; numbers with their type, for 1, 1.0 and True."""
    if isinstance(value, torch.Tensor):
        return value.shape, value.stride(), value.dtype
    if isinstance(value, Mapping):
        return tuple((key, _form(item)) for key, item in value.items())
    return tuple(map(_form, value)) if isinstance(value, tuple | list) else (type(value), value)


def _reduces_again(node: Node, arguments: Sequence[torch.Tensor]) -> bool:
    """Whether it reduces, over a dimension that it names, what has no dimension but the first."""
    given = {p.name for p, _ in zip(OPS[node.op].parameters, node.args, strict=False)} | {k for k, _ in node.kwargs}
    return "dim" in given and bool(arguments) and arguments[0].dim() == 1


# ---------------------------------------------------------------------------------------------- sizes


@dataclass(frozen=True)
class _Told:
    """A problem's words, to be put at a node's line."""

    message: str
    remedy: str = ""

    def at(self, node: Node) -> Problem:
        return Problem(self.message, self.remedy, node.line)


_MIXES = _Told(
    "it combines all environments into one value (or picks one of them), so a reward would depend on what happens in "
    "the others",
    "Reduce over the last dimension only (dim=-1), and use no statistics over the batch such as mean(), std() or max() "
    "without dim.",
)
_REDUCED = _Told(
    "what it reduces already has one number for each environment, so that this combines all environments into one "
    "value",
    "Leave out this reduction: the one before it has reduced the last dimension.",
)
_ODD_SIZE = _Told(
    "a size depends on the number of environments in an unusual way",
    "Keep the first dimension, num_envs, whole: slice and join along the other dimensions.",
)
_PAIRS = _Told(
    "it makes a tensor of shape (num_envs, num_envs), one row for every pair of environments",
    "Check the shapes on this line: (num_envs, 1) and (num_envs,) combine to (num_envs, num_envs); use squeeze(-1), "
    "unsqueeze(-1) or keepdim so that both have the same form.",
)


def _batch_dims(small: torch.Tensor, large: torch.Tensor) -> int:
    return sum(a != b for a, b in zip(small.shape, large.shape, strict=True))


def _check_size(node: Node, small: torch.Tensor, large: torch.Tensor) -> Problem | None:
    if small.dim() != large.dim():
        return Problem("the number of dimensions depends on the number of environments", line=node.line)
    for a, b in zip(small.shape, large.shape, strict=True):
        if a != b and (a % BATCHES[0] or a // BATCHES[0] * BATCHES[1] != b):
            return _ODD_SIZE.at(node)
    batched = _batch_dims(small, large)
    if batched > 1:
        return _PAIRS.at(node)
    # Each size by itself too: a tensor without elements can have a size without bound.
    elements = max(large.numel(), *large.shape, 0) // (BATCHES[1] if batched else 1)
    if elements > MAX_ELEMENTS_PER_ENV:
        return Problem(
            f"it makes a tensor of {elements} elements an environment, more than {MAX_ELEMENTS_PER_ENV}",
            "Make the tensor smaller.",
            node.line,
        )
    return None


# ---------------------------------------------------------------------------------------------- work

_CONTRACTIONS = frozenset(["bmm", "mm", "mv", "dot", "addmm", "baddbmm", "addmv", "_cdist_forward", "_euclidean_dist"])
_SORTS = frozenset(["sort", "topk", "median"])
_CHEAP_NAMES = """
add sub rsub mul div neg abs sign relu maximum minimum fmax fmin clamp clamp_min clamp_max where masked_fill gt ge lt le
eq ne logical_and logical_or logical_xor logical_not bitwise_and bitwise_or bitwise_xor bitwise_not isnan isinf sum mean
amax amin any all select slice unsqueeze squeeze view permute transpose t expand cat stack unbind split
split_with_sizes repeat flip roll diagonal select_scatter slice_scatter constant_pad_nd _to_copy full full_like zeros
zeros_like ones ones_like scalar_tensor tensor
"""
_CHEAP = frozenset(_CHEAP_NAMES.split())


def _work(node: Node, arguments: Sequence[torch.Tensor], results: Sequence[torch.Tensor]) -> float:
    """A bound of what a node costs per environment, in about nanoseconds: some tenths of one an element are usual."""
    operation = node.op.partition(".")[0]
    elements = max([tensor.numel() for tensor in [*arguments, *results]], default=0)
    if operation in _CONTRACTIONS:
        # The last sizes are those of the sum and of the result: the larger is a bound whatever the arguments' order.
        inner = max((tensor.shape[-1] for tensor in arguments if tensor.dim()), default=1)
        elements = max(elements, sum(tensor.numel() for tensor in results) * inner)
    factor = 1 if operation in _CHEAP or operation in _CONTRACTIONS else 64 if operation in _SORTS else 8
    return factor * elements / BATCHES[1]


# ---------------------------------------------------------------------------------------------- division

_DIVISIONS = frozenset(["floor_divide", "div.Tensor_mode", "fmod.Scalar", "fmod.Tensor", "remainder.Scalar"])
_DIVISION = _Told(
    "it divides integers by a number that may become zero",
    "Convert to floating point first: x.float(); or divide by a fixed number.",
)


def _check_division(graph: Graph, node: Node, results: Sequence[torch.Tensor]) -> Problem | None:
    """Finds what could end the trainer's process: dividing integers by 0, and the least of them by -1, on the CPU."""
    if node.op not in _DIVISIONS | {"remainder.Tensor"} or results[0].is_floating_point():
        return None
    divisor: Argument = node.args[1] if len(node.args) > 1 else dict(node.kwargs)["other"]
    while isinstance(divisor, NodeRef) and graph.nodes[divisor.index].op in ("expand", "scalar_tensor", "full"):
        source = graph.nodes[divisor.index]
        divisor = source.args[1] if source.op == "full" else source.args[0]
    if isinstance(divisor, ConstantRef):
        divisor = -graph.constants[divisor.name] if divisor.negative else graph.constants[divisor.name]
    return _DIVISION.at(node) if not isinstance(divisor, int) or divisor in (0, -1) else None
