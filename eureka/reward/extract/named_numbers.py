"""Reads and replaces the named numbers in a reward's source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

_LARGEST = 1e300
"""Larger numbers are not weights, and integers may exceed the range of floats."""


def named_numbers(source: str) -> dict[str, float]:
    """Every name with a single numeric value in the source: from assignments and defaults of parameters.

    Names bound more than once are excluded. Empty if the source cannot be parsed.
    """
    return {name: float(ast.literal_eval(node)) for name, node in _places(source).items()}


def with_numbers(source: str, values: Mapping[str, float]) -> str:
    """The source with other values for some of its `named_numbers`; everything else, including comments, is unchanged.

    Raises:
        KeyError: a name that is not one of them.
    """
    places = _places(source)
    lines = source.encode().splitlines(keepends=True)
    # From the end to the beginning, so that earlier positions stay valid.
    for name in sorted(values, key=lambda name: (places[name].lineno, places[name].col_offset), reverse=True):
        node = places[name]
        assert node.end_col_offset is not None
        line = lines[node.lineno - 1]
        lines[node.lineno - 1] = line[: node.col_offset] + repr(values[name]).encode() + line[node.end_col_offset :]
    return b"".join(lines).decode()


def _places(source: str) -> dict[str, ast.expr]:
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    given: dict[str, list[ast.expr | None]] = {}
    for name, node in _given(module):
        given.setdefault(name, []).append(node)
    return {
        name: nodes[0]
        for name, nodes in given.items()
        if len(nodes) == 1 and nodes[0] is not None and _is_number(nodes[0]) and nodes[0].lineno == nodes[0].end_lineno
    }


def _given(module: ast.Module) -> Iterator[tuple[str, ast.expr | None]]:
    """Every bound name, with the expression of its only binding, or None."""
    plain: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if len(targets) == 1 and isinstance(targets[0], ast.Name):
                plain.add(id(targets[0]))
                yield targets[0].id, node.value
        elif isinstance(node, ast.arguments):
            positional = [*node.posonlyargs, *node.args]
            defaults = [None] * (len(positional) - len(node.defaults)) + list(node.defaults)
            for argument, default in zip([*positional, *node.kwonlyargs], [*defaults, *node.kw_defaults], strict=True):
                yield argument.arg, default
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in plain:
            yield node.id, None


def _is_number(node: ast.expr) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    value = inner.value if isinstance(inner, ast.Constant) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= _LARGEST  # infinity and integers beyond the range of floats are excluded
