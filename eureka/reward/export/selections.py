"""Writes parts of tensors as subscripts: selects, slices, unbinds and splits, and results of operations with several
results.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from eureka.reward.export.syntax import attribute, number
from eureka.reward.graph.format import Argument
from eureka.reward.graph.operations import OPS


def result(op: str, value: ast.expr, item: int) -> ast.expr:
    """One of the results of an operation with several results."""
    names = OPS[op].result_names
    if names:
        return attribute(value, names[item])
    return ast.Subscript(value, ast.Constant(item), ast.Load())


def selection(op: str, given: Mapping[str, Argument], item: int | None, value: ast.expr, dims: int) -> ast.expr:
    """`value[:, 2]` for a select, a slice, or item `item` of an unbind or a split; `dims` are those of `value`."""
    dim = given.get("dim", 0)
    assert isinstance(dim, int)
    if op == "select.int":
        index = given["index"]
        assert isinstance(index, int)
        return subscript(value, dim % dims, number(index))
    if op == "unbind.int":
        return subscript(value, dim % dims, ast.Constant(item))
    if op == "slice.Tensor":
        start, end, step = given.get("start"), given.get("end"), given.get("step", 1)
    else:
        assert item is not None
        size = given["split_size"] if op == "split.Tensor" else given["split_sizes"]
        sizes = size if isinstance(size, tuple) else (size,) * (item + 1)
        edges = [sum(s for s in sizes[:count] if isinstance(s, int)) for count in (item, item + 1)]
        start, end, step = edges[0], edges[1], 1
    bounds = [
        None if bound is None or bound == default else number(bound)
        for bound, default in ((start, 0), (end, None), (step, 1))
        if isinstance(bound, int | None)
    ]
    return subscript(value, dim % dims, ast.Slice(*bounds))


def subscript(value: ast.expr, dim: int, index: ast.expr) -> ast.expr:
    """Index one dimension; `x[:, 0]` indexed again becomes `x[:, 0, 2]` if that is equivalent."""
    entries: list[ast.expr] = []
    # A single index is kept: it may be the item of a list.
    merges = isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Tuple | ast.Slice)
    if merges and isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name):
        before = value.slice.elts if isinstance(value.slice, ast.Tuple) else [value.slice]
        places = [place for place, entry in enumerate(before) if isinstance(entry, ast.Slice)]
        if dim >= len(places) or _is_all(before[places[dim]]):
            dim = places[dim] if dim < len(places) else dim + len(before) - len(places)
            entries, value = list(before), value.value
    entries += [ast.Slice() for _ in range(dim + 1 - len(entries))]
    entries[dim] = index
    return ast.Subscript(value, entries[0] if len(entries) == 1 else ast.Tuple(entries, ast.Load()), ast.Load())


def _is_all(entry: ast.expr) -> bool:
    return isinstance(entry, ast.Slice) and not (entry.lower or entry.upper or entry.step)
