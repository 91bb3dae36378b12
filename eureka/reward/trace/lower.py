"""Combines two recordings of one function, made with different numbers of environments, to one graph.

Equal arguments are kept; sizes that are proportional to the number of environments become `Batch`; any other difference
means that the code depends on that number, or on something other than its arguments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import overload

from eureka.reward.graph.format import (
    Argument,
    Batch,
    Component,
    ConstantRef,
    Graph,
    Node,
    NodeRef,
    Ref,
    is_name,
    references,
)
from eureka.reward.trace.explain import TraceFailure
from eureka.reward.trace.recorded import ODD_SIZE, Literal, Recorded, RecordedOperation

_BATCHED = (
    "Write it so that it works for any number of environments at once, with num_envs = x.shape[0] in shapes only."
)


@dataclass(frozen=True)
class TraceRecording:
    """One run: its entries, the number of environments, what it returned, and the sizes that the code read."""

    entries: list[RecordedOperation]
    num_envs: int
    total: Ref
    components: dict[str, Ref]
    sizes: Sequence[int | tuple[int, ...]] = ()


def lower(inputs: tuple[str, ...], first: TraceRecording, second: TraceRecording) -> Graph:
    """The graph of both recordings; raises `TraceFailure` if there is none."""
    if [entry.op for entry in first.entries] != [entry.op for entry in second.entries]:
        raise TraceFailure(
            "the operations depend on the number of environments, or change from call to call",
            _BATCHED,
            _parting_line(first.entries, second.entries),
        )
    if list(first.components) != list(second.components):
        raise TraceFailure("the names of the components change from call to call", "Use fixed names.")
    lowering = _Lowering(first.num_envs, second.num_envs)
    for read in zip(first.sizes, second.sizes, strict=False):
        if not lowering.same_size(*read):
            raise TraceFailure(*ODD_SIZE)
    nodes = [lowering.node(a, b) for a, b in zip(first.entries, second.entries, strict=True)]
    components = tuple(Component(name, ref) for name, ref in first.components.items())
    return live(Graph(inputs, lowering.constants, tuple(nodes), first.total, components))


def _parting_line(first: list[RecordedOperation], second: list[RecordedOperation]) -> int | None:
    """The line of the first operation at which two recordings differ."""
    for a, b in zip(first, second, strict=False):
        if a.op != b.op:
            return a.line
    return max(first, second, key=len)[min(len(first), len(second))].line


class _Lowering:
    def __init__(self, *num_envs: int) -> None:
        self.num_envs = num_envs
        self.constants: dict[str, float] = {}

    def same_size(self, a: int | tuple[int, ...], b: int | tuple[int, ...]) -> bool:
        """Whether a size that was read in both runs is the same, or the same multiple of the numbers of
        environments."""
        if isinstance(a, tuple) and isinstance(b, tuple):
            return len(a) == len(b) and all(map(self.same_size, a, b))
        return a == b or (isinstance(a, int) and isinstance(b, int) and a * self.num_envs[1] == b * self.num_envs[0])

    def node(self, a: RecordedOperation, b: RecordedOperation) -> Node:
        self.line = a.line
        args = tuple(self.argument(x, y) for x, y in zip(a.args, b.args, strict=True))
        kwargs = tuple((key, self.argument(x, y)) for (key, x), (_, y) in zip(a.kwargs, b.kwargs, strict=True))
        return Node(a.op, args, kwargs, a.line, a.name if a.name and is_name(a.name) else None)

    def argument(self, a: Recorded, b: Recorded) -> Argument:
        if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
            return tuple(self.argument(x, y) for x, y in zip(a, b, strict=True))
        if isinstance(a, Literal) and isinstance(b, Literal):
            if a.value != b.value and not (math.isnan(a.value) and math.isnan(b.value)):
                raise TraceFailure(
                    "a number in it depends on the number of environments, or changes from call to call",
                    "Combine the values of one environment only, and keep nothing between calls.",
                    self.line,
                )
            return self.literal(a)
        if type(a) is int and type(b) is int and a != b:
            multiple = a // self.num_envs[0]
            if multiple < 1 or (a, b) != (multiple * self.num_envs[0], multiple * self.num_envs[1]):
                raise TraceFailure("a size in it depends on the number of environments", _BATCHED, self.line)
            return Batch(multiple)
        if a != b:
            raise TraceFailure("it changes from call to call", _BATCHED, self.line)
        return a  # type: ignore[return-value]

    def literal(self, literal: Literal) -> Argument:
        """The named constant that a number came from, or the plain number."""
        if literal.name is None or not is_name(literal.name) or not math.isfinite(literal.value):
            return literal.value
        value = -literal.value if literal.negative else literal.value
        for name in (literal.name, *(f"{literal.name}_{k}" for k in range(2, 10))):
            known = self.constants.get(name, value) if is_name(name) else None
            if known == value and type(known) is type(value):
                self.constants[name] = value
                return ConstantRef(name, literal.negative)
        return literal.value


def live(graph: Graph) -> Graph:
    """The graph without the nodes and constants that neither the total nor a component needs."""
    outputs = [graph.total, *(c.value for c in graph.components)]
    live = {ref.index for ref in outputs if isinstance(ref, NodeRef)}
    for index in range(len(graph.nodes) - 1, -1, -1):
        if index in live:
            node = graph.nodes[index]
            live |= {r.index for a in node.arguments for r in references(a) if isinstance(r, NodeRef)}
    number = {old: new for new, old in enumerate(sorted(live))}
    nodes = tuple(renumbered_node(graph.nodes[old], number) for old in sorted(live))
    used = {r.name for n in nodes for a in n.arguments for r in references(a) if isinstance(r, ConstantRef)}
    constants = {name: value for name, value in graph.constants.items() if name in used}
    components = tuple(Component(c.name, renumbered(c.value, number)) for c in graph.components)
    return Graph(graph.inputs, constants, nodes, renumbered(graph.total, number), components)


@overload
def renumbered(argument: Ref, number: Mapping[int, int] | Sequence[int]) -> Ref: ...
@overload
def renumbered(argument: Argument, number: Mapping[int, int] | Sequence[int]) -> Argument: ...
def renumbered(argument: Argument, number: Mapping[int, int] | Sequence[int]) -> Argument:
    """An argument that refers to node `number[i]` where it referred to node `i`."""
    if isinstance(argument, tuple):
        return tuple(renumbered(element, number) for element in argument)
    return NodeRef(number[argument.index], argument.item) if isinstance(argument, NodeRef) else argument


def renumbered_node(node: Node, number: Mapping[int, int] | Sequence[int]) -> Node:
    """A node whose arguments are `renumbered`."""
    args = tuple(renumbered(argument, number) for argument in node.args)
    return replace(node, args=args, kwargs=tuple((key, renumbered(value, number)) for key, value in node.kwargs))
