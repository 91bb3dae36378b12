"""Expressions in several lines mean what they meant in one."""

from __future__ import annotations

import ast
import random

import pytest

from eureka.reward.export.syntax import attribute, call, dotted, layout, name, number, sequence, source


def expression(choose: random.Random, depth: int) -> ast.expr:
    """A random expression of every form that is ever written, over names of up to 60 characters."""
    if depth == 0:
        return name(choose.choice("abcxyz") * choose.choice([1, 5, 30, 60]))
    one, two = (expression(choose, depth - choose.choice([1, 1, depth])) for _ in range(2))
    operators = [ast.Add(), ast.Sub(), ast.Mult(), ast.Div(), ast.FloorDiv(), ast.Mod(), ast.Pow(), ast.BitAnd()]
    comparisons = [ast.Gt(), ast.LtE(), ast.Eq()]
    return choose.choice(
        [
            ast.BinOp(one, choose.choice(operators), two),
            ast.BinOp(one, choose.choice(operators[:2]), two),
            ast.BinOp(number(-0.5), choose.choice(operators), two),
            ast.Compare(one, [choose.choice(comparisons)], [two]),
            ast.UnaryOp(choose.choice([ast.USub(), ast.Invert()]), one),
            call(dotted("torch.where"), one, two, number(-1.0)),
            call(attribute(one, "clamp"), number(0.0), max=two),
            call(attribute(one, "float")),
            attribute(call(attribute(one, "max"), dim=number(-1)), "values"),
            ast.Subscript(one, ast.Tuple([ast.Slice(), ast.Constant(0)], ast.Load()), ast.Load()),
            call(dotted("torch.stack"), sequence([one, two]), dim=number(1)),
            call(dotted("torch.tensor"), sequence([number(k / 3) for k in range(30)])),
        ]
    )


@pytest.mark.parametrize("seed", range(150))
def test_layout_keeps_the_meaning(seed):
    value = expression(random.Random(seed), 5)
    lines = layout("target = ", value, "", 4)
    (statement,) = ast.parse("if True:\n" + "\n".join(lines)).body[0].body
    (wanted,) = ast.parse(f"target = {source(value)}").body
    assert ast.dump(statement) == ast.dump(wanted)
    assert max(map(len, lines)) <= 110


def test_short_expressions_stay_on_their_line():
    value = ast.BinOp(number(0.5), ast.Mult(), call(dotted("torch.exp"), name("x")))
    assert layout("y = ", value, "", 4) == ["    y = 0.5 * torch.exp(x)"]


def test_sums_are_broken_before_their_operators():
    value: ast.expr = name("a" * 30)
    for letter in "bcd":
        value = ast.BinOp(value, ast.Sub() if letter == "c" else ast.Add(), name(letter * 30))
    assert layout("total = ", value, "", 4) == [
        "    total = (",
        "        " + "a" * 30,
        "        + " + "b" * 30,
        "        - " + "c" * 30,
        "        + " + "d" * 30,
        "    )",
    ]


def test_numbers_keep_their_sign_and_kind():
    assert [source(number(v)) for v in (2, 2.0, -0.0, -3, True, 1e-05, float("-inf"))] == [
        *("2", "2.0", "-0.0", "-3", "True", "1e-05", "-math.inf")
    ]
    assert source(number(float("nan"))) == "math.nan"
    assert source(ast.BinOp(number(-2.0), ast.Pow(), name("x"))) == "(-2.0) ** x"
