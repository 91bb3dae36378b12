"""Completion -> Candidate | Rejected: find `compute_reward` in an answer. Pure `ast`; nothing is ever executed.

What is kept is `compute_reward` and the module-level imports, assignments, helper functions and classes that it needs,
directly or through one another, in their order and with their own lines and comments. Everything else is dropped.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from eureka.code_blocks import Broken, Statement, statements_in
from eureka.types import Candidate, Completion, FieldSpec, Rejected, Stage

FUNCTION = "compute_reward"
REMEDY = (
    "Answer with one ```python block that defines one plain module-level function "
    "`def compute_reward(<names of State fields>) -> tuple[torch.Tensor, dict[str, torch.Tensor]]`."
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


class _RefusalError(Exception):
    """Internal: ends the extraction; `extract` turns it into a `Rejected`."""

    def __init__(self, reason: str, remedy: str = REMEDY) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True)
class _Found:
    """The one `compute_reward` of an answer, and the statements that it may draw on."""

    function: ast.FunctionDef
    statement: Statement
    statements: tuple[Statement, ...]


def extract(completion: Completion, fields: Sequence[FieldSpec]) -> Candidate | Rejected:
    """Take the reward function out of a model's answer.

    `fields` is the task's State table: every parameter without a default must be one of them.
    """
    try:
        found = _find(completion.text)
        inputs = _inputs(found.function, fields)
        return Candidate(completion.candidate_id, _emit(_needed(found)), inputs)
    except _RefusalError as refusal:
        reason, feedback = refusal.reason, f"{refusal.reason} {refusal.remedy}"
    except (RecursionError, MemoryError):
        reason = "The code is nested too deeply for Python to parse."
        feedback = f"{reason} Use named intermediate values, one short line each."
    return Rejected(completion.candidate_id, Stage.EXTRACT, reason, feedback)


def _find(text: str) -> _Found:
    statements, broken = statements_in(text, FUNCTION)
    defined = [s for s in statements if isinstance(s.node, Function) and s.node.name == FUNCTION]
    if not defined:
        raise _why_none(text, statements, broken)
    if len({ast.dump(s.node) for s in defined}) > 1:
        raise _RefusalError(
            f"The answer defines {len(defined)} different functions named {FUNCTION}, so which is meant is open."
        )
    chosen = defined[0]
    if not isinstance(chosen.node, ast.FunctionDef):
        raise _RefusalError(f"{FUNCTION} is an `async def`, which cannot be used as a reward.")
    return _Found(chosen.node, chosen, tuple(statements))


def _why_none(text: str, statements: Sequence[Statement], broken: Sequence[Broken]) -> _RefusalError:
    if broken:
        first = broken[0]
        where = f"line {first.line}, `{first.text}`" if first.text else f"line {first.line}"
        cut = " The answer seems to be cut off: it ends inside a code block." if first.unterminated else ""
        return _RefusalError(f"The code does not parse: {where}: {first.message}.{cut}", "Mend this line. " + REMEDY)
    for statement in statements:
        node = statement.node
        if isinstance(node, ast.ClassDef) and any(
            isinstance(n, Function) and n.name == FUNCTION for n in ast.walk(node)
        ):
            return _RefusalError(
                f"{FUNCTION} is a method of the class {node.name}.",
                "Write it as a plain function outside any class, without `self`, with State fields as its parameters.",
            )
        if FUNCTION in statement.binds:
            return _RefusalError(f"{FUNCTION} is not defined by a `def`.")
    names = [s.node.name for s in statements if isinstance(s.node, Function)]
    if names:
        return _RefusalError(f"The code defines {_listed(names)} but no function named {FUNCTION}.")
    if statements:
        return _RefusalError(f"The code defines no function named {FUNCTION}.")
    return _RefusalError("The answer is empty." if not text.strip() else "The answer holds no Python code, only prose.")


def _inputs(function: ast.FunctionDef, fields: Sequence[FieldSpec]) -> tuple[str, ...]:
    """The parameters that are State fields, in order."""
    arguments = function.args
    valid = [f.name for f in fields]
    remedy = f"Name the State fields that you read as ordinary parameters. Valid names: {', '.join(valid)}."
    if arguments.vararg or arguments.kwarg:
        stars = [f"*{arguments.vararg.arg}"] if arguments.vararg else []
        stars += [f"**{arguments.kwarg.arg}"] if arguments.kwarg else []
        raise _RefusalError(f"{FUNCTION} takes {' and '.join(stars)} in place of named State fields.", remedy)
    if arguments.posonlyargs:
        raise _RefusalError(f"{FUNCTION} has positional-only parameters (a `/`), but it is called by name.", remedy)
    defaulted = {a.arg for a in arguments.args[len(arguments.args) - len(arguments.defaults) :]}
    defaulted |= {a.arg for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None}
    names = [a.arg for a in (*arguments.args, *arguments.kwonlyargs)]
    if "self" in names and "self" not in valid:
        raise _RefusalError(f"{FUNCTION} takes `self`, but there is no environment object to read from.", remedy)
    unknown = [name for name in names if name not in valid and name not in defaulted]
    if unknown:
        raise _RefusalError(_unknown_sentence(unknown, valid), remedy)
    inputs = tuple(name for name in names if name in valid)
    if not inputs:
        raise _RefusalError(f"{FUNCTION} reads no State field.", remedy)
    return inputs


def _unknown_sentence(unknown: Sequence[str], valid: Sequence[str]) -> str:
    described = []
    for name in unknown:
        near = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
        described.append(f"`{name}` (did you mean `{near[0]}`?)" if near else f"`{name}`")
    verb = "is not a State field" if len(unknown) == 1 else "are not State fields"
    return f"{_listed(described)} {verb}."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _needed(found: _Found) -> list[Statement]:
    """`compute_reward` and what it needs, in order; of repeated identical definitions only the first."""
    keep = {found.statement.position}
    todo = [found.statement]
    while todo:
        wanted = todo.pop().reads
        for other in found.statements:
            if other.position not in keep and FUNCTION not in other.binds and (other.binds & wanted or other.always):
                keep.add(other.position)
                todo.append(other)
    kept: list[Statement] = []
    seen: set[str] = set()
    for statement in found.statements:
        once = isinstance(statement.node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef))
        key = ast.dump(statement.node) if once else ""
        if statement.position in keep and key not in seen:
            kept.append(statement)
            seen |= {key} - {""}
    # `from __future__` must come first, which joining several blocks could break.
    return sorted(kept, key=lambda s: not s.is_future_import)


def _emit(statements: Sequence[Statement]) -> str:
    """The kept statements' own text, with two blank lines around definitions and their own spacing elsewhere."""
    has_torch = any("torch" in s.binds or (s.always and not s.is_future_import) for s in statements)
    uses_torch = any("torch" in s.reads for s in statements)
    lines: list[str] = []
    previous: Statement | None = None
    for statement in statements:
        if previous is not None:
            definition = any(isinstance(s.node, (ast.FunctionDef, ast.ClassDef)) for s in (previous, statement))
            lines += ["", ""] if definition else [""] * min(statement.blank_lines_before, 1)
        lines.append(statement.text)
        previous = statement
    if uses_torch and not has_torch:
        # The one thing ever added: models often leave this line out, and nothing else could be meant.
        future = bool(statements) and statements[0].is_future_import
        lines[int(future) : int(future)] = ["import torch"] + ([] if future else ["", ""])
    return "\n".join(lines) + "\n"
