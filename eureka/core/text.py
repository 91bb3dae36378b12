"""Plain text: aligned columns, and cleaning of untrusted text."""

from __future__ import annotations

import keyword
from collections.abc import Collection, Sequence

_CUT = " [...]"


def clean(text: str, limit: int) -> str:
    """Untrusted text made safe for a terminal, a page and a prompt: printable, and at most `limit` characters.

    Line breaks are kept; every other control character becomes a space. The function is idempotent.
    """
    kept = text if len(text) <= limit else text[: limit - len(_CUT)] + _CUT
    return "".join(character if character.isprintable() or character == "\n" else " " for character in kept)


def class_name(name: str, suffix: str, taken: Collection[str] = ()) -> str:
    """A class name in CamelCase for `name` (words separated by _ or -), with the suffix if the name is a Python keyword
    or in `taken`.
    """
    joined = "".join(word.capitalize() for word in name.replace("-", "_").split("_"))
    return joined + suffix * (not joined or keyword.iskeyword(joined) or joined in taken)


def counted(count: int, singular: str, plural: str = "") -> str:
    """A number with its noun: `1 seed`, `5 seeds`, `1,200 seeds`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with the columns of `rows` aligned; the last column takes what it needs."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
