"""The checks on a graph that this process did not write: shapes, agreement with Python, finiteness, isolation.

Everything that comes from the sandbox is untrusted. `parse_graph` checks the form, `shapes` derives every shape again,
and this module runs the graph on recorded transitions. A check returns a `Problem` or None. A graph is run in a
disposable process first (`trial`), so that one that crashes its process does no other harm.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from eureka.core.machine import peak_bytes
from eureka.core.types import FieldSpec
from eureka.reward.graph.format import Graph, NodeRef, Ref
from eureka.reward.graph.runtime import KERNEL_ERRORS, RewardFunction, evaluate
from eureka.reward.graph.shapes import Problem, State, check_shapes, tensors

#: Graph and Python run the same kernels on the same floats, so they agree bitwise, save for composite functions that
#: Python runs fused and the graph in parts: these differ by a few roundings (2^-24 each) of the largest intermediate
#: value. 1e-4 of the result leaves room for a thousandfold cancellation of values that are no results themselves.
RELATIVE_TOLERANCE = 1e-4
#: Sixteen roundings, of the largest result of a row: what a total may lose that huge components cancel in.
ROUNDINGS = 1e-6
#: Rows whose results are smaller than this share of all rows' are given the roundings of that share, and of 100 at the
#: most: near zero, a rounding is large compared with the result.
SMALL_ROWS, SMALL_RESULT = 0.25, 100.0
ROWS = 4096
"""Environments times control steps of a rollout: a training calls its reward on about this many rows at a time."""
SECONDS_PER_ROW = 20e-6
"""Time limit per row in seconds of one core, about the physics of an Ant for a control step. A usual reward takes a
hundredth of it."""
BYTES_PER_ROW = 1 << 16
"""Memory limit per row while a reward is computed: 256 MiB at 4,096 rows, and the same again for every reward of a
group."""
STRETCH = 100.0
"""Factor by which recorded states are enlarged to test the isolation of environments."""


@dataclass(frozen=True)
class EagerRun:
    """A recorded batch of the State and the outputs of the candidate's Python code; components in the graph's order."""

    state: State
    total: torch.Tensor
    components: tuple[torch.Tensor, ...]


def check(graph: Graph, fields: Sequence[FieldSpec], runs: Sequence[EagerRun], rows: int = ROWS) -> Problem | None:
    """Check the shapes and run every check of this module; None for a graph that may be trained with.

    Args:
        rows: number of rows on which a training calls the reward at once.
    """
    try:
        problem = check_shapes(graph, fields)
        if problem is None:
            function = RewardFunction(graph)
            everything = {name: torch.cat([run.state[name] for run in runs]) for name in graph.inputs}
            alone = {name: value[:1] for name, value in everything.items()}
            problem = check_results(function, everything) or check_results(function, alone)
            problem = problem or check_finite(function, everything)
            problem = problem or check_isolation(function, everything)
            problem = problem or check_isolation(function, stretched(everything, STRETCH))
            for run in runs:
                problem = problem or check_agreement(function, run)
            problem = problem or check_rows(function, everything, rows)
            problem = problem or check_cost(function, everything, rows)
    # Kernels check more than their meta versions.
    except KERNEL_ERRORS as error:
        return Problem(f"the traced graph does not run: {next(iter(str(error).splitlines()), ''):.300}")
    return problem


# ---------------------------------------------------------------------------------------------- values


def check_results(function: RewardFunction, state: State) -> Problem | None:
    """Check the form of the results on real tensors, in case meta kernels are wrong."""
    return _check_form(function(state), next(iter(state.values())).shape[0])


def _check_form(results: tuple[torch.Tensor, Mapping[str, torch.Tensor]], num_envs: int) -> Problem | None:
    total, components = results
    for value in (total, *components.values()):
        if value.shape != (num_envs,) or value.dtype != torch.float32:
            return Problem("a result of the traced graph is not a float32 tensor of shape (num_envs,)")
    return None


def check_agreement(function: RewardFunction, run: EagerRun) -> Problem | None:
    """Compare the graph's results with those of the candidate's Python code on the same states, row by row."""
    total, components = function(run.state)
    pairs = [("the total", total, run.total)]
    pairs += [
        (f"the component {name!r}", value, eager)
        for (name, value), eager in zip(components.items(), run.components, strict=True)
    ]
    tolerance = _tolerance(torch.stack([run.total, *run.components]))
    for (name, value, eager), allowed in zip(pairs, tolerance, strict=True):
        wrong = ~_is_close(value, eager, allowed)
        if bool(wrong.any()):
            return Problem(
                f"{name} as traced differs from what the code gives on {int(wrong.sum())} of {len(wrong)} recorded "
                "states: some Python in it depends on values",
                "Compute everything from the parameters with torch functions and torch.where.",
            )
    return None


def _tolerance(results: torch.Tensor) -> torch.Tensor:
    """The allowed difference of each result, for results (num_results, num_rows).

    It is relative to the result itself: a huge value allows no error in another row, and none but its own roundings in
    another result.
    """
    own = results.abs().nan_to_num(0.0, 0.0, 0.0)
    size = own.amax(0)
    floor = min(float(size.quantile(SMALL_ROWS)), SMALL_RESULT)
    return RELATIVE_TOLERANCE * own + ROUNDINGS * size.clamp(min=floor)


def _is_close(a: torch.Tensor, b: torch.Tensor, tolerance: torch.Tensor) -> torch.Tensor:
    """Elementwise comparison; infinities and NaN are close to equal values."""
    return ((a - b).abs() <= tolerance) | (a == b) | (a.isnan() & b.isnan())


def check_rows(function: RewardFunction, state: State, rows: int) -> Problem | None:
    """Compute as many rows at once as a training does; every row must give the same result as in a small batch."""
    results = function(repeated(state, rows))
    problem = _check_form(results, rows)
    if problem is not None:
        return problem
    if not same_rows(stacked(function(state)), stacked(results)):
        return Problem(
            f"a reward changes with the number of environments: it differs on {rows} rows",
            "Keep the first dimension, num_envs, whole, and use its size in shapes only.",
        )
    return None


def same_rows(few: torch.Tensor, many: torch.Tensor) -> bool:
    """Whether results of `repeated` states, (num_results, num_rows), are the results of the states, repeated."""
    few = few[:, torch.arange(many.shape[1]) % few.shape[1]]
    return bool(_is_close(many, few, _tolerance(few)).all())


def repeated(state: State, rows: int) -> dict[str, torch.Tensor]:
    """The first `rows` of a state, from its beginning again where it has fewer."""
    return {name: value[torch.arange(rows) % value.shape[0]] for name, value in state.items()}


def stretched(state: State, factor: float) -> dict[str, torch.Tensor]:
    """The state with every floating-point field times a factor; flags and counters are unchanged."""
    return {name: value * factor if value.is_floating_point() else value for name, value in state.items()}


def check_cost(function: RewardFunction, state: State, rows: int) -> Problem | None:
    """Measure time and memory of one call on as many rows as in training; to be run in a process of its own."""
    many = repeated(state, rows)
    before = peak_bytes()
    seconds = min(_seconds(function, many) for _ in range(2))
    memory = peak_bytes() - before
    if seconds > SECONDS_PER_ROW * rows:
        return Problem(
            f"it takes {1e6 * seconds / rows:.0f} microseconds of computing an environment in a step, more than "
            f"{1e6 * SECONDS_PER_ROW:.0f}",
            "Use fewer operations on wide tensors: no sorts, and no products of all pairs.",
        )
    if memory > BYTES_PER_ROW * rows:
        return Problem(
            f"it takes {memory / rows / 1024:.0f} KiB of memory an environment, more than {BYTES_PER_ROW / 1024:.0f}",
            "Use fewer and smaller tensors.",
        )
    return None


def _seconds(function: RewardFunction, state: Mapping[str, torch.Tensor]) -> float:
    started = time.process_time()
    function(state)
    return time.process_time() - started


def check_finite(function: RewardFunction, state: State) -> Problem | None:
    """Find totals and components that are NaN or infinite, and the line where that begins."""
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
    """Replace one half of the environments by copies of the other; the results of the unchanged half must not change.

    Both halves are tried; the comparison is bitwise.
    """
    half = next(iter(state.values())).shape[0] // 2
    state = {name: value[: 2 * half] for name, value in state.items()}
    before = stacked(function(state))
    for kept in (slice(0, half), slice(half, 2 * half)):
        other = {name: torch.cat([value[kept], value[kept]]) for name, value in state.items()}
        if not _same(before[:, kept], stacked(function(other))[:, kept]):
            return Problem(
                "a reward changes when other environments change",
                "Combine the values of one environment only: no cumsum, sort, flip, roll or softmax over dim=0.",
                _first_change(function.graph, state, other, kept),
            )
    return None


def stacked(results: tuple[torch.Tensor, Mapping[str, torch.Tensor]]) -> torch.Tensor:
    """The total and the components, (num_results, num_rows)."""
    total, components = results
    return torch.stack([total, *components.values()])


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.allclose(a, b, rtol=0.0, atol=0.0, equal_nan=a.is_floating_point())


def _first_change(graph: Graph, state: State, other: State, kept: slice) -> int | None:
    """The line of the first operation whose values differ in the unchanged environments."""
    device = next(iter(state.values())).device
    num_envs = next(iter(state.values())).shape[0]
    first, second = (evaluate(graph, s, num_envs, device) for s in (state, other))
    for node, before, after in zip(graph.nodes, first, second, strict=True):
        for a, b in zip(tensors(before), tensors(after), strict=True):
            if a.dim() and a.shape[0] == num_envs and not _same(a[kept], b[kept]):
                return node.line
    return None
