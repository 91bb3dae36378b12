"""Refuses code whose behaviour a trace cannot capture, by analysing the source and by checking for changes after a
call.

A graph is recorded once and replayed. Code that counts its calls, keeps values, consumes an iterator, has side effects
in a `print` or `assert` (which the trace omits), or reads anything but its arguments would behave differently in
Python.
"""

from __future__ import annotations

import ast
import functools
import types
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch

from eureka.reward.extract.definitions import dotted
from eureka.reward.trace.explain import TraceFailure
from eureka.reward.trace.modules import INSIDE, PLAIN, REACHES, STATELESS, is_hidden, is_of_the_process, words
from eureka.reward.trace.offered import is_offered

_MUTATORS = words(
    """
    append extend update setdefault pop insert clear discard remove popitem appendleft popleft extendleft reverse
    send throw __next__ __setitem__ __setattr__ __delitem__ move_to_end rotate
    """
)
_PURE_CALLS = words(
    """
    len isinstance issubclass type str repr format float int bool all any abs max min sum round sorted list tuple
    dict set range zip enumerate hasattr getattr callable
    """
)
_PURE_METHODS = words(
    """
    join format items keys values get split strip count index startswith endswith
    """
)


def refuse_unseen(tree: ast.Module) -> None:
    """Raise `TraceFailure`, with the line, if code does something that a trace cannot capture."""
    _refuse_reach(tree)
    imported = {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    for node in tree.body:
        methods = node.body if isinstance(node, ast.ClassDef) else [node]
        for function in methods:
            if isinstance(function, ast.FunctionDef):
                _refuse_memory(function, imported)
    for inner in ast.walk(tree):
        if isinstance(inner, ast.Try) and inner.handlers:
            _refuse_caught_assert(inner)
        if isinstance(inner, ast.Assert):
            _refuse_work("assert", [inner.test, *([inner.msg] if inner.msg else [])])
        elif isinstance(inner, ast.Expr) and is_print(inner):
            _refuse_work("print", ast.iter_child_nodes(inner.value))


def _refuse_caught_assert(tried: ast.Try) -> None:
    """Raises where code goes on otherwise after an `assert` that fails, which no trace sees."""
    for node in (node for statement in tried.body for node in ast.walk(statement)):
        if isinstance(node, ast.Assert):
            raise TraceFailure("it decides by an `assert` that it catches", "Use torch.where.", node.lineno)


def is_print(node: ast.Expr) -> bool:
    """Whether a statement is a call of `print`."""
    return isinstance(node.value, ast.Call) and dotted(node.value.func) == "print"


# ---------------------------------------------------------------------------------------------- imports and reach


def _refuse_reach(tree: ast.Module) -> None:
    """Raise if code imports modules that a reward may not use, or accesses more than its arguments by name."""
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            _refuse_import(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REACHES - defined:
            raise TraceFailure(f"it calls `{node.func.id}`", PLAIN, node.lineno)
        elif isinstance(node, ast.Attribute) and _is_of_the_process(node):
            remedy = "Compute the reward from the parameters alone, without noise and settings."
            raise TraceFailure(f"it reaches for `{dotted(node):.80}`", remedy, node.lineno)
        elif inside := {getattr(node, key, None) for key in ("attr", "id", "value")} & INSIDE:
            raise TraceFailure(f"it reaches for `{inside.pop()}`", PLAIN, getattr(node, "lineno", None))
        elif isinstance(node, ast.Name | ast.FunctionDef) and _redefines_print(node):
            raise TraceFailure("it redefines `print`", "Choose another name.", node.lineno)


def _is_of_the_process(node: ast.Attribute) -> bool:
    root, *parts = dotted(node).split(".")
    return is_of_the_process(root, node.attr) or (root == "torch" and is_hidden(f"torch.{parts[0]}"))


def _redefines_print(node: ast.Name | ast.FunctionDef) -> bool:
    if isinstance(node, ast.FunctionDef):
        return node.name == "print"
    return node.id == "print" and isinstance(node.ctx, ast.Store)


def _refuse_import(node: ast.Import | ast.ImportFrom) -> None:
    for alias in node.names:
        name = alias.name if isinstance(node, ast.Import) else "." * node.level + (node.module or "")
        root = name.split(".")[0]
        if root in ("random", "secrets"):
            remedy = "A reward must be the same for the same state: remove the noise."
            raise TraceFailure(f"it imports `{root}`", remedy, node.lineno)
        imported = f"torch.{alias.name}" if isinstance(node, ast.ImportFrom) and name == "torch" else name
        if is_hidden(imported) and not is_offered(node, alias):
            remedy = "Only torch, math and typing can be imported; no files can be read."
            raise TraceFailure(f"it imports `{name:.80}`", remedy, node.lineno)


def _refuse_work(where: str, values: Iterable[ast.AST]) -> None:
    """Raise if code that is omitted from the trace has side effects."""
    for node in (node for value in values for node in ast.walk(value)):
        if isinstance(node, ast.NamedExpr):
            does = "assigns a name"
        elif isinstance(node, ast.Call) and not _is_pure(node):
            does = f"calls `{dotted(node.func) or '...':.80}`"
        else:
            continue
        raise TraceFailure(
            f"its `{where}` {does}, and `{where}` is left out of the reward",
            f"Do this in a line of its own, before the `{where}`.",
            node.lineno,
        )


def _is_pure(call: ast.Call) -> bool:
    """Whether a call in a `print` or `assert` has no side effects: functions and methods of torch that write
    nothing."""
    if any(keyword.arg == "out" for keyword in call.keywords):
        return False
    name = dotted(call.func)
    if isinstance(call.func, ast.Name):
        return name in _PURE_CALLS
    if not isinstance(call.func, ast.Attribute) or call.func.attr.endswith("_"):
        return False
    attribute = call.func.attr
    if name.startswith(("torch.", "math.", "np.", "numpy.", "F.")):
        return not attribute.startswith(("manual", "set_", "save", "load"))
    return attribute in _PURE_METHODS or (attribute not in _MUTATORS and hasattr(torch.Tensor, attribute))


# ---------------------------------------------------------------------------------------------- writes


def _refuse_memory(function: ast.FunctionDef, imported: set[str]) -> None:
    """Raise if a function writes to a global, to an object outside of it, or to one of its defaults."""
    declared = {name for n in ast.walk(function) if isinstance(n, ast.Global) for name in n.names}
    stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    local = {a.arg for n in ast.walk(function) if isinstance(n, ast.arguments) for a in _parameters(n)}
    local -= _kept_defaults(function.args) - stored
    local |= (stored - declared) | {n.name for n in ast.walk(function) if isinstance(n, ast.FunctionDef)} - {
        function.name
    }
    aliases = _aliases(function, local)
    local -= aliases.keys()
    of_modules = {name for name, root in aliases.items() if root in imported}
    for node in ast.walk(function):
        name = _written(node, local, declared, imported, of_modules)
        if name:
            line = getattr(node, "lineno", None)
            raise TraceFailure(f"it keeps `{name}` from one call to the next", STATELESS, line)


def _aliases(function: ast.FunctionDef, local: set[str]) -> dict[str, str]:
    """Names that a function gives to objects outside of it and to nothing else, with the name that each has there."""
    values: dict[str, list[ast.expr]] = {}
    stored = [n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            values.setdefault(node.targets[0].id, []).append(node.value)
    found: dict[str, str] = {}
    for name, given in values.items():
        roots = [_outside(value, local - found.keys()) for value in given]
        if len(given) == stored.count(name) and all(roots):
            found[name] = found.get(str(roots[0]), str(roots[0]))
    return found


def _written(node: ast.AST, local: set[str], declared: set[str], modules: set[str], aliases: set[str]) -> str | None:
    """The name of the object outside the function that a node writes to.

    `modules` are imported names, `aliases` those that the function gives to them or to their attributes.
    """
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in declared:
        return node.id
    if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        return _outside(node, local)
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Name) and node.func.id == "next" and node.args:
        return _outside(node.args[0], local)
    if isinstance(node.func, ast.Attribute):
        attribute = node.func.attr
        if attribute in _MUTATORS:
            # `np.append(a, b)` is a function of its arguments; `warnings.filters.append(a)` is not.
            return _outside(node.func, local | (modules if isinstance(node.func.value, ast.Name) else set()))
        if attribute.endswith("_") and not attribute.startswith("_"):
            return _outside(node.func, local | modules | aliases)
    return None


def _kept_defaults(arguments: ast.arguments) -> set[str]:
    """Parameters whose default is an object that a call could change for the next call."""
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = list(zip(reversed(positional), reversed(arguments.defaults), strict=False))
    pairs += [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None]
    literal = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp, ast.Call)
    return {argument.arg for argument, default in pairs if isinstance(default, literal)}


def _outside(node: ast.expr, local: set[str]) -> str | None:
    """The name outside of a function at which an expression begins; None of one that begins at a local name."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) and node.id not in local else None


def _parameters(arguments: ast.arguments) -> list[ast.arg]:
    named_only = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [*named_only, *(a for a in (arguments.vararg, arguments.kwarg) if a is not None)]


# ---------------------------------------------------------------------------------------------- what calls leave

_MAX_LOOKED_AT = 20_000


class ModuleState:
    """Everything that a module keeps between calls, as a snapshot: constants, defaults, closures, classes."""

    def __init__(self, module: Mapping[str, Any], source: str) -> None:
        self._module = module
        self._lines = _binding_lines(source)
        self._own = str(module.get("__name__", ""))
        self._before = self._look()

    def check(self) -> None:
        """Raise `TraceFailure` if a call changed something."""
        after = self._look()
        for name in dict.fromkeys([*self._before, *after]):
            if self._before.get(name) != after.get(name):
                raise TraceFailure(f"it keeps `{name}` from one call to the next", STATELESS, self._lines.get(name))

    def _look(self) -> dict[str, Any]:
        seen: dict[int, Any] = {}
        return {
            name: self._content(value, name, seen)
            for name, value in list(self._module.items())
            if not name.startswith("__") and not isinstance(value, types.ModuleType)
        }

    def _content(self, value: Any, name: str, seen: dict[int, Any]) -> Any:
        """A value that compares equal to an earlier one of the same object if nothing in it has changed."""
        if value is None or isinstance(value, bool | int | float | complex | str | bytes | torch.dtype | torch.device):
            return repr(value)
        if id(value) in seen or len(seen) > _MAX_LOOKED_AT:
            return id(value)
        seen[id(value)] = value
        if isinstance(value, bytearray | memoryview):
            return (id(value), bytes(value))
        if isinstance(value, np.ndarray):
            return (id(value), repr(value.tolist()))
        if isinstance(value, torch.Tensor):
            return (id(value), tuple(value.shape), repr(value.detach().flatten().tolist()))
        if isinstance(value, Iterator):
            raise TraceFailure(
                f"`{name}` is an iterator, which is used up from one call to the next", STATELESS, self._lines.get(name)
            )
        return (id(value), *(self._content(part, name, seen) for part in self._parts(value)))

    def _parts(self, value: Any) -> list[Any]:
        if isinstance(value, types.FunctionType):
            if value.__module__ != self._own:
                return []
            cells = [_cell(cell) for cell in value.__closure__ or ()]
            attributes = [part for pair in value.__dict__.items() for part in pair]
            return [value.__defaults__, value.__kwdefaults__, *attributes, *cells]
        if isinstance(value, type):
            return (
                [v for k, v in vars(value).items() if not k.startswith("__")] if value.__module__ == self._own else []
            )
        if isinstance(value, Mapping):
            return [part for pair in list(value.items()) for part in pair]
        if isinstance(value, list | tuple | set | frozenset | deque):
            return list(value)
        if isinstance(value, functools.partial):
            return [value.func, value.args, value.keywords]
        is_own = type(value).__module__ == self._own or isinstance(value, torch.nn.Module)
        return [vars(value)] if is_own and hasattr(value, "__dict__") else []


def _cell(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    # A cell that is not filled yet.
    except ValueError:
        return None


def _binding_lines(source: str) -> dict[str, int]:
    """The line in which each name of the module is bound."""
    lines: dict[str, int] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            lines.setdefault(node.name, node.lineno)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        lines.setdefault(name.id, node.lineno)
    return lines
