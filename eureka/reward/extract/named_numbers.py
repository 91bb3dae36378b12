"""The named numbers of a reward's source: read from it, and written into it in place of what stands there."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

_LARGEST = 1e300
"""Larger numbers are no weights, and integers may be larger than any float."""


def named_numbers(source: str) -> dict[str, float]:
    """Every name that the source gives one number to, in one place: assignments and defaults of parameters.

    A name that is given something twice is left out. Empty where the source cannot be read.
    """
    return {name: _value(node) for name, node in _places(source).items()}


def with_numbers(source: str, values: Mapping[str, float]) -> str:
    """The source with other numbers for some of its `named_numbers`; all else stays as it is, comments too.

    Raises:
        KeyError: a name that is none of them.
    """
    places = _places(source)
    lines = source.encode().splitlines(keepends=True)
    # From the end to the beginning, so that a change moves nothing that is still to be changed.
    found = sorted(((places[name], value) for name, value in values.items()), key=lambda pair: _start(pair[0]))
    for node, value in reversed(found):
        assert node.end_col_offset is not None
        line = lines[node.lineno - 1]
        lines[node.lineno - 1] = line[: node.col_offset] + repr(value).encode() + line[node.end_col_offset :]
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
    """Every name that is bound, with the expression that it alone is given, None where there is none of the kind."""
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
    return abs(value) <= _LARGEST  # infinity is not, nor an integer that no float holds


def _value(node: ast.expr) -> float:
    return float(ast.literal_eval(node))


def _start(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset
