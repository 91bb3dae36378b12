"""Determines which of a task's conditions ended an episode.

A task's `terminated` returns them by name, or as one tensor. In the latter case its expression is split at
alternatives, `a | b` or `~(a & b)`, and each part is named by its own text: `height < 0.2`.
"""

from __future__ import annotations

import ast
import functools
import inspect
import operator
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch

Terminated = torch.Tensor | Mapping[str, torch.Tensor]

_OPPOSITE: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}


def any_of(terminated: Terminated) -> torch.Tensor:
    """Whether an episode ends, whatever the condition; (num_envs,) bool."""
    if isinstance(terminated, torch.Tensor):
        return terminated
    return functools.reduce(operator.or_, terminated.values())


def conditions(cls: type[Any]) -> Callable[[Any, Any], Mapping[str, torch.Tensor]]:
    """A function of a task and a State that returns each condition of the task's `terminated`, (num_envs,) bool, by
    name.

    A tensor that cannot be split is one condition with an empty name.
    """
    taken_apart = _taken_apart(cls.terminated)

    def named(task: Any, state: Any) -> Mapping[str, torch.Tensor]:
        parts = taken_apart(task, state) if taken_apart is not None else None
        if parts is not None and _are_masks(parts):
            return parts
        found: Terminated = task.terminated(state)
        return {"": found} if isinstance(found, torch.Tensor) else found

    return named


def _are_masks(parts: Mapping[str, Any]) -> bool:
    """Whether the parts are conditions of each world: an operand may be a number for all of them, or a mapping."""
    return all(isinstance(part, torch.Tensor) and part.dtype == torch.bool for part in parts.values()) and (
        len({part.shape for part in parts.values()}) == 1 and all(part.dim() == 1 for part in parts.values())
    )


def _taken_apart(function: Any) -> Callable[[Any, Any], Mapping[str, torch.Tensor]] | None:
    """The function, changed to return its parts by their texts instead of one tensor; None if that fails.

    It is the task's own code, compiled once more in its own module.
    """
    try:
        module = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    definition = module.body[0]
    returns = [node for node in ast.walk(module) if isinstance(node, ast.Return)]
    if not isinstance(definition, ast.FunctionDef) or len(returns) != 1 or definition.body[-1] is not returns[0]:
        return None
    value = returns[0].value
    if function.__closure__ or definition.decorator_list or value is None or isinstance(value, ast.Dict | ast.DictComp):
        return None
    parts = list(_parts(value))
    if isinstance(value, ast.Call | ast.Name) and len(parts) == 1:
        return None
    names: list[ast.expr | None] = [ast.Constant(text) for text, _ in parts]
    returns[0].value = ast.Dict(names, [part for _, part in parts])
    definition.returns = None
    for argument in definition.args.args:
        argument.annotation = None
    scope: dict[str, Any] = {}
    exec(compile(ast.fix_missing_locations(module), "<terminated>", "exec"), function.__globals__, scope)
    found: Callable[[Any, Any], Mapping[str, torch.Tensor]] = scope[definition.name]
    return found


def _parts(value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """The alternatives of an expression, each with its text."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr):
        yield from _parts(value.left)
        yield from _parts(value.right)
    elif isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Invert):
        for condition in _all_of(value.operand):
            yield _negated(condition), ast.UnaryOp(ast.Invert(), condition)
    else:
        yield ast.unparse(value), value


def _all_of(value: ast.expr) -> Iterator[ast.expr]:
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitAnd):
        yield from _all_of(value.left)
        yield from _all_of(value.right)
    else:
        yield value


def _negated(condition: ast.expr) -> str:
    """The text of a condition's negation."""
    if isinstance(condition, ast.Compare) and len(condition.ops) == 1 and type(condition.ops[0]) in _OPPOSITE:
        opposite = _OPPOSITE[type(condition.ops[0])]()
        return ast.unparse(ast.Compare(condition.left, [opposite], condition.comparators))
    return f"not {ast.unparse(condition)}"
