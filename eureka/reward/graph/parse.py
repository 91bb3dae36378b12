"""Parses the text of a possibly hostile reward graph, checking every argument against its operation's parameters.

Nothing in the text is executed, and parsing takes bounded time and memory.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import torch

from eureka.reward.graph.format import (
    MAX_BYTES,
    MAX_COMPONENTS,
    MAX_CONSTANTS,
    MAX_DEPTH,
    MAX_INPUTS,
    MAX_INT,
    MAX_LINE,
    MAX_LIST,
    MAX_NAME,
    MAX_NODES,
    MAX_TENSOR_VALUES,
    VERSION,
    Argument,
    Batch,
    Component,
    ConstantRef,
    DType,
    Graph,
    GraphError,
    InputRef,
    Node,
    NodeRef,
    Ref,
    is_name,
)
from eureka.reward.graph.operations import DTYPES, OPS, STRING_ARGUMENTS, Operation, OperationParameter

_SIZES = frozenset({"size", "shape", "repeats"})
"""The parameters that may hold the number of environments."""


def _object(value: Any, where: str, required: str, optional: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        raise GraphError(f"{where}: expected an object")
    missing = set(required.split()) - value.keys()
    unknown = value.keys() - set(required.split()) - set(optional.split())
    if missing or unknown:
        raise GraphError(f"{where}: missing keys {sorted(missing)}, unknown keys {sorted(unknown)}")
    return value


def _list(value: Any, where: str, limit: int, least: int = 0) -> list[Any]:
    if not isinstance(value, list) or not least <= len(value) <= limit:
        raise GraphError(f"{where}: expected a list of {least} to {limit} elements")
    return value


def _name(value: Any, where: str) -> str:
    if not is_name(value):
        raise GraphError(f"{where}: expected a plain identifier of at most {MAX_NAME} characters")
    return str(value)


def _integer(value: Any, where: str, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise GraphError(f"{where}: expected an integer from {low} to {high}")
    return value


def finite_number(value: Any, where: str) -> float:
    if type(value) is int:
        return _integer(value, where, -MAX_INT, MAX_INT)
    if type(value) is float and math.isfinite(value):
        return value
    raise GraphError(f"{where}: expected a finite number")


class _Reader:
    """Converts decoded JSON to a `Graph`, checking everything."""

    def __init__(self, document: Any) -> None:
        top = _object(document, "graph", "version inputs constants nodes total components")
        if type(top["version"]) is not int or top["version"] != VERSION:
            raise GraphError(f"graph: version {top['version']!r:.20} is not {VERSION}")
        inputs = [_name(v, "inputs") for v in _list(top["inputs"], "inputs", MAX_INPUTS, 1)]
        if len(set(inputs)) != len(inputs):
            raise GraphError("inputs: a name stands twice")
        constants = top["constants"]
        if not isinstance(constants, dict) or len(constants) > MAX_CONSTANTS:
            raise GraphError(f"constants: expected an object of at most {MAX_CONSTANTS} numbers")
        self.inputs = tuple(inputs)
        self.constants = {
            _name(k, "constants"): finite_number(v, f"constant {k}") for k, v in sorted(constants.items())
        }
        self.nodes: list[Node] = []
        for entry in _list(top["nodes"], "nodes", MAX_NODES):
            self.nodes.append(self.node(entry, f"node {len(self.nodes)}"))
        self.total = self.ref(top["total"], "total")
        self.components = self.read_components(top["components"])

    def read_components(self, entries: Any) -> tuple[Component, ...]:
        components = []
        for entry in _list(entries, "components", MAX_COMPONENTS, 1):
            entry = _object(entry, "component", "name value")
            name = entry["name"]
            if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or not name.isprintable():
                raise GraphError(f"component: expected a printable name of at most {MAX_NAME} characters")
            components.append(Component(name, self.ref(entry["value"], "component")))
        if len({c.name for c in components}) != len(components):
            raise GraphError("components: a name stands twice")
        return tuple(components)

    def ref(self, value: Any, where: str) -> Ref:
        argument = self.argument(value, where)
        if not isinstance(argument, (NodeRef, InputRef)):
            raise GraphError(f"{where}: expected a reference to a node or an input")
        return argument

    def node(self, entry: Any, where: str) -> Node:
        entry = _object(entry, where, "op args", "kwargs line name")
        op, kwargs = entry["op"], entry.get("kwargs", {})
        if not isinstance(op, str) or (op not in OPS and op != "tensor"):
            raise GraphError(f"{where}: operation {op!r:.60} is not among those that a reward may use")
        if not isinstance(kwargs, dict):
            raise GraphError(f"{where}: expected an object of keyword arguments")
        limit = MAX_TENSOR_VALUES if op == "tensor" else MAX_LIST
        node = Node(
            op,
            tuple(self.argument(a, where, limit) for a in _list(entry["args"], where, 8)),
            tuple((key, self.argument(value, where)) for key, value in sorted(kwargs.items())),
            _integer(entry["line"], f"{where}: line", 1, MAX_LINE) if "line" in entry else None,
            _name(entry["name"], f"{where}: name") if "name" in entry else None,
        )
        _check_literal(node, where) if op == "tensor" else _check_call(node, OPS[op], where)
        return node

    def argument(self, value: Any, where: str, limit: int = MAX_LIST, nested: bool = False) -> Argument:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            if value not in STRING_ARGUMENTS:
                raise GraphError(f"{where}: the text {value!r:.40} is not an argument of any operation")
            return value
        if isinstance(value, (int, float)):
            return finite_number(value, where)
        if isinstance(value, list):
            if nested:
                raise GraphError(f"{where}: lists may not be nested")
            return tuple(self.argument(element, where, nested=True) for element in _list(value, where, limit))
        if isinstance(value, dict):
            return self.reference(value, where)
        raise GraphError(f"{where}: a value of an unknown kind")

    def reference(self, value: dict[str, Any], where: str) -> Argument:
        if "node" in value:
            _object(value, where, "node", "item")
            index = _integer(value["node"], f"{where}: node", 0, len(self.nodes) - 1)
            op = OPS.get(self.nodes[index].op)
            outputs = 1 if op is None else op.outputs
            if (outputs == 1) == ("item" in value):
                raise GraphError(f"{where}: one of several values is referred to by its item, a single one without")
            if outputs == 1:
                return NodeRef(index)
            return NodeRef(index, _integer(value["item"], f"{where}: item", 0, (outputs or MAX_LIST) - 1))
        if "input" in value:
            _object(value, where, "input")
            if value["input"] not in self.inputs:
                raise GraphError(f"{where}: no such input")
            return InputRef(value["input"])
        if "constant" in value:
            _object(value, where, "constant", "negative")
            if not isinstance(value["constant"], str) or value["constant"] not in self.constants:
                raise GraphError(f"{where}: no such constant")
            if value.get("negative", True) is not True:
                raise GraphError(f"{where}: `negative` is true or absent")
            return ConstantRef(value["constant"], "negative" in value)
        key, content = next(iter(_object(value, where, "", "batch dtype float").items()), ("", None))
        if len(value) != 1:
            raise GraphError(f"{where}: expected one key")
        if key == "batch":
            return Batch(_integer(content, where, 1, MAX_TENSOR_VALUES))
        if key == "dtype" and isinstance(content, str) and content in DTYPES:
            return DType(content)
        if key == "float" and isinstance(content, str) and content in ("inf", "-inf", "nan"):
            return float(content)
        raise GraphError(f"{where}: {key} has an unknown value")


def _check_literal(node: Node, where: str) -> None:
    """Check a literal tensor: `args` are its values (row-major) and its shape, `dtype` its type."""
    dtype = dict(node.kwargs).get("dtype")
    if len(node.args) != 2 or len(node.kwargs) != 1 or not isinstance(dtype, DType):
        raise GraphError(f"{where}: a literal tensor takes values, shape and dtype")
    values, shape = node.args
    if not isinstance(values, tuple) or not isinstance(shape, tuple) or len(shape) > 8:
        raise GraphError(f"{where}: a literal tensor takes lists of values and sizes")
    sizes = [_integer(size, f"{where}: shape", 0, MAX_TENSOR_VALUES) for size in shape]
    if math.prod(sizes) != len(values):
        raise GraphError(f"{where}: a literal tensor has {len(values)} values for shape {sizes}")
    wanted = (bool,) if dtype.name == "bool" else (int, float) if DTYPES[dtype.name].is_floating_point else (int,)
    whole = wanted == (int,)
    low, high = (torch.iinfo(DTYPES[dtype.name]).min, torch.iinfo(DTYPES[dtype.name]).max) if whole else (0, 0)
    for value in values:
        if type(value) not in wanted or (whole and not low <= value <= high):  # type: ignore[operator]
            raise GraphError(f"{where}: values that are not of type {dtype.name}")


def _check_call(node: Node, operation: Operation, where: str) -> None:
    positional = [p for p in operation.parameters if not p.keyword_only]
    if len(node.args) > len(positional):
        raise GraphError(f"{where}: {node.op} takes at most {len(positional)} positional arguments")
    given = dict(zip((p.name for p in positional), node.args, strict=False))
    by_name = {p.name: p for p in operation.parameters}
    for key, value in node.kwargs:
        if key not in by_name or key in given:
            raise GraphError(f"{where}: {node.op} takes no further argument {key!r:.40}")
        given[key] = value
    for parameter in operation.parameters:
        if parameter.name not in given:
            if parameter.required:
                raise GraphError(f"{where}: {node.op} needs {parameter.name}")
        elif not _accepts(parameter, given[parameter.name], node.op):
            raise GraphError(f"{where}: {node.op} cannot take this {parameter.name}")


def _accepts(parameter: OperationParameter, value: Argument, op: str) -> bool:
    if value is None:
        return parameter.optional
    if parameter.is_list:
        element = parameter._replace(is_list=False, optional=False)
        return isinstance(value, tuple) and all(_accepts(element, v, op) for v in value)
    number = type(value) in (int, float, bool) or isinstance(value, ConstantRef)
    if parameter.kind == "Tensor":
        return isinstance(value, (NodeRef, InputRef)) or (number and parameter.name == "other" and OPS[op].takes_number)
    if parameter.kind in ("number", "float"):
        return number
    if parameter.kind in ("int", "SymInt"):
        sized = isinstance(value, Batch) and parameter.name in _SIZES
        return sized or (type(value) is int and abs(value) < 2**31)
    if parameter.kind == "bool":
        return type(value) is bool
    return isinstance(value, DType) if parameter.kind == "ScalarType" else isinstance(value, str)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise GraphError("graph: a key stands twice in one object")
    return value


def _no_constant(text: str) -> None:
    raise GraphError(f"graph: {text} is not JSON")


_BRACKET_OR_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]')


def _check_depth(text: str) -> None:
    """Raise if objects and lists are nested deeper than in any valid graph, before a JSON parser recurses into them."""
    depth = 0
    for match in _BRACKET_OR_STRING.finditer(text):
        bracket = match[0]
        depth += 1 if bracket in "[{" else -1 if bracket in "]}" else 0
        if depth > MAX_DEPTH:
            raise GraphError(f"graph: nested deeper than {MAX_DEPTH} levels")


def parse_graph(text: str) -> Graph:
    """Parse a graph; raises `GraphError` for any other text."""
    if len(text) > MAX_BYTES:
        raise GraphError(f"graph: longer than {MAX_BYTES} characters")
    _check_depth(text)
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except GraphError:
        raise
    except (ValueError, RecursionError) as error:
        raise GraphError(f"graph: not JSON ({type(error).__name__})") from error
    reader = _Reader(document)
    return Graph(reader.inputs, reader.constants, tuple(reader.nodes), reader.total, reader.components)
