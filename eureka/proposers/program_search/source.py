"""Reward programs of the program search, and their Python source: `parse(render(program)) == program`.

A program is a sum of terms; a term is weight * shaping(quantity), a quantity one number per environment made from State
fields. One table of templates serves both writing and reading, so that the two cannot drift apart.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import product


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


# Words in capitals are holes: fields, columns, the term's name, and the name of the program's first term.
_QUANTITY: Mapping[Kind, str] = {
    Kind.SCALAR: "FIELD",
    Kind.COLUMN: "FIELD[:, INDEX]",
    Kind.NUMBER: "FIELD.float()",
    Kind.MEAN_NUMBER: "torch.mean(FIELD.float(), dim=-1)",
    Kind.SCALAR_SQUARED: "torch.square(FIELD)",
    Kind.COLUMN_SQUARED: "torch.square(FIELD[:, INDEX])",
    Kind.SUM_SQUARED: "torch.sum(torch.square(FIELD), dim=-1)",
    Kind.MATRIX_SQUARED: "torch.sum(torch.square(FIELD), dim=(-2, -1))",
    Kind.NORM: "torch.linalg.vector_norm(FIELD, dim=-1)",
    Kind.MATRIX_NORM: "torch.linalg.vector_norm(FIELD, dim=(-2, -1))",
    Kind.SCALAR_CHANGE: "torch.square(FIELD - OTHER)",
    Kind.CHANGE: "torch.sum(torch.square(FIELD - OTHER), dim=-1)",
    Kind.DISTANCE: "torch.linalg.vector_norm(FIELD - OTHER, dim=-1)",
    # The z component of the body's z axis in the world, from the two middle parts of a unit quaternion.
    Kind.QUATERNION_UP: "1.0 - 2.0 * (torch.square(FIELD[:, INDEX]) + torch.square(FIELD[:, SECOND]))",
    Kind.ONE: "torch.ones_like(FIRST)",
}
# X stands for the quantity.
_SHAPING: Mapping[Shaping, str] = {
    Shaping.LINEAR: "NAME_weight * (X)",
    Shaping.TANH: "NAME_weight * torch.tanh((X) / NAME_scale)",
    Shaping.EXP: "NAME_weight * torch.exp(-torch.abs((X) - NAME_target) / NAME_temperature)",
    Shaping.GAUSSIAN: "NAME_weight * torch.exp(-torch.square(((X) - NAME_target) / NAME_temperature))",
}
_HOLE = re.compile("FIELD|OTHER|INDEX|SECOND|FIRST|NAME")
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
        program = _read(module)
        return program if ast.dump(ast.parse(render(program))) == ast.dump(module) else None
    except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError):
        return None


def _component_lines(term: Term, first: str) -> list[str]:
    """One line, or three where it would be long: weight * (what is weighted)."""
    q = term.quantity
    holes = {"NAME": term.name, "FIRST": first, "FIELD": q.field, "OTHER": q.other}
    holes |= {"INDEX": str(q.index), "SECOND": str(q.index_2)}
    line = f"{term.name} = {_HOLE.sub(lambda hole: holes[hole[0]], _template(term.shaping, q.kind))}"
    if len(line) <= _LINE_LENGTH:
        return [line]
    weight, _, weighted = line.partition(" * ")
    return [f"{weight} * (", f"    {weighted}", ")"]


def _constants(term: Term) -> dict[str, float]:
    """The term's named constants, in the order of the source."""
    constants = {f"{term.name}_weight": term.weight}
    if term.target is not None:
        constants[f"{term.name}_target"] = term.target
    if term.scale is not None:
        constants[f"{term.name}_{_SCALE_NAME[term.shaping]}"] = term.scale
    return constants


@cache
def _template(shaping: Shaping, kind: Kind) -> str:
    """The expression of a term with its holes, in Python's own spacing and without needless brackets."""
    return ast.unparse(ast.parse(_SHAPING[shaping].replace("X)", f"{_QUANTITY[kind]})"), mode="eval"))


@cache
def _pattern(shaping: Shaping, kind: Kind) -> re.Pattern[str]:
    """Matches the expression of a term; its groups are the holes."""
    seen: set[str] = set()

    def group(hole: re.Match[str]) -> str:
        if hole[0] in seen:
            return f"(?P={hole[0]})"
        seen.add(hole[0])
        return f"(?P<{hole[0]}>{'[0-9]+' if hole[0] in ('INDEX', 'SECOND') else '[A-Za-z_][A-Za-z0-9_]*'})"

    return re.compile(_HOLE.sub(group, re.escape(_template(shaping, kind))))


def _read(module: ast.Module) -> Program:
    """Raises LookupError where there is no function, or a term without its constants."""
    function = next(iter(node for node in module.body if isinstance(node, ast.FunctionDef)), None)
    if function is None:
        raise LookupError
    constants: dict[str, float] = {}
    terms: list[Term] = []
    for statement in function.body:
        if not isinstance(statement, ast.Assign):
            continue
        name, value = ast.unparse(statement.targets[0]), ast.unparse(statement.value)
        try:
            constants[name] = float(value)
        except ValueError:
            terms += _read_term(name, value, constants)
    if not terms:
        raise LookupError
    return Program(tuple(terms))


def _read_term(name: str, expression: str, constants: Mapping[str, float]) -> list[Term]:
    """The term, or none where this is no expression of one. Raises LookupError where a constant of it is missing."""
    for shaping, kind in product(Shaping, Kind):
        found = _pattern(shaping, kind).fullmatch(expression)
        if found is None:
            continue
        holes = found.groupdict()
        index, second = (int(holes[hole]) if hole in holes else None for hole in ("INDEX", "SECOND"))
        quantity = Quantity(kind, holes.get("FIELD", ""), holes.get("OTHER", ""), index, second)
        target = constants[f"{name}_target"] if shaping in HAS_TARGET else None
        scale = constants[f"{name}_{_SCALE_NAME[shaping]}"] if shaping in _SCALE_NAME else None
        return [Term(name, quantity, shaping, constants[f"{name}_weight"], target, scale)]
    return []
