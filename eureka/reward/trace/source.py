"""Loads a candidate's source for tracing, inside the sandbox: named constants, named variables, no TorchScript.

The source is parsed, rewritten and compiled; positions stay those of the source, so errors carry its lines.

- `@torch.jit.script`, `@torch.compile` and the like are dropped.
- `weight = 0.5`, `def f(x, weight=0.5)` and `W = {"speed": 0.5}` give numbers that remember their names.
- After `x = ...` inside a function, the recorder is given the variable's name.
- `assert` and `print` run in eager runs, and are skipped while the code is traced; they may only look (`memory`).
- Code that keeps something from one call to the next is refused (`memory`).
- Rotations are at hand without a definition (`offered`), and `getattr(self, name, default)` knows the fields.
"""

from __future__ import annotations
import __future__

import ast
import inspect
import linecache
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from eureka.reward.extract.definitions import COMPILERS, dotted
from eureka.reward.trace.explain import FILENAME, TraceFailure
from eureka.reward.trace.memory import is_print, refuse_unseen
from eureka.reward.trace.modules import INSIDE, PLAIN, STATELESS, given_builtins
from eureka.reward.trace.offered import HELPERS, resolved
from eureka.reward.trace.sizes import broadcast_shapes, length, numbers_up_to, whole

FUNCTION = "compute_reward"


class NamedFloat(float):
    """A float that remembers the variable it was assigned to; arithmetic other than negation forgets it."""

    name: str
    negative: bool

    def __neg__(self) -> NamedFloat:
        return named(-float(self), self.name, not self.negative)  # type: ignore[return-value]


class NamedInt(int):
    """An int that remembers the variable it was assigned to."""

    name: str
    negative: bool

    def __neg__(self) -> NamedInt:
        return named(-int(self), self.name, not self.negative)  # type: ignore[return-value]


Named = NamedFloat | NamedInt


def named(value: float, name: str, negative: bool = False) -> Named:
    """`value` with a name; `negative` says that it is minus the constant of that name."""
    number: Named = NamedInt(value) if isinstance(value, int) else NamedFloat(value)
    number.name, number.negative = name, negative
    return number


@dataclass
class Hooks:
    """The functions that the rewritten code calls: `bind(name, value)` after an assignment, `tracing()` before asserts
    and prints.
    """

    bind: Callable[[str, Any], None]
    tracing: Callable[[], bool]


class Self:
    """The `self` of a candidate written as a method: State fields, `num_envs`, `device`, functions.

    A new object is made for every call, so that nothing is kept between calls.
    """

    def __init__(self, state: Mapping[str, torch.Tensor], module: Mapping[str, Any]) -> None:
        first = next(iter(state.values()))
        self.__dict__.update(state, num_envs=length(first), device=first.device)
        for name, value in module.items():
            if isinstance(value, types.FunctionType):
                is_method = value.__code__.co_varnames[:1] == ("self",)
                self.__dict__.setdefault(name, types.MethodType(value, self) if is_method else value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        frame = sys._getframe(1)
        line = frame.f_lineno if frame.f_code.co_filename == FILENAME else None
        raise TraceFailure(f"it reads `self.{name}`, which it has not set before", STATELESS, line)


@dataclass(frozen=True)
class CandidateModule:
    """A candidate's module with its function, and the line of the last `return`."""

    module: Mapping[str, Any]
    return_line: int

    def call(self, state: Mapping[str, torch.Tensor]) -> Any:
        """Call the function with its parameters taken from State fields by name."""
        function = self.module[FUNCTION]
        parameters = inspect.signature(function).parameters
        if "self" in parameters and "self" not in state:
            given = {name: value for name, value in state.items() if name in parameters}
            return function(self=Self(state, self.module), **given)
        return function(**state)


def load(source: str, hooks: Hooks) -> CandidateModule:
    """Compile and run the module; raises whatever it raises, or `TraceFailure`."""
    tree = ast.parse(source, FILENAME)
    definitions = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == FUNCTION]
    if not definitions:
        raise TraceFailure(f"there is no function `{FUNCTION}`", f"Define `def {FUNCTION}(...)`.")
    refuse_unseen(tree)
    set_in_self = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and dotted(node.value) == "self"
    }
    returns = [n.lineno for n in ast.walk(definitions[-1]) if isinstance(n, ast.Return)]
    tree = ast.fix_missing_locations(_Rewriter().visit(tree))
    # Annotations are never evaluated, so a missing import in one of them is not an error.
    code = compile(tree, FILENAME, "exec", flags=__future__.annotations.compiler_flag, dont_inherit=True)
    linecache.cache[FILENAME] = (len(source), None, source.splitlines(keepends=True), FILENAME)
    module = types.ModuleType("reward")
    sys.modules[module.__name__] = module
    module.__dict__.update(__builtins__=given_builtins())
    module.__dict__.update(HELPERS, len=length, range=numbers_up_to, getattr=_getattr(set_in_self))
    module.__dict__.update(__constant__=named, __bind__=hooks.bind, __tracing__=hooks.tracing)
    module.__dict__.update(__whole__=whole, __broadcast_shapes__=broadcast_shapes)
    exec(code, module.__dict__)
    return CandidateModule(module.__dict__, max(returns, default=definitions[-1].lineno))


