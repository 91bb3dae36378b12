"""The module-level Python statements in a text that mixes prose and code. Pure `ast` and text; nothing is executed."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

_OPENING = re.compile(r"^[ \t]*(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$")
_CODE_START = re.compile(
    r"^(?:(?:async\s+)?def\s|class\s|import\s|from\s+\S+\s+import\b|@\w"
    r"|[^\W\d][\w.\[\]\"', ]*(?::\s*[^=\n]+)?\s*[-+*/]?=(?!=))"
)
_PYTHON = {"", "py", "python", "python3", "py3", "pytorch", "torch"}
_MAX_ENDS = 200
# What searching for bare code in prose may parse in all, in characters: less than a second's worth.
_MAX_PARSED = 500_000
_MAX_FENCES = 8
# CommonMark: a closing fence may be indented by up to three spaces; one that is further in belongs to the code.
_CLOSING_INDENT = 3


@dataclass(frozen=True)
class Statement:
    """One module-level statement with its own text, and the comment lines directly above it.

    `binds` are the module-level names that it sets (or changes in place); `reads` all names that occur in it, those
    of `self.name` included.
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
class Block:
    """One fenced block: its info string's first word, its code, and its first and last line in the whole text."""

    info: str
    code: str
    first: int = 0
    last: int = 0
    unterminated: bool = False


def statements_in(text: str, wanted: str) -> tuple[list[Statement], list[Broken]]:
    """All imports, assignments, functions and classes at module level in an answer's code, in order.

    `text` has plain line ends. Fenced blocks are read; bare code between prose where there are none, or where only it
    defines `wanted`. Blocks that do not parse are passed over unless they define `wanted`: those come back as `Broken`.
    """
    blocks, prose = fenced_blocks(text)
    defines = re.compile(rf"\bdef\s+{re.escape(wanted)}\b")
    if not any(defines.search(block.code) for block in blocks) and (defines.search(prose) or not blocks):
        blocks = [Block("", piece) for piece in _bare(prose)]
    statements: list[Statement] = []
    broken: list[Broken] = []
    read_to = -1
    for block in blocks:
        if block.first < read_to or (block.info not in _PYTHON and wanted not in block.code):
            continue
        try:
            module, code = _parse(block.code), block.code
        except (SyntaxError, ValueError) as error:
            if not defines.search(block.code):
                continue
            longer = _longer(block, text) if block.last and len(broken) < _MAX_FENCES else None
            if longer is None:
                broken.append(_broken(error, block))
                continue
            module, code, read_to = _parse(longer.code), longer.code, longer.last
        statements += _split(module, code, len(statements))
    return statements, broken


def fenced_blocks(text: str) -> tuple[list[Block], str]:
    """Fenced blocks, dedented, and the text outside them. A fence left open runs to the end of the text.

    Blocks of Markdown are opened: what counts is the blocks in them.
    """
    blocks: list[Block] = []
    prose: list[str] = []
    inside: list[str] = []
    fence, info, margin, first = "", "", 0, 0
    lines = text.split("\n")
    for number, line in enumerate(lines):
        opening = _OPENING.match(line)
        bare = line.strip()
        if not fence and opening:
            fence, info = opening["fence"], opening["info"].strip().lower().split(" ")[0].strip("{}.")
            margin, first = _indent(line), number + 1
        elif (
            fence and bare.startswith(fence) and not bare.strip(fence[0]) and _indent(line) <= margin + _CLOSING_INDENT
        ):
            blocks += _opened(Block(info, textwrap.dedent("\n".join(inside)), first, number))
            inside, fence = [], ""
        elif fence:
            inside.append(line)
        else:
            prose.append(line)
    if fence:
        blocks += _opened(Block(info, textwrap.dedent("\n".join(inside)), first, len(lines), unterminated=True))
    return blocks, "\n".join(prose)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _opened(block: Block) -> list[Block]:
    """The blocks in a block of Markdown, or the block itself."""
    fences = any(_OPENING.match(line) for line in block.code.split("\n"))
    if not fences or block.info in _PYTHON - {""} or _parses(block.code):
        return [block]
    return [replace(inner, first=block.first, last=block.last) for inner in fenced_blocks(block.code)[0]]


def _longer(block: Block, text: str) -> Block | None:
    """The block up to a later fence, where it parses so: a fence in a docstring had ended it too early."""
    lines = text.split("\n")
    ends = [i for i in range(block.last + 1, len(lines)) if lines[i].strip() in {"```", "~~~"}]
    for end in [*ends[:_MAX_FENCES], len(lines)]:
        code = textwrap.dedent("\n".join(lines[block.first : end]))
        if _parses(code):
            return replace(block, code=code, last=end)
    return None


def _bare(text: str) -> Iterator[str]:
    """Pieces of a text without fences that parse as Python or begin like it; the whole text where it parses."""
    if _parses(text):
        yield text
        return
    lines = _unindented(text).split("\n")
    # A statement can end only before a line that starts at column 0, or at the end.
    starts = [i for i, line in enumerate(lines) if line and not line[0].isspace()]
    at = parsed = 0
    while at < len(lines) and parsed < _MAX_PARSED:
        if not _CODE_START.match(lines[at]):
            at += 1
            continue
        ends = [*[i for i in starts if i > at][:_MAX_ENDS], len(lines)]
        end = None
        for end_of_piece in ends:
            piece = "\n".join(lines[at:end_of_piece])
            parsed += len(piece)
            if _parses(piece):
                end = end_of_piece
                break
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
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _broken(error: SyntaxError | ValueError, block: Block) -> Broken:
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
            reads=frozenset(_read(node)),
        )
        offset += 1


def _first_line(node: ast.stmt) -> int:
    decorators: Sequence[ast.expr] = getattr(node, "decorator_list", ())
    return min([node.lineno, *(d.lineno for d in decorators)])


def _is_kept_kind(node: ast.stmt) -> bool:
    definition = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    return definition or isinstance(node, (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.AugAssign))


def _read(node: ast.stmt) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id == "self":
            yield inner.attr


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
