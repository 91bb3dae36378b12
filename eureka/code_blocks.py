"""The module-level Python statements in a text that mixes prose and code. Pure `ast` and text; nothing is executed."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_OPENING = re.compile(r"^[ \t]*(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$")
_CODE_START = re.compile(
    r"^(?:(?:async\s+)?def\s|class\s|import\s|from\s+\S+\s+import\b|@\w"
    r"|[^\W\d][\w.\[\]\"', ]*(?::\s*[^=\n]+)?\s*[-+*/]?=(?!=))"
)
_PYTHON = {"", "py", "python", "python3", "py3", "pytorch", "torch"}
_MAX_ENDS = 200


@dataclass(frozen=True)
class Statement:
    """One module-level statement with its own text, and the comment lines directly above it.

    `binds` are the module-level names that it sets (or changes in place); `reads` all names that occur in it.
    """

    node: ast.stmt
    text: str
    position: int
    blank_lines_before: int
    binds: frozenset[str] = field(default_factory=frozenset)
    reads: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_future_import(self) -> bool:
        """`from __future__ import ...`."""
        return isinstance(self.node, ast.ImportFrom) and self.node.module == "__future__"

    @property
    def always(self) -> bool:
        """Whether it matters without binding a name that can be seen: star imports and `from __future__`."""
        star = isinstance(self.node, ast.ImportFrom) and self.node.names[0].name == "*"
        return star or self.is_future_import


@dataclass(frozen=True)
class Broken:
    """A piece of code with the wanted definition that does not parse; `line` counts from the piece's start."""

    line: int
    text: str
    message: str
    unterminated: bool


@dataclass(frozen=True)
class _Block:
    info: str
    code: str
    unterminated: bool = False


def statements_in(text: str, wanted: str) -> tuple[list[Statement], list[Broken]]:
    """All imports, assignments, functions and classes at module level in an answer's code, in order.

    Fenced blocks are read; bare code between prose where there are none, or where only it defines `wanted`. Blocks that
    do not parse are passed over unless they define `wanted`: those come back as `Broken`.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    blocks, prose = _fenced(text)
    defines = re.compile(rf"\bdef\s+{re.escape(wanted)}\b")
    if not any(defines.search(block.code) for block in blocks) and (defines.search(prose) or not blocks):
        blocks = [_Block("", piece) for piece in _bare(prose)]
    statements: list[Statement] = []
    broken: list[Broken] = []
    for block in blocks:
        if block.info not in _PYTHON and wanted not in block.code:
            continue
        try:
            module = _parse(block.code)
        except (SyntaxError, ValueError) as error:
            if defines.search(block.code):
                broken.append(_broken(error, block))
            continue
        statements += _split(module, block.code, len(statements))
    return statements, broken


def _fenced(text: str) -> tuple[list[_Block], str]:
    """Fenced blocks, dedented, and the text outside them. A fence left open runs to the end of the text."""
    blocks: list[_Block] = []
    prose: list[str] = []
    inside: list[str] = []
    fence, info = "", ""
    for line in text.split("\n"):
        opening = _OPENING.match(line)
        bare = line.strip()
        if not fence and opening:
            fence, info = opening["fence"], opening["info"].strip().lower().split(" ")[0].strip("{}.")
        elif fence and bare.startswith(fence) and not bare.strip(fence[0]):
            blocks.append(_Block(info, textwrap.dedent("\n".join(inside))))
            inside, fence = [], ""
        elif fence:
            inside.append(line)
        else:
            prose.append(line)
    if fence:
        blocks.append(_Block(info, textwrap.dedent("\n".join(inside)), unterminated=True))
    return blocks, "\n".join(prose)


def _bare(text: str) -> Iterator[str]:
    """Pieces of a text without fences that parse as Python or begin like it; the whole text where it parses."""
    try:
        _parse(text)
    except (SyntaxError, ValueError):
        lines = _unindented(text).split("\n")
    else:
        yield text
        return
    # A statement can end only before a line that starts at column 0, or at the end.
    starts = [i for i, line in enumerate(lines) if line and not line[0].isspace()]
    at = 0
    while at < len(lines):
        if not _CODE_START.match(lines[at]):
            at += 1
            continue
        ends = [*[i for i in starts if i > at][:_MAX_ENDS], len(lines)]
        end = next((e for e in ends if _parses("\n".join(lines[at:e]))), None)
        comments = at
        while comments and lines[comments - 1].startswith("#"):
            comments -= 1
        yield "\n".join(lines[comments : end or ends[0]])
        at = end or ends[0]


def _unindented(text: str) -> str:
    """Code indented as a whole (Markdown's other code block) moved to column 0; any other text unchanged."""
    indents = [len(m[1]) for m in re.finditer(r"^([ \t]*)(?:def|import|from|class)\s", text, re.MULTILINE)]
    if not indents or min(indents) == 0:
        return text
    margin = min(indents)
    return "\n".join(line[margin:] for line in text.split("\n") if not line[:margin].strip())


def _parse(code: str) -> ast.Module:
    with warnings.catch_warnings():
        # An invalid escape in a candidate's string is its own affair, not a warning of this program.
        warnings.simplefilter("ignore")
        return ast.parse(code)


def _parses(code: str) -> bool:
    try:
        _parse(code)
    except (SyntaxError, ValueError):
        return False
    return True


def _broken(error: SyntaxError | ValueError, block: _Block) -> Broken:
    if not isinstance(error, SyntaxError):
        return Broken(1, "", str(error), block.unterminated)
    lines = block.code.split("\n")
    line = min(max(error.lineno or 1, 1), len(lines))
    return Broken(line, lines[line - 1].strip()[:200], error.msg, block.unterminated)


def _split(module: ast.Module, code: str, offset: int) -> Iterator[Statement]:
    lines = code.split("\n")
    end_of_previous = 0
    for index, node in enumerate(module.body):
        first, last = _first_line(node), node.end_lineno or node.lineno
        shares_line = first <= end_of_previous or (
            index + 1 < len(module.body) and _first_line(module.body[index + 1]) == last
        )
        start = first
        while not shares_line and start - 1 > end_of_previous and lines[start - 2].startswith("#"):
            start -= 1
        gap = lines[end_of_previous : start - 1]
        end_of_previous = last
        if not _is_kept_kind(node):
            continue
        text = ast.get_source_segment(code, node) or "" if shares_line else "\n".join(lines[start - 1 : last])
        yield Statement(
            node=node,
            text=text.rstrip(),
            position=offset,
            blank_lines_before=sum(1 for line in gap if not line.strip()),
            binds=frozenset(_bound(node)),
            reads=frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name)),
        )
        offset += 1


def _first_line(node: ast.stmt) -> int:
    decorators: Sequence[ast.expr] = getattr(node, "decorator_list", ())
    return min([node.lineno, *(d.lineno for d in decorators)])


def _is_kept_kind(node: ast.stmt) -> bool:
    definition = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    return definition or isinstance(node, (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.AugAssign))


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        for alias in node.names:
            yield alias.asname or alias.name.split(".")[0]
    elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            # Also the base of `WEIGHTS["speed"] = 2.0`: it changes a constant that is needed.
            yield from (n.id for n in ast.walk(target) if isinstance(n, ast.Name))