def _getattr(set_in_self: set[str]) -> Callable[..., Any]:
    """A `getattr` that returns the default for attributes that `self` never has; those that the code itself sets are
    refused, and names of the interpreter's own, however they were put together.
    """

    def get(target: Any, name: str, *default: Any) -> Any:
        if name in INSIDE:
            raise TraceFailure(f"it reaches for `{name}`", PLAIN)
        absent = isinstance(target, Self) and name not in target.__dict__ and name not in set_in_self
        return default[0] if absent and default else getattr(target, name, *default)

    return get


# ---------------------------------------------------------------------------------------------- rewriting


def _number(node: ast.expr | None) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def _constant(value: ast.expr, name: str) -> ast.expr:
    """Wrap numeric literals, alone or in a dict or tuple, so that they remember their names."""
    if _number(value):
        return ast.copy_location(_call("__constant__", value, ast.Constant(name)), value)
    if isinstance(value, ast.Dict):
        for index, (key, element) in enumerate(zip(value.keys, value.values, strict=True)):
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.isidentifier():
                value.values[index] = _constant(element, f"{name}_{key.value}")
    return value


def _is_compiler(node: ast.expr) -> bool:
    name = dotted(node.func if isinstance(node, ast.Call) else node)
    return name in COMPILERS or name.startswith(("torch.jit.", "jit.", "torch.compile"))


class _Rewriter(ast.NodeTransformer):
    def __init__(self) -> None:
        self._depth = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.decorator_list = [d for d in node.decorator_list if not _is_compiler(d)]
        positional = [*node.args.posonlyargs, *node.args.args]
        first = len(positional) - len(node.args.defaults)
        node.args.defaults = [_constant(d, p.arg) for p, d in zip(positional[first:], node.args.defaults, strict=True)]
        node.args.kw_defaults = [
            d and _constant(d, p.arg) for p, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        ]
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1
        return node

    def visit_Assign(self, node: ast.Assign) -> Any:
        self.generic_visit(node)
        target = node.targets[0]
        if isinstance(target, ast.Name):
            node.value = _constant(node.value, target.id)
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = zip(target.elts, node.value.elts, strict=False)
            values = [_constant(v, t.id) if isinstance(t, ast.Name) else v for t, v in pairs]
            node.value.elts[: len(values)] = values
        return [node, *self._binds(node, node.targets)]

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        self.generic_visit(node)
        if node.value is None:
            return node
        if isinstance(node.target, ast.Name):
            node.value = _constant(node.value, node.target.id)
        return [node, *self._binds(node, [node.target])]

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        self.generic_visit(node)
        return [node, *self._binds(node, [node.target])]

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        return self._eager_only(node)

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        self.generic_visit(node)
        return self._eager_only(node) if is_print(node) else node

    def visit_Import(self, node: ast.Import) -> ast.stmt:
        return resolved(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        return resolved(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Torch's own `broadcast_shapes` compares sizes in Python."""
        self.generic_visit(node)
        if dotted(node) in ("torch.broadcast_shapes", "torch.functional.broadcast_shapes"):
            return ast.copy_location(ast.Name("__broadcast_shapes__", ast.Load()), node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """`torch.jit.script(f)` is `f`, and `int(n)` of a number of environments still one."""
        self.generic_visit(node)
        if dotted(node.func) == "int":
            node.func = ast.copy_location(ast.Name("__whole__", ast.Load()), node.func)
        return node.args[0] if len(node.args) == 1 and dotted(node.func) in COMPILERS else node

    def _eager_only(self, node: ast.stmt) -> ast.stmt:
        return ast.copy_location(ast.If(ast.UnaryOp(ast.Not(), _call("__tracing__")), [node], []), node)

    def _binds(self, node: ast.stmt, targets: list[ast.expr]) -> list[ast.stmt]:
        if not self._depth:
            return []
        flat = [e for t in targets for e in (t.elts if isinstance(t, ast.Tuple | ast.List) else [t])]
        names = [t.id for t in flat if isinstance(t, ast.Name)]
        calls = [_call("__bind__", ast.Constant(name), ast.Name(name, ast.Load())) for name in names]
        return [ast.copy_location(ast.Expr(call), node) for call in calls]
