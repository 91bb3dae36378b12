"""Static checks of a graph in the parent process: shapes, memory, work, and values that mix environments.

Every shape is derived on the meta device, node by node, and checked before the next node is computed, so that a hostile
graph cannot make this process work or allocate beyond the bounds below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from eureka.core.text import clean
from eureka.core.types import FieldSpec
from eureka.reward.graph.format import MAX_LINE, ConstantRef, Graph, InputRef, Node, Ref
from eureka.reward.graph.operations import DTYPES, OPS, RowRule
from eureka.reward.graph.rows import Form, mixes_rows
from eureka.reward.graph.runtime import call_operation, evaluate_nodes

State = Mapping[str, torch.Tensor]
MAX_TEXT = 500

# : Numbers of environments for deriving shapes: primes, so that no product of other sizes equals them.
BATCHES = (7, 13)
MAX_ELEMENTS_PER_ENV = 4096
MAX_BYTES_PER_ENV = 1 << 18
MAX_TENSORS = 8192
# : In nanoseconds of one core, approximately: a reward at this bound costs ten times the physics of an Ant.
MAX_WORK_PER_ENV = 1 << 18


@dataclass(frozen=True)
class Problem:
    """Why a graph is not accepted, for a person and for the model; `line` is the candidate's line at fault, if any.

    It may come from a process that ran generated code, so its texts are made printable and short, and an impossible
    line is dropped.
    """

    message: str
    remedy: str = ""
    line: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", clean(self.message, MAX_TEXT))
        object.__setattr__(self, "remedy", clean(self.remedy, MAX_TEXT))
        if self.line is not None and not 0 < self.line <= MAX_LINE:
            object.__setattr__(self, "line", None)


def check_shapes(graph: Graph, fields: Sequence[FieldSpec]) -> Problem | None:
    """Derive every shape at two numbers of environments, check memory and work against the bounds, and find values that
    mix environments.

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
        if result.batch is None or result.tensor.dim() != 1 or result.tensor.dtype != torch.float32:
            return Problem(f"{name} is not a float32 tensor of shape (num_envs,)")
    return None


class _Budget:
    """Checks the nodes in order, and accumulates their costs against the bounds."""

    def __init__(self, graph: Graph, state: State) -> None:
        self._graph = graph
        self._state = state
        self._values: list[list[Form]] = []
        self._reads_state: set[int] = set()
        self._bytes = self._tensors = 0
        self._work = 0.0

    def value(self, ref: Ref) -> Form:
        return Form(self._state[ref.name], 0) if isinstance(ref, InputRef) else self._values[ref.index][ref.item or 0]

    def spend(self, node: Node, small: list[torch.Tensor], large: list[torch.Tensor]) -> Problem | None:
        """Check one node's results for the smaller and the larger number of environments."""
        if len(small) != len(large):
            return Problem("the number of tensors depends on the number of environments", line=node.line)
        for a, b in zip(small, large, strict=True):
            problem = _check_size(node, a, b)
            if problem is not None:
                return problem
        results = [Form(b, next(iter(_batch_dims(a, b)), None)) for a, b in zip(small, large, strict=True)]
        operands = [self.value(r) for r in node.tensors]
        if any(isinstance(r, InputRef) or r.index in self._reads_state for r in node.tensors):
            self._reads_state.add(len(self._values))
            if any(form.batch is None for form in results):
                return (_REDUCED if _reduces_again(node, [form.tensor for form in operands]) else _MIXES).at(node)
        if mixes_rows(node, operands, results):
            return _ALONG_BATCH.at(node)
        self._values.append(results)
        self._bytes += sum(tensor.numel() * tensor.element_size() for tensor in large) // BATCHES[1]
        self._tensors += len(large)
        self._work += _work(node, [form.tensor for form in operands], large)
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
    """The result tensors of a node."""
    return iter(value) if isinstance(value, tuple | list) else iter((value,))


# ---------------------------------------------------------------------------------------------- deriving

_MAX_KNOWN = 1 << 14
_known: dict[Any, Any] = {}


