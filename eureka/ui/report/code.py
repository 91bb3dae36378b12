"""Code and diffs as marked-up lines, with Pygments as the lexer.

Only a few token classes are distinguished, and neighbours of one class share a span, to keep the markup of many sources
small.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterator

from markupsafe import Markup, escape
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, String, _TokenType, is_token_subtype

from eureka.ui.report.text import visible

MAX_HIGHLIGHTED = 20_000
"""Maximum number of characters to highlight; longer sources are shown plain, since a lexer's time on hostile text is
unbounded."""
MAX_DIFF_LINES = 400
"""Maximum number of lines on either side of a diff, since its time grows with their square."""

_CLASSES: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "c"),
    (String, "s"),
    (Number, "m"),
    (Keyword, "k"),
    (Name.Function, "f"),
)


def highlighted(source: str) -> Markup:
    """A block of code with an element for each line, so that lines can be numbered."""
    return Markup("\n").join(Markup("<span class=l>{}</span>").format(line) for line in lines_of(source))


@functools.lru_cache(maxsize=512)
def lines_of(source: str) -> tuple[Markup, ...]:
    """The lines of Python code, marked up."""
    text = visible(source).rstrip("\n")
    if len(text) > MAX_HIGHLIGHTED:
        return tuple(escape(line) for line in text.split("\n"))
    lines: list[list[str]] = [[]]
    for kind, value in _merged(text):
        for index, part in enumerate(value.split("\n")):
            if index:
                lines.append([])
            if part:
                lines[-1].append(f"<span class={kind}>{escape(part)}</span>" if kind else str(escape(part)))
    return tuple(Markup("".join(parts)) for parts in lines)


def difference(old: str, new: str) -> Markup | None:
    """The diff from `old` to `new`, with three lines of context; None if either is too long."""
    before, after = visible(old).rstrip("\n").split("\n"), visible(new).rstrip("\n").split("\n")
    if max(len(before), len(after)) > MAX_DIFF_LINES:
        return None
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    old_lines, new_lines = lines_of(old), lines_of(new)
    parts: list[Markup] = []
    for group in matcher.get_grouped_opcodes(3):
        first, last = group[0], group[-1]
        parts.append(Markup("<span class=hunk>lines {}–{}</span>").format(first[3] + 1, last[4]))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                parts += [Markup("<span>  {}</span>").format(line) for line in new_lines[j1:j2]]
                continue
            parts += [Markup("<del>− {}</del>").format(line) for line in old_lines[i1:i2]]
            parts += [Markup("<ins>+ {}</ins>").format(line) for line in new_lines[j1:j2]]
    return Markup("\n").join(parts)


@functools.cache
def _class_of(kind: _TokenType) -> str:
    return next((name for parent, name in _CLASSES if is_token_subtype(kind, parent)), "")


def _merged(text: str) -> Iterator[tuple[str, str]]:
    """Tokens as (class, text), with neighbours of one class merged."""
    pending, collected = "", ""
    for kind, value in PythonLexer(stripnl=False, ensurenl=False).get_tokens(text):
        name = _class_of(kind)
        if name != pending and value.strip():
            if collected:
                yield pending, collected
            pending, collected = name, ""
        collected += value
    if collected:
        yield pending, collected
