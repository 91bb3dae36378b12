"""Puts untrusted text into generated Python, as escaped data only."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

WIDTH = 100

#: Right-to-left letters and numbers reorder the code around them on the screen.
_REORDERING = frozenset({"R", "AL", "AN"})


def _unit(character: str) -> str:
    """One character inside a string literal in double quotes, single or triple.

    `#` is escaped because TorchScript looks for `# type:` in every line of a function, docstrings included, and
    evaluates what follows.
    """
    shown = (
        character.isprintable()
        and character not in '\\"#'
        and unicodedata.bidirectional(character) not in _REORDERING
        and not unicodedata.combining(character)
    )
    if shown:
        return character
    if character in '\\"':
        return "\\" + character
    if unicodedata.category(character) == "Cs":
        # TorchScript cannot read half of a surrogate pair.
        character = "\N{REPLACEMENT CHARACTER}"
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _pieces(text: str, width: int) -> Iterator[str]:
    """The escaped text in pieces of at most `width` columns; no escape sequence is cut."""
    piece = ""
    for character in text:
        unit = _unit(character)
        if len(piece) + len(unit) > width:
            yield piece
            piece = ""
        piece += unit
    yield piece


def literals(text: str, width: int = WIDTH) -> list[str]:
    """`text` as Python string literals, adjacent ones if one alone were wider than `width`."""
    return [f'"{piece}"' for piece in _pieces(text, width - 2)]


def paragraph(text: str, indent: int, hanging: int = 0) -> list[str]:
    """`text` as lines of a docstring: escaped, its white space collapsed, later lines indented by `hanging` more."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        for piece in _pieces(word, WIDTH - indent - hanging):
            margin = indent + (hanging if lines else 0)
            if line and margin + len(line) + 1 + len(piece) > WIDTH:
                lines.append(" " * margin + line)
                line = piece
            else:
                line = f"{line} {piece}" if line else piece
    return [*lines, " " * (indent + (hanging if lines else 0)) + line]


def docstring(lines: Sequence[str], indent: int = 0) -> list[str]:
    """A docstring of lines that are escaped and indented already; the first stands on the line of the quotes."""
    margin = " " * indent
    if len(lines) == 1:
        return [f'{margin}"""{lines[0].strip()}"""']
    return [f'{margin}"""{lines[0].strip()}', *(line.rstrip() for line in lines[1:]), f'{margin}"""']
