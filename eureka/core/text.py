"""Plain text: in columns, and what strangers wrote."""

from __future__ import annotations

import keyword
from collections.abc import Collection, Sequence

_CUT = " [...]"


def clean(text: str, limit: int) -> str:
    """What a stranger wrote, fit for a terminal, a page and a prompt: printable, and at most `limit` characters.

    Lines stay lines; every other control character becomes a space. `clean` changes nothing that it gave.
    """
    kept = text if len(text) <= limit else text[: limit - len(_CUT)] + _CUT
    return "".join(character if character.isprintable() or character == "\n" else " " for character in kept)


def class_name(name: str, suffix: str, taken: Collection[str] = ()) -> str:
    """The name of a class for something called `name`, words with _ or - between them, with the suffix where Python or
    the file has that name already."""
    joined = "".join(word.capitalize() for word in name.replace("-", "_").split("_"))
    return joined + suffix * (not joined or keyword.iskeyword(joined) or joined in taken)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with the columns of `rows` aligned; the last column takes what it needs."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
