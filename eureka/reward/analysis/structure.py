"""The structure of a graph: the fields that are read, how components enter the total, and unreported terms.

The total is decomposed into additive terms, through sums, differences, factors and summed stacks. Components are
decomposed in the same way, so that both can be compared.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from eureka.reward.graph.format import Argument, Component, ConstantRef, Graph, InputRef, Node, NodeRef, Ref
from eureka.reward.trace.lower import renumbered, renumbered_node

# : Relative precision to which components must agree with a sum to count as its parts.
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class ComponentEntry:
    """How a component enters the total: `weight` times, or by other operations (`shaped`), or not at all."""

    weight: float | None
    shaped: bool

    @property
    def reaches(self) -> bool:
        return self.shaped or (self.weight is not None and self.weight != 0.0)


@dataclass(frozen=True)
class Unreported:
    """A term of the total that is in no component; `name` is its variable, if it has one."""

    value: Ref
    weight: float
    name: str | None
    line: int | None
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Structure:
    """The structure of one graph: fields read by the total and by each component, how these enter it, and unreported
    terms.

    `constant` is the part of the total that is a plain number, and that no component accounts for.
    """

    reads: tuple[str, ...]
    component_reads: Mapping[str, tuple[str, ...]]
    entries: Mapping[str, ComponentEntry]
    unreported: tuple[Unreported, ...]
    constant: float


def structure(graph: Graph) -> Structure:
    """Analyse a verified graph, without evaluating it."""
    graph = _unified(graph)
    ancestors = _Ancestors(graph)
    total = terms(graph, graph.total)
    parts = {c.name: terms(graph, c.value) for c in graph.components}
    reported = {ref for part in parts.values() for ref in part.terms}
    nodes = _mask([*(c.value for c in graph.components), *reported])
    missing = [
        Unreported(ref, weight, *_place(graph, ref), ancestors.reads(ref))
        for ref, weight in total.terms.items()
        if weight and ref not in reported and not ancestors.nodes(ref) & nodes
    ]
    entries = {c.name: _entry(c.value, parts[c.name], total, ancestors.nodes(graph.total)) for c in graph.components}
    entries |= _summed(parts, total)
    constants = sum(parts[name].constant * (entry.weight or 0.0) for name, entry in entries.items())
    constant = total.constant - constants
    return Structure(
        ancestors.reads(graph.total),
        {c.name: ancestors.reads(c.value) for c in graph.components},
        entries,
        tuple(missing),
        constant if abs(constant) > _TOLERANCE * max(abs(total.constant), abs(constants)) else 0.0,
    )


def _unified(graph: Graph) -> Graph:
    """The graph with equal computations merged, since many rewards compute a term again to report it."""
    nodes: list[Node] = []
    first: dict[Any, int] = {}
    number: list[int] = []
    for index, node in enumerate(graph.nodes):
        nodes.append(renumbered_node(node, number))
        number.append(first.setdefault((nodes[-1].op, nodes[-1].args, nodes[-1].kwargs), index))
    components = tuple(Component(c.name, renumbered(c.value, number)) for c in graph.components)
    return replace(graph, nodes=tuple(nodes), total=renumbered(graph.total, number), components=components)


def _summed(parts: Mapping[str, Terms], total: Terms) -> dict[str, ComponentEntry]:
    """The components whose sum, or a multiple of it, is in the total; none if they enter with different weights.

    It tells how components enter that share a term, as `0.4 * (1 - failed)` and `-2 * failed` do: each on its own would
    be taken for the whole of that term.
    """
    reaching = {name: p for name, p in parts.items() if p.terms and all(total.terms.get(ref) for ref in p.terms)}
    summed: dict[Ref, float] = {}
    for part in reaching.values():
        for ref, weight in part.terms.items():
            summed[ref] = summed.get(ref, 0.0) + weight
    weights = [total.terms[ref] / weight if weight else math.inf for ref, weight in summed.items()]
    if not weights or not all(math.isclose(weight, weights[0], rel_tol=_TOLERANCE) for weight in weights):
        return {}
    return dict.fromkeys(reaching, ComponentEntry(weights[0], False))


def _entry(value: Ref, part: Terms, total: Terms, below_total: int) -> ComponentEntry:
    if not part.terms:
        return ComponentEntry(1.0 if part.constant and total.constant else 0.0, False)
    weights = [total.terms.get(ref, 0.0) / weight for ref, weight in part.terms.items() if weight]
    if weights and all(math.isclose(weight, weights[0], rel_tol=_TOLERANCE) for weight in weights) and weights[0]:
        return ComponentEntry(weights[0], False)
    inside = _mask([value, *part.terms]) & below_total
    return ComponentEntry(None, bool(inside) or any(total.terms.get(ref) for ref in part.terms))


def _mask(refs: Iterable[Ref]) -> int:
    """The nodes among `refs`, as the bits of a number."""
    return functools.reduce(operator.or_, (1 << ref.index for ref in refs if isinstance(ref, NodeRef)), 0)


def _place(graph: Graph, ref: Ref) -> tuple[str | None, int | None]:
    if isinstance(ref, InputRef):
        return ref.name, None
    return graph.nodes[ref.index].name, graph.nodes[ref.index].line


class _Ancestors:
    """For every value, the nodes (itself included) and the inputs that it is computed from, as bit masks."""

    def __init__(self, graph: Graph) -> None:
        self._inputs = graph.inputs
        self._bit = {name: 1 << index for index, name in enumerate(graph.inputs)}
        self._nodes: list[int] = []
        self._reads: list[int] = []
        for index, node in enumerate(graph.nodes):
            sources = list(node.tensors)
            self._nodes.append(functools.reduce(operator.or_, map(self.nodes, sources), 1 << index))
            self._reads.append(functools.reduce(operator.or_, map(self._read, sources), 0))

    def nodes(self, ref: Ref) -> int:
        return self._nodes[ref.index] if isinstance(ref, NodeRef) else 0

    def _read(self, ref: Ref) -> int:
        return self._reads[ref.index] if isinstance(ref, NodeRef) else self._bit[ref.name]

    def reads(self, ref: Ref) -> tuple[str, ...]:
        return tuple(name for name in self._inputs if self._read(ref) & self._bit[name])


# ---------------------------------------------------------------------------------------------- additive terms


@dataclass(frozen=True)
class Terms:
    """A value as a sum: `constant` plus each of `terms` times its number."""

    terms: Mapping[Ref, float]
    constant: float


def terms(graph: Graph, ref: Ref) -> Terms:
    """Decompose a value into additive terms, visiting each node once."""
    weights: dict[Ref, float] = {ref: 1.0}
    constant = 0.0
    leaves: dict[Ref, float] = {}
    for index in range(len(graph.nodes) - 1, -1, -1):
        key = NodeRef(index)
        weight = weights.pop(key, None)
        if weight is None:
            continue
        parts = _parts(graph, graph.nodes[index])
        if parts is None:
            leaves[key] = weight
            continue
        constant += weight * parts.constant
        for source, factor in parts.terms.items():
            weights[source] = weights.get(source, 0.0) + weight * factor
    # The rest are inputs, and single values of operations with several results.
    return Terms({**weights, **leaves}, constant)


def _parts(graph: Graph, node: Node) -> Terms | None:
    """One step of the decomposition: a node's value as a sum of others, None if it is something else."""
    args, kwargs = node.args, dict(node.kwargs)
    if node.op in ("add.Tensor", "sub.Tensor", "rsub.Tensor", "rsub.Scalar") and len(args) >= 2:
        alpha = _number(graph, args[2] if len(args) > 2 else kwargs.get("alpha", 1))
        if alpha is None:
            return None
        first, second = {"add": (1.0, alpha), "sub": (1.0, -alpha)}.get(node.op[:3], (-alpha, 1.0))
        return _sum(graph, [(args[0], first), (args[1], second)])
    if node.op == "neg":
        return _sum(graph, [(args[0], -1.0)])
    if node.op == "mul.Tensor" and len(args) == 2:
        for value, factor in ((args[0], args[1]), (args[1], args[0])):
            number = _number(graph, factor)
            if number is not None:
                return _sum(graph, [(value, number)])
    if node.op == "div.Tensor" and len(args) == 2:
        number = _number(graph, args[1])
        return _sum(graph, [(args[0], 1.0 / number)]) if number else None
    if node.op in ("sum.dim_IntList", "mean.dim"):
        return _stacked(graph, node)
    number = _number(graph, node.fill)
    return None if number is None else Terms({}, number)


