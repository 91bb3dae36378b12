"""Text and numbers for a page. Text written by a model is shown with all invisible characters made visible."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

_KEPT = frozenset("\n\t")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
"""Invisible characters that Unicode classifies as letters, marks or symbols."""


def visible(text: str) -> str:
    """`text` with every control, bidirectional and invisible character written out.

    Control characters become their pictures (`␛` for an escape), all others `⟨U+202E⟩`, so that no text can reorder,
    hide or colour the text around it. A line ends with a line feed.
    """
    text = text.replace("\r\n", "\n")
    if text.isascii() and not _CONTROL.search(text):
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in _KEPT:
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if unicodedata.category(character) in _HIDDEN or character in _FILLERS or 0xFE00 <= code <= 0xFE0F:
        return f"⟨U+{code:04X}⟩"
    return character


def shown(value: object) -> object:
    """The value as a template prints it: text is made `visible`; our own markup is unchanged."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


class Excerpt(NamedTuple):
    """The shown part of a text, and the number of omitted characters."""

    text: str
    left_out: int


def excerpt(text: str, cap: int) -> Excerpt:
    """The beginning of `text`, at most `cap` characters."""
    return Excerpt(text[:cap], max(len(text) - cap, 0))


def number(value: float | None, digits: int = 3) -> str:
    """A number as text with about `digits` significant digits and a true minus sign; `–` for None."""
    if value is None:
        return "–"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e6 or size < 1e-3:
        text = f"{value:.{digits - 1}e}"
        mantissa, _, exponent = text.partition("e")
        text = f"{mantissa}e{int(exponent)}"
    elif size >= 10 ** (digits - 1):
        text = f"{value:,.0f}"
    else:
        text = f"{value:#.{digits}g}".removesuffix(".")
    return text.replace("-", "−")


def tick_text(value: float) -> str:
    """A round number on an axis as text, without trailing zeros."""
    text = number(value)
    return text.rstrip("0").removesuffix(".") if "." in text and "e" not in text else text


def percent(share: float | None) -> str:
    """A share as text: `42%`, `0.3%`; `–` for None."""
    if share is None or not math.isfinite(share):
        return "–"
    # A value that rounds to zero has no sign.
    text = f"{100 * share:.0f}" if abs(share) >= 0.0995 or share == 0 else f"{round(100 * share, 1) + 0.0:.1f}"
    return f"{text}%".replace("-", "−")


def duration(seconds: float) -> str:
    """Seconds as text: `48 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 1:
        return f"{seconds:.1f} s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def listed(items: Sequence[str]) -> str:
    """Items as a list in words: `a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"
