"""The module-level Python statements in a text that mixes prose and code. Pure `ast` and text; nothing is executed."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

_CODE_START = re.compile(r"(?:async\s+)?def\s|class\s|import\s|from\s+\S+\s+import\b|@\w")
_TARGET = re.compile(r"[^\W\d][\w.\[\]\"', ]*")
_PYTHON = {"", "py", "python", "python3", "py3", "pytorch", "torch"}
_MAX_ENDS = 200
# Limits of the code that is parsed, in characters: per piece, and for all pieces of an answer. Takes less than a
# second.
MAX_CODE = 60_000
_MAX_PARSED = 300_000
# Every piece counts as at least this many characters, since each has a fixed cost.
_MIN_PIECE = 100
_MAX_FENCES = 8
_MAX_BROKEN = 8
# Maximum nesting of Markdown blocks in Markdown.
_MAX_OPENED = 3
# Maximum number of characters of the text before a block.
_MAX_SAID = 300
# CommonMark: a closing fence may be indented by up to three spaces; one that is further in belongs to the code.
_CLOSING_INDENT = 3


@dataclass(frozen=True)
class Statement:
    """One module-level statement with its own text, and the comment lines directly above it.

    `binds` are the module-level names that it sets (or changes in place); `reads` all names that occur in it, those of
    `self.name` included; `said` is the end of the text before its block.
    """

    node: ast.stmt
    text: str
    position: int
    blank_lines_before: int
    binds: frozenset[str] = field(default_factory=frozenset)
    reads: frozenset[str] = field(default_factory=frozenset)
    said: str = ""

    @property
    def is_future_import(self) -> bool:
        """`from __future__ import ...`."""
        return isinstance(self.node, ast.ImportFrom) and self.node.module == "__future__"

    @property
    def always(self) -> bool:
        """Whether it is needed although it binds no visible name: star imports and `from __future__`."""
        star = isinstance(self.node, ast.ImportFrom) and self.node.names[0].name == "*"
        return star or self.is_future_import


@dataclass(frozen=True)
class UnparsableCode:
    """A piece of code with the wanted definition that does not parse; `line` counts from the piece's start."""

    line: int
    text: str
    message: str
    unterminated: bool


@dataclass(frozen=True)
class Block:
    """One fenced block: the first word of its info string, its code, its first and last line in the whole text, and the
    text between the previous block and it.
    """

    info: str
    code: str
    first: int = 0
    last: int = 0
    unterminated: bool = False
    said: str = ""


class Parser:
    """Parses the pieces of one answer, up to a limit of characters in total, so that no answer takes long."""

    def __init__(self, limit: int = _MAX_PARSED) -> None:
        self._left = limit
        self._known: dict[str, bool] = {}

    def parse(self, code: str) -> ast.Module:
        """The module.

        Raises:
            SyntaxError, ValueError: the code is not Python, or exceeds the limit.
        """
        if len(code) > MAX_CODE:
            raise SyntaxError(f"there are {len(code):,} characters of code, of which {MAX_CODE:,} are read")
        if len(code) > self._left:
            self._left = 0
            raise SyntaxError("the answer holds too many pieces of code to read them all")
        self._left -= max(len(code), _MIN_PIECE)
        with warnings.catch_warnings():
            # An invalid escape in a candidate's string should not warn in this program.
            warnings.simplefilter("ignore")
            return ast.parse(code)

    def parses(self, code: str) -> bool:
        """Whether the code is Python; the result is cached."""
        if code in self._known:
            self._left -= len(code) // 10
        else:
            try:
                self.parse(code)
                self._known[code] = True
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                self._known[code] = False
        return self._known[code]

    @property
    def is_spent(self) -> bool:
        """Whether the limit is reached, so that nothing more is parsed."""
        return self._left <= 0


def definition_of(wanted: str) -> re.Pattern[str]:
    """Finds `def wanted`, also with a suffix: `def wanted_v2`."""
    return re.compile(rf"\bdef\s+{re.escape(wanted)}(?![^\W\d_])")


