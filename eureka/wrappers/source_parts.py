"""Collects definitions of our own modules and of a task as text, for a standalone file."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from eureka.core.errors import TaskError
from eureka.tasks import Task

TASK_MEMBERS = ("Carry", "State", "start", "advance", "state", "metric", "state_from_gym")
"""Members of a task's class that are needed to read the State and the metric."""
OFFERED_BY_TASK = frozenset({"model", "info", "control_timestep_s", "num_actions", "has_own_control", "read_state"})
"""Attributes provided by the file's own base class of tasks."""


class Parts:
    """Collects definitions in the order in which they can be executed, each once, and the imports that they need.

    Args:
        known: names that the file gets from elsewhere, such as its own base class of tasks.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._done: set[tuple[str, str]] = set()
        self._imports: set[str] = set()
        self._code: list[str] = []

    @property
    def imports(self) -> list[str]:
        """Import statements, without those of our modules."""
        return sorted(self._imports)

    @property
    def code(self) -> str:
        """The definitions, two empty lines between them."""
        return "\n\n\n".join(self._code) + "\n"

    def know(self, *others: Parts) -> None:
        """Exclude definitions contained in these parts, which come earlier in the file."""
        for other in others:
            self._done |= other._done

    def add(self, module: str, names: Iterable[str]) -> None:
        """Add definitions of one of our modules, with everything of ours that they use."""
        for name in names:
            self._add(_Module(module), name)

    def add_module(self, name: str) -> None:
        """Add all definitions of a module, with everything of our other modules that they use."""
        module = _Module(name)
        for defined in module.definitions:
            if defined != "__all__":
                self._add(module, defined)

    def add_task(self, cls: type[Task]) -> None:
        """Add a task's class with its bases, limited to what `TASK_MEMBERS` use.

        Raises:
            TaskError: it uses something that only Eureka provides.
        """
        bases = task_classes(cls)
        wanted = self._members(bases)
        for base in bases:
            module, node = _class_of(base)
            body = [member for member in node.body if name_of(member) in wanted]
            for member in body:
                self._add_used(module, member)
            header = f"class {node.name}({', '.join(ast.unparse(parent) for parent in node.bases)}):"
            shown = ast.get_docstring(node)
            doc = [f'"""{shown}"""'] if shown and '"""' not in shown and "\\" not in shown else []
            texts = [*doc, *(module.text(member) for member in body)] or ["pass"]
            self._code.append("\n".join([header, textwrap.indent("\n\n".join(texts), "    ")]))

    def _members(self, bases: list[type[Any]]) -> set[str]:
        wanted = set(TASK_MEMBERS)
        queue = list(TASK_MEMBERS)
        while queue:
            name = queue.pop()
            for base in bases:
                if name not in vars(base):
                    continue
                _, node = _class_of(base)
                for member in node.body:
                    if name_of(member) == name:
                        new = {used for used in _attributes_of_self(member) if used not in wanted}
                        queue += new
                        wanted |= new
        own = {name for base in bases for name in vars(base)}
        for name in wanted - own - set(TASK_MEMBERS) - OFFERED_BY_TASK:
            if hasattr(Task, name) or name in ("folder", "fields"):
                raise TaskError(
                    f"task class {bases[-1].__name__} uses `self.{name}` to make its State, which is not to be had "
                    "outside Eureka: use eureka.wrappers.RewardWrapper instead of the file"
                )
        return wanted - OFFERED_BY_TASK

    def _add(self, module: _Module, name: str) -> None:
        if (module.name, name) in self._done or name in self._known:
            return
        self._done.add((module.name, name))
        node = module.definitions[name]
        self._add_used(module, node)
        self._code.append(module.text(node))

    def _add_used(self, module: _Module, node: ast.stmt) -> None:
        for name in _names_in(node):
            if name in module.definitions:
                self._add(module, name)
            elif name in module.imported:
                self._add_imported(module, name)

    def _add_imported(self, module: _Module, name: str) -> None:
        source, original, statement = module.imported[name]
        if source.partition(".")[0] != "eureka":
            self._imports.add(statement)
            return
        if name in self._known:
            return
        value = getattr(importlib.import_module(source), original, None)
        home = _Module(getattr(value, "__module__", None) or source)
        if original not in home.definitions:
            home = _Module(source)
        if original not in home.definitions or name != original:
            raise TaskError(f"{module.name}: `{name}` of {source} cannot stand in a file of its own")
        self._add(home, original)


def task_classes(cls: type[Task]) -> list[type[Task]]:
    """A task's class and its bases, bases first, without the common base class and classes made while loading."""
    bases = [base for base in reversed(cls.__mro__) if issubclass(base, Task) and base is not Task]
    return [base for base in bases if "<locals>" not in base.__qualname__]


class _Module:
    """A module's source, with its top-level definitions and imports."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._source = inspect.getsource(sys.modules.get(name) or importlib.import_module(name))
        tree = ast.parse(self._source)
        self.definitions: dict[str, ast.stmt] = {}
        self.imported: dict[str, tuple[str, str, str]] = {}
        for node in tree.body:
            defined = name_of(node)
            if defined is not None:
                self.definitions[defined] = node
            for imported in _imports_in(node):
                self.imported[imported[0]] = imported[1:]

    def text(self, node: ast.stmt) -> str:
        """The lines of a definition, with its decorators and the docstring of a constant."""
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
        lines = self._source.splitlines()[first - 1 : node.end_lineno]
        return textwrap.dedent("\n".join(lines))


def _class_of(cls: type[Any]) -> tuple[_Module, ast.ClassDef]:
    module = _Module(cls.__module__)
    node = module.definitions.get(cls.__name__)
    if not isinstance(node, ast.ClassDef):
        raise TaskError(f"{cls.__module__}: class {cls.__name__} must be defined at the top level of its module")
    return module, node


def name_of(node: ast.stmt) -> str | None:
    """The name that a statement defines: of a function, a class, or the first assigned name."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return next((target.id for target in targets if isinstance(target, ast.Name)), None)


def _imports_in(node: ast.stmt) -> Iterator[tuple[str, str, str, str]]:
    """For each import: the name in the module, the source module, the name there, and a statement that imports it
    alone.
    """
    if isinstance(node, ast.If):  # Imports under TYPE_CHECKING are skipped: annotations are never evaluated in the file
        return
    if isinstance(node, ast.Import):
        for alias in node.names:
            statement = f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
            yield alias.asname or alias.name.partition(".")[0], alias.name, "", statement
    elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
        for alias in node.names:
            renamed = f" as {alias.asname}" if alias.asname else ""
            statement = f"from {node.module} import {alias.name}{renamed}"
            yield alias.asname or alias.name, node.module or "", alias.name, statement


def _names_in(node: ast.stmt) -> list[str]:
    return sorted({used.id for used in ast.walk(node) if isinstance(used, ast.Name)})


def _attributes_of_self(node: ast.stmt) -> set[str]:
    return {
        used.attr
        for used in ast.walk(node)
        if isinstance(used, ast.Attribute) and isinstance(used.value, ast.Name) and used.value.id in ("self", "cls")
    }
