"""Finds the reward among an answer's functions: stubs, drafts, versions with a suffix, aliases. Pure `ast`.

Models number their revisions (`compute_reward_v2`), write a draft before the final function, and end with
`compute_reward = torch.jit.script(f)`. The last complete definition counts, unless it is offered as an alternative.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from eureka.reward.extract.code_blocks import Statement
from eureka.reward.extract.state_inputs import FUNCTION, listed

Function = ast.FunctionDef | ast.AsyncFunctionDef

COMPILERS = frozenset({"torch.jit.script", "jit.script", "script", "torch.compile", "torch.jit.script_if_tracing"})
"""Functions that take a function and return an equivalent one."""

_SUFFIXED = re.compile(rf"{FUNCTION}(?:_\w+|\d+)")
_VERSION = re.compile(
    rf"{FUNCTION}_*(?:v(?:er(?:sion)?)?_?\d+|\d+|final|improved|improvement|new|revised|updated?|better|fixed|enhanced"
    r"|refined|tuned|optimi[sz]ed|modified|corrected|simplified|iter(?:ation)?_?\d+|attempt_?\d+)(?:_\w*)?"
)
_ALTERNATIVE = re.compile(
    r"\balternativ|\b(?:another|other|second) (?:option|version|variant|way|possib|idea)|\boption\s*(?:\d|[B-F]\b)"
    r"|\bvariant\b|\bif you (?:prefer|want|like|would)|^\W*or\b",
    re.IGNORECASE | re.MULTILINE,
)


class AmbiguousError(ValueError):
    """Several functions could be meant; the text says which."""


def definition(statements: Sequence[Statement]) -> Statement | None:
    """The statement that defines the reward, None if there is none.

    Raises:
        AmbiguousError: it is unclear which one is meant.
    """
    found = [*_named(statements)]
    candidates = [s for s in found if is_complete(s.node)] or found
    exact = [s for s in candidates if _name(s) == FUNCTION]
    called = {FUNCTION} | {name for s in candidates for name in s.reads if name != _name(s)}
    # A function with a suffix may only be a helper of another one, or call the reward itself.
    wraps = any(_name(s) == FUNCTION for s in statements)
    others = [s for s in candidates if _name(s) not in called and not (wraps and FUNCTION in s.reads)]
    if exact:
        later = [s for s in others if s.position > exact[-1].position and _VERSION.fullmatch(_name(s))]
        return _last([*exact, *later])
    if len({_name(s) for s in others}) > 1 and not all(_VERSION.fullmatch(_name(s)) for s in others):
        names = listed(list(dict.fromkeys(_name(s) for s in others)))
        raise AmbiguousError(f"The code defines {names} but no function named {FUNCTION}.")
    return _last(others)


def is_complete(node: ast.stmt) -> bool:
    """Whether a function returns something and has no `...` in its body."""
    if not isinstance(node, Function):
        return False
    inner = [n for statement in node.body for n in _own(statement)]
    left_out = any(
        isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant) and n.value.value is Ellipsis for n in inner
    )
    return not left_out and any(isinstance(n, ast.Return) and n.value is not None for n in inner)


def renamed(statement: Statement) -> Statement:
    """The definition under the name `compute_reward`, in its own text."""
    node = statement.node
    if not isinstance(node, ast.FunctionDef) or node.name == FUNCTION:
        return statement
    named = copy.copy(node)
    named.name = FUNCTION
    text = re.sub(rf"\bdef(\s+){re.escape(node.name)}\b", rf"def\g<1>{FUNCTION}", statement.text, count=1)
    return replace(statement, node=named, text=text, binds=frozenset({FUNCTION}))


def _named(statements: Sequence[Statement]) -> Iterator[Statement]:
    """The functions named `compute_reward`, by a `def`, a suffix or an assignment."""
    functions: dict[str, Statement] = {}
    for statement in statements:
        node = statement.node
        if isinstance(node, Function):
            functions[node.name] = statement
            if node.name == FUNCTION or _SUFFIXED.fullmatch(node.name):
                yield statement
        elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == FUNCTION for t in node.targets):
            alias = functions.get(_aliased(node.value))
            if alias is not None and _name(alias) != FUNCTION:
                meant = renamed(alias)
                yield replace(meant, said=statement.said)


def _aliased(value: ast.expr) -> str:
    """`f` of `f`, `torch.jit.script(f)` and `torch.compile(f, ...)`."""
    if isinstance(value, ast.Call) and len(value.args) == 1 and dotted(value.func) in COMPILERS:
        value = value.args[0]
    return value.id if isinstance(value, ast.Name) else ""


def dotted(node: ast.expr) -> str:
    """`torch.jit.script` of an attribute's or a name's expression; empty for any other."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _last(candidates: Sequence[Statement]) -> Statement | None:
    if not candidates:
        return None
    if len({_content(s.node) for s in candidates}) == 1:
        return candidates[0]
    if _ALTERNATIVE.search(candidates[-1].said):
        raise AmbiguousError(
            f"The answer defines {len(candidates)} different functions named {FUNCTION}, so which is meant is open."
        )
    return candidates[-1]


def _content(node: ast.stmt) -> str:
    """A function's parameters and body, so that functions can be compared apart from their names."""
    assert isinstance(node, Function)
    parts = [node.args, *node.decorator_list, *node.body]
    return f"{type(node).__name__} {' '.join(ast.dump(part) for part in parts)}"


def _name(statement: Statement) -> str:
    return statement.node.name if isinstance(statement.node, (Function, ast.ClassDef)) else ""


def _own(node: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement, without those of functions and classes defined in it."""
    todo: list[ast.AST] = [node]
    while todo:
        node_ = todo.pop()
        yield node_
        if not isinstance(node_, (*_SCOPES, ast.Lambda)):
            todo += ast.iter_child_nodes(node_)


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