def statements_in(text: str, wanted: str, parser: Parser) -> tuple[list[Statement], list[UnparsableCode]]:
    """All imports, assignments, functions and classes at module level in an answer's code, in order.

    `text` has plain line ends. Fenced blocks are read; bare code between prose only if there are none, or if only it
    defines `wanted`. Blocks that do not parse are skipped unless they define `wanted`: those are returned as
    `UnparsableCode`.
    """
    blocks, prose = fenced_blocks(text, parser)
    defines = definition_of(wanted)
    if not any(defines.search(block.code) for block in blocks) and (defines.search(prose) or not blocks):
        blocks = [Block("", piece) for piece in _bare(prose, parser)]
    statements: list[Statement] = []
    broken: list[UnparsableCode] = []
    read_to = -1
    for block in blocks:
        if block.first < read_to or (block.info not in _PYTHON and wanted not in block.code):
            continue
        try:
            module, code = parser.parse(block.code), block.code
        except (SyntaxError, ValueError) as error:
            if len(broken) >= _MAX_BROKEN or not defines.search(block.code):
                continue
            longer = _longer(block, text, parser) if block.last else None
            if longer is None:
                broken.append(_broken(error, block))
                continue
            module, code, read_to = parser.parse(longer.code), longer.code, longer.last
        statements += _split(module, code, len(statements), block.said)
    return statements, broken


def fenced_blocks(text: str, parser: Parser, depth: int = 0) -> tuple[list[Block], str]:
    """Fenced blocks, dedented, and the text outside them. A fence left open runs to the end of the text.

    Blocks of Markdown are replaced by the blocks in them; `depth` is the level of nesting.
    """
    blocks: list[Block] = []
    prose: list[str] = []
    inside: list[str] = []
    fence, info, margin, first, outside = "", "", 0, 0, 0
    lines = text.split("\n")

    def block(last: int, unterminated: bool = False) -> list[Block]:
        said = "\n".join(prose[outside:][-_MAX_SAID:])[-_MAX_SAID:]
        found = Block(info, textwrap.dedent("\n".join(inside)), first, last, unterminated, said)
        return _opened(found, parser, depth)

    for number, line in enumerate(lines):
        opening = None if fence else _opening(line)
        bare = line.strip()
        if opening:
            fence, info = opening
            margin, first = _indent(line), number + 1
        elif (
            fence and bare.startswith(fence) and not bare.strip(fence[0]) and _indent(line) <= margin + _CLOSING_INDENT
        ):
            blocks += block(number)
            inside, fence, outside = [], "", len(prose)
        elif fence:
            inside.append(line)
        else:
            prose.append(line)
    if fence:
        blocks += block(len(lines), unterminated=True)
    return blocks, "\n".join(prose)


def _opening(line: str) -> tuple[str, str] | None:
    """The fence that a line opens and the first word of its info string."""
    bare = line.strip()
    if not bare.startswith(("```", "~~~")):
        return None
    info = bare.lstrip(bare[0])
    if "`" in info:
        return None
    return bare[: len(bare) - len(info)], info.strip().lower().split(" ")[0].strip("{}.")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _opened(block: Block, parser: Parser, depth: int) -> list[Block]:
    """The blocks in a block of Markdown, or the block itself."""
    fences = any(_opening(line) for line in block.code.split("\n"))
    if not fences or depth >= _MAX_OPENED or block.info in _PYTHON - {""} or parser.parses(block.code):
        return [block]
    inner = fenced_blocks(block.code, parser, depth + 1)[0]
    return [replace(one, first=block.first, last=block.last) for one in inner]


def _longer(block: Block, text: str, parser: Parser) -> Block | None:
    """The block extended to a later fence, if it parses then: a fence in a docstring had ended it too early."""
    lines = text.split("\n")
    ends = [i for i in range(block.last + 1, len(lines)) if lines[i].strip() in {"```", "~~~"}]
    for end in [*ends[:_MAX_FENCES], len(lines)]:
        code = "\n".join(lines[block.first : end])
        if len(code) > MAX_CODE:
            return None
        code = textwrap.dedent(code)
        if parser.parses(code):
            return replace(block, code=code, last=end)
    return None


