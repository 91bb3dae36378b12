"""Finds `compute_reward` in an answer: Completion -> Candidate | Rejected. Uses `ast` only; nothing is executed.

What is kept is `compute_reward` and the module-level imports, assignments, helper functions and classes that it needs,
directly or through one another, in their order and with their own lines and comments. Everything else is dropped.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from eureka.core.types import Candidate, Completion, FieldSpec, Rejected, Stage
from eureka.reward.extract.answer_text import (
    QuotedCode,
    SplitAnswer,
    quoted_code,
    tidy,
    without_edits,
    without_tags,
    without_thinking,
)
from eureka.reward.extract.code_blocks import (
    Parser,
    Statement,
    UnparsableCode,
    definition_of,
    fenced_blocks,
    statements_in,
)
from eureka.reward.extract.definitions import AmbiguousError, Function, definition, renamed
from eureka.reward.extract.state_inputs import FUNCTION, InputsError, clipped, listed, state_inputs

REMEDY = (
    "Answer with one ```python block that defines one plain module-level function "
    "`def compute_reward(<names of State fields>) -> tuple[torch.Tensor, dict[str, torch.Tensor]]`."
)

MAX_ANSWER = 200_000
"""Maximum length of an answer in characters."""

_CUT_OFF = f"The answer was cut off at the token limit before {FUNCTION} was complete."
_CUT_OFF_IN_THOUGHT = "The token limit was reached before the answer began: all tokens went into thinking."
_BRIEF = "Think less and answer more briefly: few components, no long comments. " + REMEDY
_LANGUAGES = {
    **dict.fromkeys(("javascript", "js", "jsx"), "JavaScript"),
    **dict.fromkeys(("typescript", "ts", "tsx"), "TypeScript"),
    **dict.fromkeys(("cpp", "c++", "cuda", "cc"), "C++"),
    **dict.fromkeys(("csharp", "cs", "c#"), "C#"),
    **dict.fromkeys(("bash", "sh", "shell", "console"), "shell"),
    **{
        name: name.capitalize()
        for name in ("c", "java", "rust", "go", "julia", "matlab", "lua", "r", "swift", "kotlin")
    },
    **{name: name.upper() for name in ("json", "yaml", "xml", "html", "sql")},
}
_OTHER_DEFINITION = re.compile(rf"\b(?:function|fn|func|fun|void|auto|double|float|const|let|public)\s+{FUNCTION}\b")
_DECLINED = re.compile(
    r"\b(?:I(?:'m| am) (?:sorry|unable|not able)|I (?:can(?:no|')t|won't|will not)|as an AI\b"
    r"|unable to (?:help|assist))",
    re.IGNORECASE,
)
_HUNK = re.compile(r"^@@ -\d", re.MULTILINE)
_OPENING_WORDS, _SHOWN = 400, 120


class _RefusalError(Exception):
    """Internal exception that ends the extraction; `extract` turns it into a `Rejected`."""

    def __init__(self, reason: str, remedy: str = REMEDY) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True)
class _Found:
    """The `compute_reward` of an answer, its original name, and the statements that it may use."""

    function: ast.FunctionDef
    name: str
    statement: Statement
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class _Reading:
    """One way to read an answer, with the statements and broken pieces found."""

    quoted: QuotedCode
    statements: Sequence[Statement]
    broken: Sequence[UnparsableCode]


def extract(completion: Completion, fields: Sequence[FieldSpec]) -> Candidate | Rejected:
    """Take the reward function out of a model's answer.

    `fields` is the task's State table: every parameter without a default must be one of them.
    """
    try:
        found = _find(completion)
        needed = _needed(found)
        inputs = state_inputs(found.function, [statement.node for statement in needed], fields)
        source = _emit(needed)
        if found.name != FUNCTION and any(found.name in statement.reads for statement in needed):
            source += f"\n\n{found.name} = {FUNCTION}\n"
        return Candidate(completion.candidate_id, source, inputs)
    except InputsError as error:
        reason, feedback = str(error), f"{error} {error.remedy}"
    except _RefusalError as refusal:
        reason, feedback = refusal.reason, f"{refusal.reason} {refusal.remedy}"
    except (RecursionError, MemoryError):
        reason = "The code is nested too deeply for Python to parse."
        feedback = f"{reason} Use named intermediate values, one short line each."
    return Rejected(completion.candidate_id, Stage.EXTRACT, reason, feedback)


def extract_continued(start: Completion, rest: Completion, fields: Sequence[FieldSpec]) -> Candidate | Rejected:
    """Extract from an answer that was cut off and continued in a second one, or restarted in it."""
    joined = extract(replace(rest, text=start.text + rest.text), fields)
    anew = extract(rest, fields) if isinstance(joined, Rejected) else joined
    return anew if isinstance(anew, Candidate) else joined


def _find(completion: Completion) -> _Found:
    """The function in the first reading of the answer that has one.

    Readings: the answer without thinking; code in strings of JSON or tool calls; without XML tags; and, where nothing
    was cut off, the thinking where nothing else was said.
    """
    if completion.finish == "refusal":
        raise _RefusalError(f"The model refused to answer{_quotation(completion.text)}.")
    if len(completion.text) > MAX_ANSWER:
        raise _RefusalError(f"The answer is {len(completion.text):,} characters long; {MAX_ANSWER:,} are read.")
    text = tidy(completion.text)
    cut = completion.finish == "length"
    spoken = without_thinking(text)
    said, has_edits = without_edits(spoken.text)
    parser = Parser()
    if has_edits and not definition_of(FUNCTION).search(said):
        raise _RefusalError("The answer is a search-and-replace block or a patch; the whole code is needed.")
    texts = [QuotedCode(said)]
    if FUNCTION in text:
        texts += [*quoted_code(said, FUNCTION), QuotedCode(without_tags(said))]
        texts += [] if cut else [QuotedCode(spoken.thought)]
    readings: list[_Reading] = []
    for quoted in texts:
        reading = _Reading(quoted, *statements_in(quoted.text, FUNCTION, parser))
        readings.append(reading)
        try:
            chosen = definition(reading.statements)
        except AmbiguousError as error:
            raise _RefusalError(str(error)) from error
        if chosen is not None:
            return _chosen(chosen, reading, cut)
    raise _why_none(spoken, readings, cut, parser)


def _chosen(chosen: Statement, reading: _Reading, cut: bool) -> _Found:
    """The definition of a reading, renamed to `compute_reward`, if it is complete."""
    node = chosen.node
    if not isinstance(node, ast.FunctionDef):
        raise _RefusalError(f"{FUNCTION} is an `async def`, which cannot be used as a reward.")
    last_line = chosen.text.rpartition("\n")[2].strip()
    is_last = reading.quoted.text.rstrip().endswith(last_line) or any(b.unterminated for b in reading.broken)
    if reading.quoted.unterminated or (cut and is_last):
        raise _RefusalError(_CUT_OFF, _BRIEF)
    # An alias is found under its proper name: what it is called elsewhere is what its statement binds.
    original = next(s for s in reading.statements if s.position == chosen.position)
    name = original.node.name if isinstance(original.node, ast.FunctionDef) else FUNCTION
    statement = renamed(chosen)
    assert isinstance(statement.node, ast.FunctionDef)
    others = [s for s in reading.statements if s.position != chosen.position and not s.binds & {FUNCTION, name}]
    return _Found(statement.node, name, statement, (*others, statement))


def _why_none(spoken: SplitAnswer, readings: Sequence[_Reading], cut: bool, parser: Parser) -> _RefusalError:
    if cut:
        return _RefusalError(_CUT_OFF if spoken.text.strip() else _CUT_OFF_IN_THOUGHT, _BRIEF)
    text = spoken.text
    if not text.strip():
        said = "holds nothing but thinking" if spoken.thought.strip() else "is empty"
        return _RefusalError(f"The answer {said}.")
    blocks, prose = fenced_blocks(text, parser)
    if any(block.info in {"diff", "patch"} for block in blocks) or _HUNK.search(prose):
        return _RefusalError("The answer is a diff; the whole code is needed.")
    for reading in readings:
        if reading.broken:
            return _not_parsed(reading.broken[0])
    statements = next((reading.statements for reading in readings if reading.statements), [])
    for statement in statements:
        node = statement.node
        if isinstance(node, ast.ClassDef) and any(
            isinstance(n, Function) and n.name == FUNCTION for n in ast.walk(node)
        ):
            return _RefusalError(
                f"{FUNCTION} is a method of the class {clipped(node.name)}.",
                "Write it as a plain function outside any class, without `self`, with State fields as its parameters.",
            )
        if FUNCTION in statement.binds:
            return _RefusalError(f"{FUNCTION} is not defined by a `def`.")
    names = [s.node.name for s in statements if isinstance(s.node, Function)]
    if names:
        return _RefusalError(f"The code defines {listed(names)} but no function named {FUNCTION}.")
    if statements:
        return _RefusalError(f"The code defines no function named {FUNCTION}.")
    return _no_python(text, [block.info for block in blocks])


def _not_parsed(broken: UnparsableCode) -> _RefusalError:
    where = f"line {broken.line}, `{broken.text}`" if broken.text else f"line {broken.line}"
    cut = " The answer seems to be cut off: it ends inside a code block." if broken.unterminated else ""
    return _RefusalError(f"The code does not parse: {where}: {broken.message}.{cut}", "Mend this line. " + REMEDY)


def _no_python(text: str, infos: Sequence[str]) -> _RefusalError:
    language = next((_LANGUAGES[info] for info in infos if info in _LANGUAGES), "")
    if not language and _OTHER_DEFINITION.search(text):
        language = "another language's"
    if language:
        return _RefusalError(f"The answer holds {language} code, not Python.")
    if re.search(rf"\bdef\s+{FUNCTION}\b", text):
        return _RefusalError(f"`def {FUNCTION}` is there, but with something around it that is not Python.")
    if _DECLINED.search(text[:_OPENING_WORDS]):
        return _RefusalError(f"The model declined to answer{_quotation(text)}.")
    return _RefusalError("The answer holds no Python code, only prose." if not infos else "No Python code was found.")


def _quotation(text: str) -> str:
    """The beginning of an answer as a quotation; empty for an empty answer."""
    words = " ".join(text.replace("`", "'").split())
    return f": `{words[:_SHOWN]}{' ...' if len(words) > _SHOWN else ''}`" if words else ""


def _needed(found: _Found) -> list[Statement]:
    """`compute_reward` and what it needs, in order; of repeated identical definitions only the first."""
    binding: dict[str, list[Statement]] = {}
    for statement in found.statements:
        for name in statement.binds:
            binding.setdefault(name, []).append(statement)
    keep = {found.statement.position} | {s.position for s in found.statements if s.always}
    todo = [s for s in found.statements if s.position in keep]
    known: set[str] = set()
    while todo:
        wanted = todo.pop().reads - known
        known |= wanted
        for other in (s for name in wanted for s in binding.get(name, ())):
            if other.position not in keep:
                keep.add(other.position)
                todo.append(other)
    kept: list[Statement] = []
    seen: set[str] = set()
    for statement in sorted(found.statements, key=lambda s: s.position):
        once = isinstance(statement.node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef))
        key = ast.dump(statement.node) if once else ""
        if statement.position in keep and key not in seen:
            kept.append(statement)
            seen |= {key} - {""}
    # `from __future__` must come first, which joining several blocks could break.
    return sorted(kept, key=lambda s: not s.is_future_import)


def _is_all_of_torch(node: ast.stmt) -> bool:
    """`from torch import *`, after which a model writes no `torch.`; the helpers of Isaac bring no `torch` here."""
    return isinstance(node, ast.ImportFrom) and node.module == "torch" and node.names[0].name == "*"


def _emit(statements: Sequence[Statement]) -> str:
    """The kept statements' own text, with two blank lines around definitions and their own spacing elsewhere."""
    has_torch = any("torch" in s.binds or _is_all_of_torch(s.node) for s in statements)
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
        # The only line ever added: models often omit this import, and its meaning is unambiguous.
        future = bool(statements) and statements[0].is_future_import
        lines[int(future) : int(future)] = ["import torch"] + ([] if future else ["", ""])
    return "\n".join(lines) + "\n"
