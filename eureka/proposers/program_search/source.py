"""Reward programs of the program search, and their Python source: `parse(render(program)) == program`.

A program is a sum of terms; a term is weight * shaping(quantity), a quantity an expression of State fields that is one
number per environment. One table of templates serves both writing and reading, so that the two cannot drift apart.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Shaping(StrEnum):
    """How a quantity becomes a reward."""

    LINEAR = "linear"
    TANH = "tanh"
    EXP = "exp"
    GAUSSIAN = "gaussian"


# NAME stands for the term's name, X for the quantity. The last of them matches every product.
_SHAPING: Mapping[Shaping, str] = {
    Shaping.TANH: "NAME_weight * torch.tanh(X / NAME_scale)",
    Shaping.EXP: "NAME_weight * torch.exp(-torch.abs(X - NAME_target) / NAME_temperature)",
    Shaping.GAUSSIAN: "NAME_weight * torch.exp(-torch.square((X - NAME_target) / NAME_temperature))",
    Shaping.LINEAR: "NAME_weight * X",
}
_HOLE = re.compile(r"NAME|\bX\b")
_SCALE_NAME = {Shaping.TANH: "scale", Shaping.EXP: "temperature", Shaping.GAUSSIAN: "temperature"}
_LINE_LENGTH = 100
HAS_TARGET = frozenset({Shaping.EXP, Shaping.GAUSSIAN})


@dataclass(frozen=True)
class Term:
    """One reward component.

    `quantity` is Python, such as `velocity[:, 0]`, and empty for the constant term. `target` exists for EXP and
    GAUSSIAN, `scale` for all but LINEAR; both in the quantity's unit. A penalty has a negative weight.
    """

    name: str
    quantity: str
    shaping: Shaping
    weight: float
    target: float | None = None
    scale: float | None = None


@dataclass(frozen=True)
class Program:
    """A reward: the sum of its terms. The constant term (an alive bonus) comes last."""

    terms: tuple[Term, ...]

    @property
    def fields(self) -> list[str]:
        """The State fields that it reads, in their order."""
        nodes = [node for term in self.terms if term.quantity for node in ast.walk(_expression(term.quantity))]
        return list(dict.fromkeys(n.id for n in nodes if isinstance(n, ast.Name) and n.id != "torch"))


def render(program: Program) -> str:
    """The program as the source of `compute_reward`: named constants, one line a component, their sum."""
    names = [t.name for t in program.terms]
    body = [f"{name} = {value!r}" for t in program.terms for name, value in _constants(t).items()]
    body += ["", *(line for t in program.terms for line in _component_lines(t, names[0]))]
    body += [f"total = {' + '.join(names)}", "return total, {", *(f'    "{name}": {name},' for name in names), "}"]
    lines = ["import torch", "", "", "def compute_reward(", *(f"    {f}: torch.Tensor," for f in program.fields)]
    lines += [") -> tuple[torch.Tensor, dict[str, torch.Tensor]]:", *(f"    {line}".rstrip() for line in body)]
    return "\n".join(lines) + "\n"


def parse(source: str) -> Program | None:
    """The program with this source, ignoring spacing and comments; None if there is none."""
    try:
        module = ast.parse(source)
        program = _read(module)
        return program if ast.dump(ast.parse(render(program))) == ast.dump(module) else None
    except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError):
        return None


def _component_lines(term: Term, first: str) -> list[str]:
    """One line, or three where it would be long: weight * (what is weighted)."""
    holes = {"NAME": term.name, "X": f"({term.quantity or _constant(first)})"}
    expression = _HOLE.sub(lambda hole: holes[hole[0]], _SHAPING[term.shaping])
    line = f"{term.name} = {_tidy(expression)}"
    if len(line) <= _LINE_LENGTH:
        return [line]
    weight, _, weighted = line.partition(" * ")
    return [f"{weight} * (", f"    {weighted}", ")"]


def _constant(first: str) -> str:
    """A tensor of ones in the shape of the program's first component."""
    return f"torch.ones_like({first})"


def _constants(term: Term) -> dict[str, float]:
    """The term's named constants, in the order of the source."""
    constants = {f"{term.name}_weight": term.weight}
    if term.target is not None:
        constants[f"{term.name}_target"] = term.target
    if term.scale is not None:
        constants[f"{term.name}_{_SCALE_NAME[term.shaping]}"] = term.scale
    return constants


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _tidy(text: str) -> str:
    """An expression without needless brackets."""
    return ast.unparse(_expression(text))


def _read(module: ast.Module) -> Program:
    """Parse the module; raises LookupError if it has no function or no term, or a term lacks a constant."""
    function = next((node for node in module.body if isinstance(node, ast.FunctionDef)), None)
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
            if f"{name}_weight" in constants:
                terms.append(_read_term(name, value, constants, terms[0].name if terms else name))
    if not terms:
        raise LookupError
    return Program(tuple(terms))


def _read_term(name: str, expression: str, constants: Mapping[str, float], first: str) -> Term:
    """Parse a term; raises LookupError if it is not a product, or a constant is missing."""
    holes = {"NAME": re.escape(name), "X": "(.+)"}
    for shaping, template in _SHAPING.items():
        found = re.fullmatch(_HOLE.sub(lambda hole: holes[hole[0]], re.escape(template)), expression)
        if found is None:
            continue
        quantity = _tidy(found[1])
        return Term(
            name=name,
            quantity="" if quantity == _constant(first) else quantity,
            shaping=shaping,
            weight=constants[f"{name}_weight"],
            target=constants[f"{name}_target"] if shaping in HAS_TARGET else None,
            scale=constants[f"{name}_{_SCALE_NAME[shaping]}"] if shaping in _SCALE_NAME else None,
        )
    raise LookupError
