"""Reward programs of the program search, and their Python source: `parse(render(program)) == program`.

A program is a sum of terms; a term is weight * shaping(quantity), a quantity one number per environment made from State
fields. One table of expression templates serves both writing and reading, so that the two cannot drift apart.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import cast


class Shaping(StrEnum):
    """How a quantity becomes a reward."""

    LINEAR = "linear"
    TANH = "tanh"
    EXP = "exp"
    GAUSSIAN = "gaussian"


class Kind(StrEnum):
    """How a quantity is made from State fields."""

    SCALAR = "scalar"
    COLUMN = "column"
    NUMBER = "number"
    MEAN_NUMBER = "mean_number"
    SCALAR_SQUARED = "scalar_squared"
    COLUMN_SQUARED = "column_squared"
    SUM_SQUARED = "sum_squared"
    MATRIX_SQUARED = "matrix_squared"
    NORM = "norm"
    MATRIX_NORM = "matrix_norm"
    SCALAR_CHANGE = "scalar_change"
    CHANGE = "change"
    DISTANCE = "distance"
    QUATERNION_UP = "quaternion_up"
    ONE = "one"


# F and G stand for fields, I and J for column numbers, A for the first component's name.
_QUANTITY: Mapping[Kind, str] = {
    Kind.SCALAR: "F",
    Kind.COLUMN: "F[:, I]",
    Kind.NUMBER: "F.float()",
    Kind.MEAN_NUMBER: "torch.mean(F.float(), dim=-1)",
    Kind.SCALAR_SQUARED: "torch.square(F)",
    Kind.COLUMN_SQUARED: "torch.square(F[:, I])",
    Kind.SUM_SQUARED: "torch.sum(torch.square(F), dim=-1)",
    Kind.MATRIX_SQUARED: "torch.sum(torch.square(F), dim=(-2, -1))",
    Kind.NORM: "torch.linalg.vector_norm(F, dim=-1)",
    Kind.MATRIX_NORM: "torch.linalg.vector_norm(F, dim=(-2, -1))",
    Kind.SCALAR_CHANGE: "torch.square(F - G)",
    Kind.CHANGE: "torch.sum(torch.square(F - G), dim=-1)",
    Kind.DISTANCE: "torch.linalg.vector_norm(F - G, dim=-1)",
    # The z component of the body's z axis in the world, from the two middle parts of a unit quaternion.
    Kind.QUATERNION_UP: "1.0 - 2.0 * (torch.square(F[:, I]) + torch.square(F[:, J]))",
    Kind.ONE: "torch.ones_like(A)",
}
# X stands for the quantity; W, T and S for the named constants weight, target and scale.
_SHAPING: Mapping[Shaping, str] = {
    Shaping.LINEAR: "W * X",
    Shaping.TANH: "W * torch.tanh(X / S)",
    Shaping.EXP: "W * torch.exp(-torch.abs(X - T) / S)",
    Shaping.GAUSSIAN: "W * torch.exp(-torch.square((X - T) / S))",
}
_HOLES = frozenset("FGIJAXWTS")
_SCALE_NAME = {Shaping.TANH: "scale", Shaping.EXP: "temperature", Shaping.GAUSSIAN: "temperature"}
_LINE_LENGTH = 100
HAS_TARGET = frozenset({Shaping.EXP, Shaping.GAUSSIAN})


@dataclass(frozen=True)
class Quantity:
    """One number per environment. `other` is a second field, `index` and `index_2` columns, where the kind has them."""

    kind: Kind
    field: str = ""
    other: str = ""
    index: int | None = None
    index_2: int | None = None


@dataclass(frozen=True)
class Term:
    """One reward component. `target` exists for EXP and GAUSSIAN, `scale` for all but LINEAR; both in the quantity's
    unit. A penalty has a negative weight."""

    name: str
    quantity: Quantity
    shaping: Shaping
    weight: float
    target: float | None = None
    scale: float | None = None


@dataclass(frozen=True)
class Program:
    """A reward: the sum of its terms. The constant term (an alive bonus) comes last."""

    terms: tuple[Term, ...]


def render(program: Program) -> str:
    """The program as the source of `compute_reward`: named constants, one line a component, their sum."""
    fields = dict.fromkeys(f for t in program.terms for f in (t.quantity.field, t.quantity.other) if f)
    names = [t.name for t in program.terms]
    body = [f"{name} = {value!r}" for t in program.terms for name, value in _constants(t).items()]
    body += ["", *(line for t in program.terms for line in _component_lines(t, names[0]))]
    body += [f"total = {' + '.join(names)}", "return total, {", *(f'    "{name}": {name},' for name in names), "}"]
    lines = ["import torch", "", "", "def compute_reward(", *(f"    {f}: torch.Tensor," for f in fields)]
    lines += [") -> tuple[torch.Tensor, dict[str, torch.Tensor]]:", *(f"    {line}".rstrip() for line in body)]
    return "\n".join(lines) + "\n"


def parse(source: str) -> Program | None:
    """The program that `render` wrote as `source` (spacing and comments may differ); None for any other code."""
    try:
        module = ast.parse(source)
        function = next((n for n in module.body if isinstance(n, ast.FunctionDef)), None)
        program = _read(function) if function else None
        if program is None or ast.dump(ast.parse(render(program))) != ast.dump(module):
            return None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return program


def _component_lines(term: Term, first: str) -> list[str]:
    """One line, or three where it would be long: weight * (what is weighted)."""
    line = f"{term.name} = {ast.unparse(_expression(term, first))}"
    if len(line) <= _LINE_LENGTH:
        return [line]
    weight, _, weighted = line.partition(" * ")
    return [f"{weight} * (", f"    {weighted}", ")"]


def _constants(term: Term) -> dict[str, float]:
    """The term's named constants, in the order of `W`, `T`, `S`."""
    constants = {f"{term.name}_weight": term.weight}
    if term.target is not None:
        constants[f"{term.name}_target"] = term.target
    if term.scale is not None:
        constants[f"{term.name}_{_SCALE_NAME[term.shaping]}"] = term.scale
    return constants


