"""The parent's checks on a graph that it did not write: shapes, memory, agreement with Python, finiteness, isolation.

Everything that comes from the sandbox is mistrusted. `parse_graph` has checked the form; here every shape is derived
anew on the meta device, and the graph is run on recorded transitions. A check gives a `Problem` or None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from eureka.reward.runtime import (
    DTYPES,
    KERNEL_ERRORS,
    Graph,
    InputRef,
    Node,
    NodeRef,
    Ref,
    RewardFunction,
    evaluate,
    references,
)
from eureka.types import FieldSpec

State = Mapping[str, torch.Tensor]

#: Numbers of environments that shapes are derived with: primes, so that no product of other sizes looks like them.
BATCHES = (7, 13)
MAX_ELEMENTS_PER_ENV = 4096
MAX_BYTES_PER_ENV = 1 << 18

#: Graph and Python run the same kernels on the same floats, so they agree bitwise, save for composite functions that
#: Python runs fused and the graph in parts: these differ by a few roundings (2^-24 each) of the largest intermediate
#: value. 1e-4 of the largest result leaves room for a thousandfold cancellation.
RELATIVE_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Problem:
    """Why a graph is not accepted, for a person and for the model; `line` is the candidate's, where one is to blame."""

    message: str
    remedy: str = ""
    line: int | None = None


@dataclass(frozen=True)
class EagerRun:
    """A recorded batch of the State and what the candidate's Python gave on it; components in the graph's order."""

    state: State
    total: torch.Tensor
    components: tuple[torch.Tensor, ...]


def check(graph: Graph, fields: Sequence[FieldSpec], runs: Sequence[EagerRun]) -> Problem | None:
    """Everything in this module; None for a graph that may be trained with."""
    try:
        problem = check_shapes(graph, fields)
        if problem is None:
            function = RewardFunction(graph)
            everything = {name: torch.cat([run.state[name] for run in runs]) for name in graph.inputs}
            problem = check_results(function, everything) or check_finite(function, everything)
            problem = problem or check_isolation(function, everything)
            for run in runs:
                problem = problem or check_agreement(function, run)
    # Kernels check more than their meta versions do.
    except KERNEL_ERRORS as error:
        return Problem(f"the traced graph does not run: {next(iter(str(error).splitlines()), ''):.300}")
    return problem


# ---------------------------------------------------------------------------------------------- shapes


def check_shapes(graph: Graph, fields: Sequence[FieldSpec]) -> Problem | None:
    """Derives every shape at two numbers of environments; bounds memory; finds values that mix environments."""
    meta = torch.device("meta")
    specs = {field.name: field for field in fields}
    runs = []
    for batch in BATCHES:
        state = {
            name: torch.empty((batch, *specs[name].shape), dtype=DTYPES[specs[name].dtype], device=meta)
            for name in graph.inputs
        }
        runs.append((state, evaluate(graph, state, batch, meta)))
    per_env = 0
    reads_state: set[int] = set()
    for index, node in enumerate(graph.nodes):
        small, large = (list(_tensors(values[index])) for _, values in runs)
        per_env += sum(tensor.numel() * tensor.element_size() for tensor in large) // BATCHES[1]
        problem = next(filter(None, (_check_size(node, a, b) for a, b in zip(small, large, strict=True))), None)
        if problem is None and _reads_state(node, reads_state):
            reads_state.add(index)
            problem = _check_mixing(node, [_batch_dims(a, b) for a, b in zip(small, large, strict=True)])
        if problem is not None:
            return problem
    if per_env > MAX_BYTES_PER_ENV:
        return Problem(f"it needs {per_env} bytes an environment, more than {MAX_BYTES_PER_ENV}", "Use less memory.")
    state, values = runs[1]
    for name, ref in (("the total", graph.total), *((f"the component {c.name!r}", c.value) for c in graph.components)):
        result = _value(ref, state, values)
        if result.shape != (BATCHES[1],) or result.dtype != torch.float32:
            return Problem(f"{name} is not a float32 tensor of shape (num_envs,)")
    return None


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    return iter(value) if isinstance(value, tuple | list) else iter((value,))


def _value(ref: Ref, state: State, values: Sequence[Any]) -> torch.Tensor:
    if isinstance(ref, InputRef):
        return state[ref.name]
    value: torch.Tensor = values[ref.index] if ref.item is None else values[ref.index][ref.item]
    return value


def _batch_dims(small: torch.Tensor, large: torch.Tensor) -> int:
    return sum(a != b for a, b in zip(small.shape, large.shape, strict=True))


def _check_size(node: Node, small: torch.Tensor, large: torch.Tensor) -> Problem | None:
    if small.dim() != large.dim():
        return Problem("the number of dimensions depends on the number of environments", line=node.line)
    for a, b in zip(small.shape, large.shape, strict=True):
        if a != b and (a % BATCHES[0] or a // BATCHES[0] * BATCHES[1] != b):
            return Problem(
                "a size depends on the number of environments in an unusual way",
                "Keep the first dimension, num_envs, whole: slice and join along the other dimensions.",
                node.line,
            )
    batched = _batch_dims(small, large)
    if batched > 1:
        return Problem(
            "it makes a tensor of shape (num_envs, num_envs), one row for every pair of environments",
            "Check the shapes on this line: (num_envs, 1) and (num_envs,) combine to (num_envs, num_envs); use "
            "squeeze(-1), unsqueeze(-1) or keepdim so that both have the same form.",
            node.line,
        )
    elements = large.numel() // (BATCHES[1] if batched else 1)
    if elements > MAX_ELEMENTS_PER_ENV:
        return Problem(
            f"it makes a tensor of {elements} elements an environment, more than {MAX_ELEMENTS_PER_ENV}",
            "Make the tensor smaller.",
            node.line,
        )
    return None


def _arguments(node: Node) -> Iterator[Ref]:
    for argument in (*node.args, *(value for _, value in node.kwargs)):
        yield from (r for r in references(argument) if isinstance(r, NodeRef | InputRef))


def _reads_state(node: Node, reads_state: set[int]) -> bool:
    return any(isinstance(r, InputRef) or r.index in reads_state for r in _arguments(node))


def _check_mixing(node: Node, batch_dims: Sequence[int]) -> Problem | None:
    if all(batch_dims):
        return None
    return Problem(
        "it combines all environments into one value (or picks one of them), so a reward would depend on what "
        "happens in the others",
        "Reduce over the last dimension only (dim=-1), and use no statistics over the batch such as mean(), std() or "
        "max() without dim.",
        node.line,
    )


# ---------------------------------------------------------------------------------------------- values


def check_results(function: RewardFunction, state: State) -> Problem | None:
    """Looks at the form of the results on real tensors, where meta kernels could be wrong."""
    num_envs = next(iter(state.values())).shape[0]
    total, components = function(state)
    for value in (total, *components.values()):
        if value.shape != (num_envs,) or value.dtype != torch.float32:
            return Problem("a result of the traced graph is not a float32 tensor of shape (num_envs,)")
    return None


def check_agreement(function: RewardFunction, run: EagerRun) -> Problem | None:
    """Compares the graph with what the candidate's Python gave."""
    total, components = function(run.state)
    pairs = [("the total", total, run.total)]
    pairs += [
        (f"the component {name!r}", value, eager)
        for (name, value), eager in zip(components.items(), run.components, strict=True)
    ]
    for name, value, eager in pairs:
        scale = float(eager.abs().nan_to_num(0.0, 0.0, 0.0).max())
        wrong = ~torch.isclose(value, eager, rtol=0.0, atol=RELATIVE_TOLERANCE * scale, equal_nan=True)
        if bool(wrong.any()):
            return Problem(
                f"{name} as traced differs from what the code gives on {int(wrong.sum())} of {len(wrong)} recorded "
                "states: some Python in it depends on values",
                "Compute everything from the parameters with torch functions and torch.where.",
            )
    return None


def check_finite(function: RewardFunction, state: State) -> Problem | None:
    """Finds totals and components that are NaN or infinite, and the line where that begins."""
    total, components = function(state)
    for name, value, ref in (
        *((f"the component {c.name!r}", components[c.name], c.value) for c in function.graph.components),
        ("the total", total, function.graph.total),
    ):
        bad = ~torch.isfinite(value)
        if bool(bad.any()):
            kind = "NaN" if bool(torch.isnan(value).any()) else "infinite"
            rows = bad.nonzero()[:1, 0]
            line = _origin(function.graph, ref, {key: field[rows] for key, field in state.items()})
            return Problem(
                f"{name} is {kind} on {int(bad.sum())} of {len(bad)} recorded states",
                "Keep every term finite: clamp before sqrt, log, acos and division, and clamp exponents.",
                line,
            )
    return None


def _origin(graph: Graph, ref: Ref, state: State) -> int | None:
    """The line of the operation that made the first non-finite value that `ref` depends on."""
    values = evaluate(graph, state, 1, next(iter(state.values())).device)
    finite = {index: all(bool(torch.isfinite(t).all()) for t in _tensors(value)) for index, value in enumerate(values)}
    line = None
    while isinstance(ref, NodeRef):
        node = graph.nodes[ref.index]
        line = node.line or line
        sources = [r for r in _arguments(node) if isinstance(r, NodeRef) and not finite[r.index]]
        sources = [r for r in sources if graph.nodes[r.index].op not in ("full", "scalar_tensor", "tensor")]
        if not sources:
            break
        ref = sources[0]
    return line


def check_isolation(function: RewardFunction, state: State) -> Problem | None:
    """Replaces half of the environments and looks for changes in the other half, both ways."""
    half = next(iter(state.values())).shape[0] // 2
    state = {name: value[: 2 * half] for name, value in state.items()}
    before = _stacked(function, state)
    for kept in (slice(0, half), slice(half, 2 * half)):
        other = {name: torch.cat([value[kept], value[kept]]) for name, value in state.items()}
        if not _same(before[:, kept], _stacked(function, other)[:, kept]):
            return Problem(
                "a reward changes when other environments change",
                "Combine the values of one environment only: no cumsum, sort, flip, roll or softmax over dim=0.",
                _first_change(function.graph, state, other, kept),
            )
    return None


def _stacked(function: RewardFunction, state: State) -> torch.Tensor:
    total, components = function(state)
    return torch.stack([total, *components.values()])


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.allclose(a, b, rtol=0.0, atol=0.0, equal_nan=a.is_floating_point())


def _first_change(graph: Graph, state: State, other: State, kept: slice) -> int | None:
    """The line of the first operation whose values differ in the environments that were kept."""
    device = next(iter(state.values())).device
    num_envs = next(iter(state.values())).shape[0]
    first, second = (evaluate(graph, s, num_envs, device) for s in (state, other))
    for node, before, after in zip(graph.nodes, first, second, strict=True):
        for a, b in zip(_tensors(before), _tensors(after), strict=True):
            if a.dim() and a.shape[0] == num_envs and not _same(a[kept], b[kept]):
                return node.line
    return None
