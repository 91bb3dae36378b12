"""The one text of a graph: equal graphs have equal text."""

from __future__ import annotations

import json
import math
from typing import Any

from eureka.reward.graph.runtime import VERSION, Argument, Batch, ConstantRef, DType, Graph, InputRef, NodeRef


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
