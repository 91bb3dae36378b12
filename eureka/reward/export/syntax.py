"""Builds Python expressions as syntax trees, and lays them out in lines of at most 100 columns."""

from __future__ import annotations

import ast
import math
import textwrap

from eureka.reward.export.text import WIDTH

MAX_TAIL = 40

_CHAINED = (ast.Add, ast.Sub)
_COMPOUND = (ast.List, ast.Call, ast.BinOp, ast.Compare, ast.Subscript)
_OPERATIONS = (ast.BinOp, ast.Compare, ast.UnaryOp)


def name(identifier: str) -> ast.Name:
    """A variable."""
    return ast.Name(identifier, ast.Load())


def attribute(value: ast.expr, *path: str) -> ast.expr:
    """`value.a.b` for `attribute(value, "a", "b")`."""
    for step in path:
        value = ast.Attribute(value, step, ast.Load())
    return value


def dotted(path: str) -> ast.expr:
    """`torch.linalg.cross` from its text."""
    first, *rest = path.split(".")
    return attribute(name(first), *rest)


def number(value: float | bool) -> ast.expr:
    """A number; negative ones as a minus sign before a positive one, so that precedence is right."""
    if isinstance(value, bool):
        return ast.Constant(value)
    if math.isnan(value):
        return dotted("math.nan")
    if value < 0 or math.copysign(1.0, value) < 0:
        return ast.UnaryOp(ast.USub(), number(-value))
    return dotted("math.inf") if math.isinf(value) else ast.Constant(value)


def sequence(elements: list[ast.expr]) -> ast.List:
    """`[a, b]`."""
    return ast.List(elements, ast.Load())


def call(function: ast.expr, *args: ast.expr, **keywords: ast.expr) -> ast.Call:
    """`function(a, b, key=c)`."""
    return ast.Call(function, list(args), [ast.keyword(key, value) for key, value in keywords.items()])


def source(expression: ast.expr) -> str:
    """The expression on one line. The only texts in it are of the operations' own arguments, such as "floor"."""
    return ast.unparse(expression).replace("'", '"')


def terms(expression: ast.expr) -> list[tuple[str, ast.expr]]:
    """`a + b - c` as [("", a), ("+", b), ("-", c)]; any other binary operation as its two operands."""
    if not isinstance(expression, ast.BinOp):
        return [("", expression)]
    left, symbol = expression.left, source(ast.BinOp(name("a"), expression.op, name("b"))).split()[1]
    chained = isinstance(expression.op, _CHAINED) and isinstance(left, ast.BinOp) and isinstance(left.op, _CHAINED)
    return [*(terms(left) if chained else [("", left)]), (symbol, expression.right)]


def _operand(expression: ast.BinOp, symbol: str, operand: ast.expr) -> str:
    """An operand's text with the parentheses that it needs in its place."""
    if not symbol:
        return source(ast.BinOp(operand, expression.op, name("_"))).rsplit(" ", 2)[0]
    operator = expression.op if not isinstance(expression.op, _CHAINED) else ast.Sub()
    return source(ast.BinOp(name("_"), operator, operand)).split(" ", 2)[2]


def layout(prefix: str, expression: ast.expr, suffix: str = "", indent: int = 0, operand: bool = False) -> list[str]:
    """`prefix`, the expression and `suffix` in lines of at most 100 columns, broken inside brackets.

    `operand` says that the suffix or the context binds tighter than an operator in the expression.
    """
    margin = " " * indent
    text = source(expression)
    if operand and isinstance(expression, _OPERATIONS):
        text = f"({text})"
    if len(margin) + len(prefix) + len(text) + len(suffix) <= WIDTH:
        return [f"{margin}{prefix}{text}{suffix}"]
    if isinstance(expression, ast.Call):
        return _layout_call(prefix, expression, suffix, indent)
    if isinstance(expression, ast.List):
        return _layout_list(prefix, expression, suffix, indent)
    if isinstance(expression, ast.Subscript):
        index = source(ast.Subscript(name("a"), expression.slice, ast.Load()))[1:]
        return layout(prefix, expression.value, index + suffix, indent, operand=True)
    if isinstance(expression, ast.Attribute):
        return layout(prefix, expression.value, f".{expression.attr}{suffix}", indent, operand=True)
    return [f"{margin}{prefix}(", *_layout_inside(expression, indent + 4), f"{margin}){suffix}"]


def _layout_inside(expression: ast.expr, indent: int) -> list[str]:
    """An operation between brackets on lines of their own, one operand a line."""
    if isinstance(expression, ast.BinOp):
        lines = []
        for symbol, term in terms(expression):
            start = f"{symbol} " if symbol else ""
            text = _operand(expression, symbol, term)
            fits = indent + len(start) + len(text) <= WIDTH
            lines += [" " * indent + start + text] if fits else layout(start, term, "", indent, operand=True)
        return lines
    if isinstance(expression, ast.Compare):
        left, right = expression.left, expression.comparators[0]
        symbol = source(ast.Compare(name("a"), expression.ops, [name("b")])).split()[1]
        return [*layout("", left, "", indent, operand=True), *layout(f"{symbol} ", right, "", indent, operand=True)]
    if isinstance(expression, ast.UnaryOp):
        symbol = source(ast.UnaryOp(expression.op, name("a")))[:-1]
        return layout(symbol, expression.operand, "", indent, operand=True)
    return [" " * indent + source(expression)]


def _layout_call(prefix: str, expression: ast.Call, suffix: str, indent: int) -> list[str]:
    margin = " " * indent
    lines = [f"{margin}{prefix}{source(expression.func)}("]
    bare = not expression.args and not expression.keywords
    if isinstance(expression.func, ast.Attribute) and (bare or len(lines[0]) > WIDTH):
        tail = source(ast.Call(name(""), expression.args, expression.keywords))
        short = len(tail) <= MAX_TAIL
        start = f".{expression.func.attr}{tail + suffix if short else '('}"
        lines = layout(prefix, expression.func.value, start, indent, operand=True)
        if short:
            return lines
    return [*lines, *_arguments(expression, indent + 4), f"{margin}){suffix}"]


def _arguments(expression: ast.Call, indent: int) -> list[str]:
    lines = []
    for argument in expression.args:
        lines += layout("", argument, ",", indent)
    for keyword in expression.keywords:
        lines += layout(f"{keyword.arg}=", keyword.value, ",", indent)
    return lines


def _layout_list(prefix: str, expression: ast.List, suffix: str, indent: int) -> list[str]:
    lines = [f"{' ' * indent}{prefix}["]
    if any(isinstance(part, _COMPOUND) for element in expression.elts for part in ast.walk(element)):
        for element in expression.elts:
            lines += layout("", element, ",", indent + 4)
    else:
        margin = " " * (indent + 4)
        text = ", ".join(source(element) for element in expression.elts) + ","
        lines += textwrap.wrap(
            text,
            WIDTH,
            initial_indent=margin,
            subsequent_indent=margin,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return [*lines, f"{' ' * indent}]{suffix}"]
