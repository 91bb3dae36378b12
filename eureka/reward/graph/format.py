"""The reward graph and its JSON format: a list of pure tensor operations.

    {"version": 1, "inputs": ["speed"], "constants": {"weight": 0.5},
     "nodes": [{"op": "mul.Tensor", "args": [{"input": "speed"}, {"constant": "weight"}], "line": 4, "name": "run"}],
     "total": {"node": 0}, "components": [{"name": "forward", "value": {"node": 0}}]}

Arguments: JSON numbers, booleans, null and lists stand for themselves, and
`{"node": i}` is the value of an earlier node, `{"node": i, "item": k}` one of several values that it gave;
`{"input": name}` a field of the state; `{"constant": name}` a named constant, with `"negative": true` its negation;
`{"batch": k}` is k times the number of environments; `{"dtype": "bool"}` a tensor type; `{"float": "inf"}` a
non-finite number. The pseudo-operation `tensor` (values, shape, dtype) is a literal tensor.
"""

from __future__ import annotations

import json
import keyword
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from eureka.core.text import clean
from eureka.reward.graph.operations import OPS

VERSION = 1
MAX_BYTES = 1 << 20
MAX_DEPTH = 8
MAX_NODES = 2000
MAX_CONSTANTS = 512
MAX_INPUTS = 128
MAX_COMPONENTS = 64
MAX_NAME = 64
MAX_LIST = 128
MAX_TENSOR_VALUES = 4096
MAX_LINE = 100_000
MAX_INT = 2**53


class GraphError(ValueError):
    """A graph that is malformed or not allowed; the text says what is wrong and at which node."""

    def __init__(self, message: str) -> None:
        super().__init__(clean(message, 500))


@dataclass(frozen=True)
class NodeRef:
    """The value of node `index`, or its `item`-th value."""

    index: int
    item: int | None = None


@dataclass(frozen=True)
class InputRef:
    """A field of the state."""

    name: str


@dataclass(frozen=True)
class ConstantRef:
    """A named constant, or its negation."""

    name: str
    negative: bool = False


@dataclass(frozen=True)
class Batch:
    """`multiple` times the number of environments."""

    multiple: int


@dataclass(frozen=True)
class DType:
    """A tensor type by name (a key of `DTYPES`)."""

    name: str


Ref = NodeRef | InputRef
Argument = Ref | ConstantRef | Batch | DType | int | float | bool | str | None | tuple["Argument", ...]


@dataclass(frozen=True)
class Node:
    """One operation. `line` is the line of the source it came from, `name` the variable that its value was given."""

    op: str
    args: tuple[Argument, ...]
    kwargs: tuple[tuple[str, Argument], ...] = ()
    line: int | None = None
    name: str | None = None

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """All arguments, positional and keyword."""
        return (*self.args, *(value for _, value in self.kwargs))

    @property
    def given(self) -> dict[str, Argument]:
        """The arguments by name of the operation's parameters."""
        return OPS[self.op].named(self.args, self.kwargs)

    @property
    def tensors(self) -> list[Ref]:
        """The nodes and inputs that it reads, in order."""
        return [r for a in self.arguments for r in references(a) if isinstance(r, NodeRef | InputRef)]

    @property
    def fill(self) -> Argument:
        """The number or constant that every element of its value has; None if that cannot be known from its form."""
        operation = OPS.get(self.op)
        fill = None if operation is None else operation.fill
        return self.given.get(fill) if isinstance(fill, str) else fill


@dataclass(frozen=True)
class Component:
    """A named part of the reward, shown to people and models; `name` is any printable text."""

    name: str
    value: Ref


@dataclass(frozen=True)
class Graph:
    """A reward as pure tensor operations; nodes refer to earlier nodes only."""

    inputs: tuple[str, ...]
    constants: Mapping[str, float]
    nodes: tuple[Node, ...]
    total: Ref
    components: tuple[Component, ...]


def references(argument: Argument) -> Iterable[NodeRef | InputRef | ConstantRef]:
    """Everything that an argument refers to, lists included."""
    if isinstance(argument, tuple):
        for element in argument:
            yield from references(element)
    elif isinstance(argument, (NodeRef, InputRef, ConstantRef)):
        yield argument


def is_name(value: object) -> bool:
    """Whether `value` is a plain ASCII identifier that is not a keyword and not too long."""
    return (
        isinstance(value, str)
        and len(value) <= MAX_NAME
        and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value) is not None
        and not keyword.iskeyword(value)
    )


def _json(argument: Argument) -> Any:
    if isinstance(argument, tuple):
        return [_json(element) for element in argument]
    if isinstance(argument, NodeRef):
        item = {} if argument.item is None else {"item": argument.item}
        return {"node": argument.index, **item}
    if isinstance(argument, InputRef):
        return {"input": argument.name}
    if isinstance(argument, ConstantRef):
        return {"constant": argument.name, **({"negative": True} if argument.negative else {})}
    if isinstance(argument, Batch):
        return {"batch": argument.multiple}
    if isinstance(argument, DType):
        return {"dtype": argument.name}
    if isinstance(argument, float) and not math.isfinite(argument):
        return {"float": str(argument)}
    return argument


def format_graph(graph: Graph) -> str:
    """The canonical text: sorted keys, no spaces, ASCII; equal graphs have equal text, and floats are exact."""
    nodes = []
    for node in graph.nodes:
        entry: dict[str, Any] = {"op": node.op, "args": [_json(a) for a in node.args]}
        if node.kwargs:
            entry["kwargs"] = {key: _json(value) for key, value in node.kwargs}
        if node.line is not None:
            entry["line"] = node.line
        if node.name is not None:
            entry["name"] = node.name
        nodes.append(entry)
    document = {
        "version": VERSION,
        "inputs": list(graph.inputs),
        "constants": dict(graph.constants),
        "nodes": nodes,
        "total": _json(graph.total),
        "components": [{"name": c.name, "value": _json(c.value)} for c in graph.components],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