def _template(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


class _Fill(ast.NodeTransformer):
    """Puts expressions in place of a template's holes."""

    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.values.get(node.id, node)


def _expression(term: Term, first: str) -> ast.expr:
    q = term.quantity
    holes: dict[str, ast.expr] = {"F": ast.Name(q.field), "G": ast.Name(q.other), "A": ast.Name(first)}
    holes |= {"I": ast.Constant(q.index), "J": ast.Constant(q.index_2)}
    quantity = cast(ast.expr, _Fill(holes).visit(_template(_QUANTITY[q.kind])))
    constants = {"W": ast.Name(f"{term.name}_weight"), "T": ast.Name(f"{term.name}_target")}
    scale = ast.Name(f"{term.name}_{_SCALE_NAME.get(term.shaping, '')}")
    return cast(ast.expr, _Fill({**constants, "S": scale, "X": quantity}).visit(_template(_SHAPING[term.shaping])))


def _match(template: object, node: object, holes: dict[str, ast.expr]) -> bool:
    """Whether `node` is the template with its holes filled; fills `holes`."""
    if isinstance(template, ast.Name) and template.id in _HOLES:
        if not isinstance(node, ast.expr):
            return False
        holes[template.id] = node
        return True
    if isinstance(template, ast.AST):
        return type(template) is type(node) and all(
            _match(value, getattr(node, name), holes) for name, value in ast.iter_fields(template)
        )
    if isinstance(template, list):
        same = isinstance(node, list) and len(template) == len(node)
        return same and all(_match(a, b, holes) for a, b in zip(template, cast("list[object]", node), strict=True))
    return template == node


def _read(function: ast.FunctionDef) -> Program | None:
    constants: dict[str, float] = {}
    terms: list[Term] = []
    for statement in function.body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            continue
        name = statement.targets[0].id
        try:
            constants[name] = float(ast.literal_eval(statement.value))
        except (ValueError, TypeError):
            term = _read_term(name, statement.value, constants)
            if term is not None:
                terms.append(term)
    return Program(tuple(terms)) if terms else None


def _read_term(name: str, expression: ast.expr, constants: Mapping[str, float]) -> Term | None:
    if f"{name}_weight" not in constants:
        return None
    for shaping, text in _SHAPING.items():
        outer: dict[str, ast.expr] = {}
        if not _match(_template(text), expression, outer):
            continue
        quantity = _read_quantity(outer["X"])
        if quantity is not None:
            return Term(
                name=name,
                quantity=quantity,
                shaping=shaping,
                weight=constants[f"{name}_weight"],
                target=constants.get(f"{name}_target") if shaping in HAS_TARGET else None,
                scale=constants.get(f"{name}_{_SCALE_NAME[shaping]}") if shaping in _SCALE_NAME else None,
            )
    return None


def _read_quantity(expression: ast.expr) -> Quantity | None:
    for kind, text in _QUANTITY.items():
        inner: dict[str, ast.expr] = {}
        if not _match(_template(text), expression, inner):
            continue
        names = {hole: node.id for hole, node in inner.items() if isinstance(node, ast.Name)}
        numbers = {h: n.value for h, n in inner.items() if isinstance(n, ast.Constant) and isinstance(n.value, int)}
        if set(names) | set(numbers) == set(inner) and set(numbers) <= {"I", "J"}:
            return Quantity(kind, names.get("F", ""), names.get("G", ""), numbers.get("I"), numbers.get("J"))
    return None
