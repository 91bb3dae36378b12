"""A reward table as a reward graph: each term's value a State field, each term times its weight a component."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from typing import Any

from eureka.core.errors import ConfigError
from eureka.trainers.remote.task import TableTerm


def table_graph(task: str, table: Sequence[TableTerm], fields: Collection[str]) -> str:
    """The graph (JSON) of the sum of weight x term over a task's own reward table.

    Args:
        fields: the names that the State has.

    Raises:
        ConfigError: the table has no terms, a weight is no number, or the State lacks a term.
    """
    if not table:
        raise ConfigError(
            f"search.init=human: the reward table of {task} has no term with a weight other than 0: give a Python file"
        )
    for term in table:
        if term.field not in fields or not math.isfinite(term.weight):
            what = "its weight is not finite" if term.field in fields else f"state= takes {term.field} away"
            raise ConfigError(f"search.init=human: the term {term.name} of {task} cannot be read: {what}")
    nodes: list[dict[str, Any]] = [
        {"op": "mul.Tensor", "args": [{"input": term.field}, term.weight], "name": term.name} for term in table
    ]
    total = 0
    for index in range(1, len(table)):
        nodes.append({"op": "add.Tensor", "args": [{"node": total}, {"node": index}]})
        total = len(nodes) - 1
    return json.dumps(
        {
            "version": 1,
            "inputs": [term.field for term in table],
            "constants": {},
            "nodes": nodes,
            "total": {"node": total},
            "components": [{"name": term.name, "value": {"node": index}} for index, term in enumerate(table)],
        }
    )
