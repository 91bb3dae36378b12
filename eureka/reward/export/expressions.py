"""A reward graph's components as short expressions, for tables: `0.5 * exp(-abs(cart_position) / 0.8)`."""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Collection, Mapping, Sequence

from eureka.core.types import FieldSpec
from eureka.reward.export.fold import fold
from eureka.reward.export.syntax import number, source
from eureka.reward.graph.parse import parse_graph

LONGEST = 160
"""Maximum length of an expression in characters; a variable that would exceed it is not expanded."""
_DIGITS = 3


def component_expressions(graph: str, fields: Sequence[FieldSpec]) -> Mapping[str, str]:
    """Each component's value by its name, with the numbers in place of named constants.

    Raises:
        GraphError: the text is not a reward graph, or has another State.
    """
    return _expressions(graph, tuple(fields))


@functools.lru_cache(maxsize=256)
def _expressions(graph: str, fields: tuple[FieldSpec, ...]) -> Mapping[str, str]:
    parsed = parse_graph(graph)
    body = fold(parsed, fields)
    numbers = {body.constants[key]: value for key, value in parsed.constants.items()}
    variables = {statement.target: statement.value for statement in body.statements}
    fields_of = _fields_of(variables, frozenset(body.parameters.values()))
    own = frozenset(statement.target for statement in body.statements if statement.own)
    written_out = _written_out(variables, numbers, own)
    return {
        component.name: _shortened(_unnamed(value, variables), written_out, numbers, fields_of, own)
        for component, value in zip(parsed.components, body.components, strict=True)
    }


def _unnamed(value: ast.expr, variables: Mapping[str, ast.expr]) -> ast.expr:
    """What a component is computed as, where it is itself a variable, unless that is too long: `near(distance)` would
    say nothing of a component that is called `near`."""
    while isinstance(value, ast.Name) and value.id in variables and len(_text(variables[value.id])) <= LONGEST:
        value = variables[value.id]
    return value


def _fields_of(variables: Mapping[str, ast.expr], fields: frozenset[str]) -> Mapping[str, frozenset[str]]:
    """The State fields that each variable is computed from; a variable comes after those that it uses."""
    found: dict[str, frozenset[str]] = {}
    for name, value in variables.items():
        used = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
        found[name] = (fields & used).union(*(found[one] for one in used & found.keys()))
    return found


def _written_out(
    variables: Mapping[str, ast.expr], numbers: Mapping[str, float], own: frozenset[str]
) -> Mapping[str, ast.expr | None]:
    """Every variable's value in terms of State fields and of the candidate's own names, without a name that the export
    invented; None if that is too long. A variable comes after those that it uses.
    """
    found: dict[str, ast.expr | None] = {}
    for name, value in variables.items():
        used = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)} & found.keys() - own
        parts = {one: part for one in used if (part := found[one]) is not None}
        whole = _rewritten(value, parts, numbers, variables) if len(parts) == len(used) else None
        found[name] = whole if whole is not None and len(_text(whole)) <= LONGEST else None
    return found


def _shortened(
    value: ast.expr,
    variables: Mapping[str, ast.expr | None],
    numbers: Mapping[str, float],
    fields_of: Mapping[str, frozenset[str]],
    own: frozenset[str],
) -> str:
    """The expression with variables expanded, the outermost first, while it stays short.

    Variables that the candidate did not name are expanded first: `term_3` says nothing to a reader, `uprightness` does.
    One whose expansion would need such a name, like the parts of a rotation, is not expanded. Remaining variables are
    written as `name(field, ...)`, with the State fields that they are computed from.
    """
    current = _rewritten(value, {}, numbers, variables)
    while True:
        names = {node.id for node in ast.walk(current) if isinstance(node, ast.Name) and node.id in variables}
        for name in sorted(names, key=lambda name: (name in own, name)):
            whole = variables[name]
            longer = _rewritten(current, {name: whole}, numbers, variables) if whole is not None else None
            if longer is not None and len(_text(longer)) <= LONGEST:
                current = longer
                break
        else:
            return _text(_with_fields(current, fields_of))


def _with_fields(value: ast.expr, fields_of: Mapping[str, frozenset[str]]) -> ast.expr:
    """The expression with every variable replaced by a call on the State fields that it is computed from."""
    calls = {
        name: ast.Call(ast.Name(name), [ast.Name(field) for field in sorted(fields_of[name])], [])
        for name in {node.id for node in ast.walk(value) if isinstance(node, ast.Name)} & fields_of.keys()
    }

    class Rewriter(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return calls.get(node.id, node)

    rewritten: ast.expr = Rewriter().visit(value)
    return rewritten


def _rewritten(
    value: ast.expr,
    replaced: Mapping[str, ast.expr],
    numbers: Mapping[str, float],
    variables: Collection[str],
) -> ast.expr:
    """The expression with these names replaced, and with numbers in place of named constants.

    Args:
        variables: names that are no constants, whatever they are called.
    """

    class Rewriter(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            if node.id in replaced:
                return _rewritten(replaced[node.id], {}, numbers, variables)
            return number(_rounded(numbers[node.id])) if node.id in numbers and node.id not in variables else node

        def visit_Constant(self, node: ast.Constant) -> ast.expr:
            return number(_rounded(node.value)) if isinstance(node.value, float) else node

    # Parsed anew, since a transformer changes the tree that it is given.
    rewritten: ast.expr = Rewriter().visit(ast.parse(source(value), mode="eval").body)
    return rewritten


def _rounded(value: float) -> float:
    if isinstance(value, bool) or not math.isfinite(value):
        return value
    short = float(f"{value:.{_DIGITS}g}")
    return int(short) if short == int(short) and abs(short) < 1e6 else short


def _text(expression: ast.expr) -> str:
    return source(expression).replace("torch.", "")
