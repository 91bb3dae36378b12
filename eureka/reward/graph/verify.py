"""The checks on a graph that this process did not write: shapes, agreement with Python, finiteness, isolation.

Everything that comes from the sandbox is mistrusted. `parse_graph` has checked the form and `shapes` derives every
shape anew; here the graph is run on recorded transitions. A check gives a `Problem` or None. What runs a graph runs
in a disposable process first (`trial`), so that one that breaks its process breaks nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from eureka.core.types import FieldSpec
from eureka.reward.graph.format import Graph, NodeRef, Ref
from eureka.reward.graph.runtime import KERNEL_ERRORS, RewardFunction, evaluate
from eureka.reward.graph.shapes import Problem, State, check_shapes, tensors

#: Graph and Python run the same kernels on the same floats, so they agree bitwise, save for composite functions that
#: Python runs fused and the graph in parts: these differ by a few roundings (2^-24 each) of the largest intermediate
#: value. 1e-4 of the largest result leaves room for a thousandfold cancellation.
RELATIVE_TOLERANCE = 1e-4


@dataclass(frozen=True)
class EagerRun:
    """A recorded batch of the State and what the candidate's Python gave on it; components in the graph's order."""

    state: State
    total: torch.Tensor
    components: tuple[torch.Tensor, ...]


def check(graph: Graph, fields: Sequence[FieldSpec], runs: Sequence[EagerRun]) -> Problem | None:
    """Shapes and everything in this module; None for a graph that may be trained with."""
    try:
        problem = check_shapes(graph, fields)
        if problem is None:
            function = RewardFunction(graph)
            everything = {name: torch.cat([run.state[name] for run in runs]) for name in graph.inputs}
            alone = {name: value[:1] for name, value in everything.items()}
            problem = check_results(function, everything) or check_results(function, alone)
            problem = problem or check_finite(function, everything)
            problem = problem or check_isolation(function, everything)
            for run in runs:
                problem = problem or check_agreement(function, run)
    # Kernels check more than their meta versions do.
    except KERNEL_ERRORS as error:
        return Problem(f"the traced graph does not run: {next(iter(str(error).splitlines()), ''):.300}")
    return problem


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
            line = non_finite_line(function.graph, ref, {key: field[rows] for key, field in state.items()})
            return Problem(
                f"{name} is {kind} on {int(bad.sum())} of {len(bad)} recorded states",
                "Keep every term finite: clamp before sqrt, log, acos and division, and clamp exponents.",
                line,
            )
    return None


def non_finite_line(graph: Graph, ref: Ref, state: State) -> int | None:
    """The line of the operation that made the first non-finite value that `ref` depends on."""
    values = evaluate(graph, state, 1, next(iter(state.values())).device)
    finite = {index: all(bool(torch.isfinite(t).all()) for t in tensors(value)) for index, value in enumerate(values)}
    line = None
    while isinstance(ref, NodeRef):
        node = graph.nodes[ref.index]
        line = node.line or line
        sources = [r for r in node.tensors if isinstance(r, NodeRef) and not finite[r.index]]
        sources = [r for r in sources if graph.nodes[r.index].op != "tensor" and graph.nodes[r.index].fill is None]
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
        for a, b in zip(tensors(before), tensors(after), strict=True):
            if a.dim() and a.shape[0] == num_envs and not _same(a[kept], b[kept]):
                return node.line
    return None