def _bare(text: str, parser: Parser) -> Iterator[str]:
    """Pieces of a text without fences that parse as Python or begin like it; the whole text where it parses."""
    if parser.parses(text):
        yield text
        return
    lines = _unindented(text).split("\n")
    # A statement can end only before a line that starts at column 0, or at the end.
    starts = [i for i, line in enumerate(lines) if line and not line[0].isspace()]
    at = 0
    while at < len(lines) and not parser.is_spent:
        if not _begins_code(lines[at]):
            at += 1
            continue
        later = bisect_right(starts, at)
        ends = [*starts[later : later + _MAX_ENDS], len(lines)]
        end = _end(lines, at, ends, parser)
        comments = at
        while comments and lines[comments - 1].startswith("#"):
            comments -= 1
        yield "\n".join(lines[comments : end or ends[0]])
        at = end or ends[0]


def _end(lines: Sequence[str], at: int, ends: Sequence[int], parser: Parser) -> int | None:
    """The first of `ends` for which the lines from `at` up to it are Python."""
    length = 0
    piece: list[str] = []
    for end in ends:
        piece += lines[at + len(piece) : end]
        length = sum(map(len, piece)) if length < MAX_CODE else length
        if length > MAX_CODE or parser.is_spent:
            return None
        if parser.parses("\n".join(piece)):
            return end
    return None


def _begins_code(line: str) -> bool:
    """Whether a line in prose looks like the first one of a statement."""
    if _CODE_START.match(line):
        return True
    target, equals, value = line.partition("=")
    if not equals or value.startswith("="):
        return False
    target = target.rstrip()
    target = target[:-1] if target.endswith(("-", "+", "*", "/")) else target
    name, colon, annotation = target.partition(":")
    return bool(_TARGET.fullmatch(name.rstrip())) and (not colon or bool(annotation.strip()))


def _unindented(text: str) -> str:
    """Code indented as a whole (Markdown's other code block) moved to column 0; any other text unchanged."""
    indents = [len(m[1]) for m in re.finditer(r"^([ \t]*)(?:def|import|from|class)\s", text, re.MULTILINE)]
    if not indents or min(indents) == 0:
        return text
    margin = min(indents)
    return "\n".join(line[margin:] for line in text.split("\n") if not line[:margin].strip())


def _broken(error: SyntaxError | ValueError, block: Block) -> UnparsableCode:
    if not isinstance(error, SyntaxError):
        return UnparsableCode(1, "", str(error), block.unterminated)
    lines = block.code.split("\n")
    line = min(max(error.lineno or 1, 1), len(lines))
    return UnparsableCode(line, lines[line - 1].strip()[:200], error.msg[:200], block.unterminated)


def _split(module: ast.Module, code: str, offset: int, said: str) -> Iterator[Statement]:
    lines = code.split("\n")
    segment = _Segments(lines)
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
        text = segment.of(node) if shares_line else "\n".join(lines[start - 1 : last])
        yield Statement(
            node=node,
            text=text.rstrip(),
            position=offset,
            blank_lines_before=sum(1 for line in gap if not line.strip()),
            binds=frozenset(_bound(node)),
            reads=frozenset(_read(node)),
            said=said,
        )
        offset += 1


class _Segments:
    """The texts of statements that share lines, computed in linear time."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._bytes: dict[int, bytes] = {}

    def of(self, node: ast.stmt) -> str:
        """The statement's own text; column offsets count bytes."""
        first, last = node.lineno, node.end_lineno or node.lineno
        if first == last:
            return self._line(first)[node.col_offset : node.end_col_offset].decode()
        whole = [self._lines[number - 1] for number in range(first + 1, last)]
        begin, end = self._line(first)[node.col_offset :], self._line(last)[: node.end_col_offset]
        return "\n".join([begin.decode(), *whole, end.decode()])

    def _line(self, number: int) -> bytes:
        if number not in self._bytes:
            self._bytes[number] = self._lines[number - 1].encode()
        return self._bytes[number]


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
