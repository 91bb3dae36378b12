"""Finds the State fields that a reward function reads: as parameters, or as attributes of `self`. Uses `ast` only."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Iterator, Sequence

from eureka.core.types import FieldSpec

FUNCTION = "compute_reward"
SELF = "self"
_MAX_LISTED, _MAX_SHOWN = 12, 80
# : Attributes of `self` besides the fields and the module's own functions.
SELF_ATTRIBUTES = frozenset({"num_envs", "device"})


class InputsError(ValueError):
    """A function that cannot be called with a State: `str()` says why, `remedy` what to write instead."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy


def state_inputs(function: ast.FunctionDef, others: Sequence[ast.stmt], fields: Sequence[FieldSpec]) -> tuple[str, ...]:
    """The names of the State fields that `function` reads: its parameters in order, then attributes of `self`.

    A function that was written as a method has `self` for its first parameter. Through it, it and the functions among
    `others` may read State fields, `num_envs` and `device`, call each other, and keep intermediate values.

    Raises:
        InputsError: it reads something that is not a State field, or nothing at all.
    """
    arguments = function.args
    valid = [f.name for f in fields]
    remedy = f"Name the State fields that you read as ordinary parameters. Valid names: {', '.join(valid)}."
    if arguments.vararg or arguments.kwarg:
        stars = [f"*{clipped(arguments.vararg.arg)}"] if arguments.vararg else []
        stars += [f"**{clipped(arguments.kwarg.arg)}"] if arguments.kwarg else []
        raise InputsError(f"{FUNCTION} takes {' and '.join(stars)} in place of named State fields.", remedy)
    if arguments.posonlyargs:
        raise InputsError(f"{FUNCTION} has positional-only parameters (a `/`), but it is called by name.", remedy)
    defaulted = {a.arg for a in arguments.args[len(arguments.args) - len(arguments.defaults) :]}
    defaulted |= {a.arg for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None}
    names = [a.arg for a in (*arguments.args, *arguments.kwonlyargs)]
    if SELF in names and SELF not in valid:
        names.remove(SELF)
        optional = _optional_reads((function, *others), valid)
        names = list(dict.fromkeys([*names, *self_reads((function, *others)), *optional]))
    unknown = [name for name in names if name not in valid and name not in defaulted]
    if unknown:
        raise InputsError(_unknown_sentence(unknown, valid), remedy)
    inputs = tuple(name for name in names if name in valid)
    if not inputs:
        raise InputsError(f"{FUNCTION} reads no State field.", remedy)
    return inputs


def self_reads(statements: Iterable[ast.stmt]) -> list[str]:
    """Attributes of `self` that the functions among `statements` read, except those that they set and the built-in
    ones.
    """
    functions = [s for s in statements if isinstance(s, ast.FunctionDef)]
    attributes = [node for function in functions for node in _attributes(function)]
    own = {node.attr for node in attributes if isinstance(node.ctx, ast.Store)}
    own |= {function.name for function in functions} | SELF_ATTRIBUTES
    return list(dict.fromkeys(node.attr for node in attributes if node.attr not in own))


def _attributes(function: ast.FunctionDef) -> Iterator[ast.Attribute]:
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == SELF:
            yield node


def _optional_reads(statements: Iterable[ast.stmt], valid: Sequence[str]) -> Iterator[str]:
    """State fields that are read by `getattr(self, "name", default)`."""
    for node in (node for statement in statements for node in ast.walk(statement)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            base, name = [*node.args, None, None][:2]
            if isinstance(base, ast.Name) and base.id == SELF and isinstance(name, ast.Constant):
                yield from (field for field in valid if field == name.value)


def _unknown_sentence(unknown: Sequence[str], valid: Sequence[str]) -> str:
    described = []
    for name in map(clipped, unknown[:_MAX_LISTED]):
        near = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
        described.append(f"`{name}` (did you mean `{near[0]}`?)" if near else f"`{name}`")
    described += [f"{len(unknown) - _MAX_LISTED} more"] if len(unknown) > _MAX_LISTED else []
    verb = "is not a State field" if len(unknown) == 1 else "are not State fields"
    return f"{_joined(described)} {verb}."


def listed(names: Sequence[str]) -> str:
    """Names as `a, b and c`; of a long list, only the first few."""
    shown = [clipped(name) for name in names[:_MAX_LISTED]]
    return _joined([*shown, f"{len(names) - _MAX_LISTED} more"] if len(names) > _MAX_LISTED else shown)


def clipped(name: str) -> str:
    """A candidate's name, shortened for display."""
    return name if len(name) <= _MAX_SHOWN else f"{name[:_MAX_SHOWN]}..."


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