def _derived(op: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """`call_operation` on the meta device, cached by the forms of the arguments.

    Torch takes up to milliseconds per call, and a graph may have thousands of nodes.
    """
    key = (op, _form(args), _form(kwargs))
    value = _known.get(key)
    if value is None:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        value = _known[key] = call_operation(op, args, kwargs)
    return value


def _form(value: Any) -> Any:
    """The part of an argument that determines the form of a result; numbers with their type, since 1 == 1.0 == True."""
    if isinstance(value, torch.Tensor):
        return value.shape, value.stride(), value.dtype
    if isinstance(value, Mapping):
        return tuple((key, _form(item)) for key, item in value.items())
    return tuple(map(_form, value)) if isinstance(value, tuple | list) else (type(value), value)


def _reduces_again(node: Node, arguments: Sequence[torch.Tensor]) -> bool:
    """Whether a node reduces, over a dimension that it names, a tensor that has the batch dimension alone."""
    given = {p.name for p, _ in zip(OPS[node.op].parameters, node.args, strict=False)} | {k for k, _ in node.kwargs}
    return "dim" in given and bool(arguments) and arguments[0].dim() == 1


# ---------------------------------------------------------------------------------------------- sizes


@dataclass(frozen=True)
class _Refusal:
    """A problem without its node's line, which `at` adds."""

    message: str
    remedy: str = ""

    def at(self, node: Node) -> Problem:
        return Problem(self.message, self.remedy, node.line)


_MIXES = _Refusal(
    "it combines all environments into one value (or picks one of them), so a reward would depend on what happens in "
    "the others",
    "Reduce over the last dimension only (dim=-1), and use no statistics over the batch such as mean(), std() or max() "
    "without dim.",
)
_REDUCED = _Refusal(
    "what it reduces already has one number for each environment, so that this combines all environments into one "
    "value",
    "Leave out this reduction: the one before it has reduced the last dimension.",
)
_ALONG_BATCH = _Refusal(
    "it works along the first dimension, num_envs, so a reward would depend on the other environments, or on the place "
    "of an environment among them",
    "Work along dim=-1 of one environment's values: no cumsum, sort, flip, roll, softmax, slice or reshape over dim=0.",
)
_ODD_SIZE = _Refusal(
    "a size depends on the number of environments in an unusual way",
    "Keep the first dimension, num_envs, whole: slice and join along the other dimensions.",
)
_PAIRS = _Refusal(
    "it makes a tensor of shape (num_envs, num_envs), one row for every pair of environments",
    "Check the shapes on this line: (num_envs, 1) and (num_envs,) combine to (num_envs, num_envs); use squeeze(-1), "
    "unsqueeze(-1) or keepdim so that both have the same form.",
)


def _batch_dims(small: torch.Tensor, large: torch.Tensor) -> list[int]:
    """The dimensions whose size depends on the number of environments."""
    return [dim for dim, (a, b) in enumerate(zip(small.shape, large.shape, strict=True)) if a != b]


def _check_size(node: Node, small: torch.Tensor, large: torch.Tensor) -> Problem | None:
    if small.dim() != large.dim():
        return Problem("the number of dimensions depends on the number of environments", line=node.line)
    for a, b in zip(small.shape, large.shape, strict=True):
        if a != b and (a % BATCHES[0] or a // BATCHES[0] * BATCHES[1] != b):
            return _ODD_SIZE.at(node)
    batched = _batch_dims(small, large)
    if len(batched) > 1:
        return _PAIRS.at(node)
    # Each size by itself too: a tensor without elements can have an unbounded size.
    elements = max(large.numel(), *large.shape, 0) // (BATCHES[1] if batched else 1)
    if elements > MAX_ELEMENTS_PER_ENV:
        return Problem(
            f"it makes a tensor of {elements} elements an environment, more than {MAX_ELEMENTS_PER_ENV}",
            "Make the tensor smaller.",
            node.line,
        )
    return None


# ---------------------------------------------------------------------------------------------- work


def _work(node: Node, arguments: Sequence[torch.Tensor], results: Sequence[torch.Tensor]) -> float:
    """An upper bound of a node's cost per environment, in nanoseconds; the usual cost is a tenth of a nanosecond per
    element.
    """
    operation = OPS.get(node.op)
    elements = max([tensor.numel() for tensor in [*arguments, *results]], default=0)
    if operation is None:  # a literal tensor
        return elements / BATCHES[1]
    if operation.rows is RowRule.CONTRACTION:
        # The last sizes are those of the sum and of the result: the larger is a bound whatever the arguments' order.
        inner = max((tensor.shape[-1] for tensor in arguments if tensor.dim()), default=1)
        elements = max(elements, sum(tensor.numel() for tensor in results) * inner)
    return operation.work * elements / BATCHES[1]


# ---------------------------------------------------------------------------------------------- division

_DIVISION = _Refusal(
    "it divides integers by a number that may become zero",
    "Convert to floating point first: x.float(); or divide by a fixed number.",
)


def _check_division(graph: Graph, node: Node, results: Sequence[torch.Tensor]) -> Problem | None:
    """Find divisions that could end the trainer's process on the CPU: of integers by 0, and of the least integer by -1.

    A kernel divides by what the divisor is in the type of the result, where 4294967295 is -1 for int32: no tensor is
    taken, and no number that becomes one of these two.
    """
    if node.op not in OPS or not OPS[node.op].divides or results[0].is_floating_point():
        return None
    divisor = node.given["other"]
    if isinstance(divisor, ConstantRef):
        divisor = -graph.constants[divisor.name] if divisor.negative else graph.constants[divisor.name]
    if not isinstance(divisor, int) or _as_integer(divisor, results[0].dtype) in (0, -1, None):
        return _DIVISION.at(node)
    return None


def _as_integer(number: int, dtype: torch.dtype) -> int | None:
    """The value of a whole number in an integer type, truncated to its bits; None for bool."""
    if dtype == torch.bool:
        return None
    form = torch.iinfo(dtype)
    wrapped = number % (1 << form.bits)
    return wrapped - (1 << form.bits) if wrapped > form.max else wrapped
