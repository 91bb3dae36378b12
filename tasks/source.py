"""The part of a task's source that a model is shown."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterable
from typing import Any

SHOWN = ("reset", "control", "advance", "state", "observe", "terminated")
"""The functions that are shown, with everything they use."""
NEVER_SHOWN = frozenset({"metric", "human_reward", "sparse_reward"})
"""Members that are never shown: the metric, and rewards used for comparison."""


def shown_source(cls: type[Any]) -> str:
    """The source of `SHOWN`, after the constants and helper functions of the class and its modules that these use.

    Definitions used by helpers are included too. Excluded are classes (a State is described by its fields), the base
    class of all tasks, and the members in `NEVER_SHOWN`, even if they are used.
    """
    found: dict[tuple[str, str], str] = {}
    for name in SHOWN:
        _add_member(cls, name, found)
    functions = [text for (_, name), text in found.items() if name in SHOWN]
    helpers = [text for (_, name), text in found.items() if name not in SHOWN]
    # An assignment to two names, `A = B = 0.005`, was found under both.
    return "\n".join(dict.fromkeys([*helpers, *functions]))


def _add_member(cls: type[Any], name: str, found: dict[tuple[str, str], str]) -> None:
    """Add a method or constant of the class, after the definitions it uses."""
    owner = next((base for base in cls.__mro__ if name in vars(base)), None)
    if owner is None or owner.__module__ in ("abc", "builtins", "eureka.tasks.base") or name in NEVER_SHOWN:
        return
    definitions = {node.name: node for node in ast.walk(_tree(owner.__module__)) if isinstance(node, ast.ClassDef)}
    node = _definitions(definitions[owner.__name__].body).get(name)
    if node is not None:
        _add(cls, owner.__module__, name, node, found)


def _add(cls: type[Any], module: str, name: str, node: ast.stmt, found: dict[tuple[str, str], str]) -> None:
    if (module, name) in found or isinstance(node, ast.ClassDef):
        return
    found[module, name] = ""  # marked as found first, since a definition may use itself
    top = _definitions(_tree(module).body)
    for used in ast.walk(node):
        if isinstance(used, ast.Name) and used.id in top:
            _add(cls, module, used.id, top[used.id], found)
        elif isinstance(used, ast.Attribute) and isinstance(used.value, ast.Name) and used.value.id in ("self", "cls"):
            _add_member(cls, used.attr, found)
    del found[module, name]
    found[module, name] = _text(module, node)


def _definitions(body: Iterable[ast.stmt]) -> dict[str, ast.stmt]:
    """Functions, classes and assignments by name."""
    found: dict[str, ast.stmt] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: node for target in targets if isinstance(target, ast.Name)}
    return found


def _source(module: str) -> str:
    return inspect.getsource(sys.modules[module])


def _tree(module: str) -> ast.Module:
    return ast.parse(_source(module))


def _text(module: str, node: ast.stmt) -> str:
    """The lines of a definition, with its decorators."""
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
    lines = _source(module).splitlines()[first - 1 : node.end_lineno]
    return textwrap.dedent("\n".join(lines)) + "\n"