def _sum(graph: Graph, parts: list[tuple[Argument, float]]) -> Terms:
    found: dict[Ref, float] = {}
    constant = 0.0
    for value, weight in parts:
        if isinstance(value, NodeRef | InputRef):
            found[value] = found.get(value, 0.0) + weight
        else:
            constant += weight * (_number(graph, value) or 0.0)
    return Terms(found, constant)


def _stacked(graph: Graph, node: Node) -> Terms | None:
    """The sum or the mean over a stack made just before, of elements (num_envs,) each, so that the stack has two
    dimensions.
    """
    source = node.args[0]
    if not isinstance(source, NodeRef) or graph.nodes[source.index].op != "stack":
        return None
    stack = graph.nodes[source.index]
    dim = stack.args[1] if len(stack.args) > 1 else dict(stack.kwargs).get("dim", 0)
    dims = node.args[1] if len(node.args) > 1 else None
    values = stack.args[0]
    if not isinstance(dims, tuple) or len(dims) != 1 or not isinstance(values, tuple) or not isinstance(dim, int):
        return None
    if not isinstance(dims[0], int) or dims[0] % 2 != dim % 2:
        return None
    return _sum(graph, [(value, 1.0 if node.op.startswith("sum") else 1.0 / len(values)) for value in values])


def _number(graph: Graph, argument: Argument) -> float | None:
    """The plain number that an argument stands for, None if it is not one."""
    if isinstance(argument, ConstantRef):
        return -graph.constants[argument.name] if argument.negative else graph.constants[argument.name]
    if isinstance(argument, NodeRef):
        return _number(graph, graph.nodes[argument.index].fill)
    return float(argument) if type(argument) in (int, float) else None  # type: ignore[arg-type]
