"""Parses an environment's page (its docstring in the format of Gymnasium's documentation): the part shown to a model,
and the table of observations.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_NOT_SHOWN = ("reward", "argument", "vectorized", "version", "reference", "citation", "credit")
"""Beginnings, in lower case, of the headings of page sections that a model is not shown."""
_LONGEST_NAME = 48
_UNIT = r"(?:m|cm|s|rad|deg|degrees?|radians?|N|Nm|N m|kg|Hz|m/s|rad/s|m/s\^?2|rad/s\^?2)"
"""Pattern of a unit in brackets after a name, as in `angular velocity (rad/s)`."""


@dataclass(frozen=True)
class TableRow:
    """One number of an observation: its name, unit, and description in the table."""

    name: str
    unit: str
    description: str


def without_reward(page: str) -> str:
    """An environment's page without its reward section and others that are of no use for writing a reward.

    Args:
        page: Markdown; a removed section includes its subsections.
    """
    kept: list[str] = []
    dropped = 0  # level of the removed section's heading; 0: none
    for line in page.splitlines():
        heading = re.match(r"(#+) *(.*)", line)
        if heading and (not dropped or len(heading[1]) <= dropped):
            dropped = len(heading[1]) if heading[2].lower().startswith(_NOT_SHOWN) else 0
        if not dropped:
            kept.append(line)
    return "\n".join(kept).strip()


def first_sentence(page: str) -> str:
    """The first sentence of a page's text, ignoring headings; empty if there is none."""
    headings = ("description", "overview", "")
    section = ""
    for paragraph in re.split(r"\n\s*\n|\n(?=#)", page.strip()):
        heading = re.match(r"#+ *(.*)", paragraph)
        if heading:
            section = heading[1].strip().lower()
            paragraph = paragraph.partition("\n")[2]
        text = " ".join(paragraph.split())
        if text and section in headings and not text.startswith(("|", "```", "![")):
            return re.split(r"(?<=[.!?]) ", text)[0][:300]
    return ""


_GOAL = r"\b(?:goal|objective|aim|task)\b"
_DEEDS = (
    "reach|move|bring|keep|hold|stay|balance|swing|open|close|lift|put|place|push|park|land|complete|walk|run|hop|fly|"
    "follow|grasp|pick|turn"
)
_GOALS = (
    rf"{_GOAL}(?: \S+){{0,8}} (?:is (?:to|for)|consists? (?:of|on|in))\b",
    rf"\b(?:has to|have to|needs? to|must) (?:\w+ )?(?:{_DEEDS})\b",
    rf"{_GOAL} (?:of .{{1,60}} )?is\b",
)
"""Patterns of sentences that state a goal, the most certain first."""


def goal_sentence(page: str) -> str:
    """The sentence of a page that states the goal, recognised by its wording; else its first sentence."""
    text = " ".join(re.sub(r"^[#|].*$", "", without_reward(page), flags=re.M).split())
    sentences = re.split(r"(?<=[.!?])\s+", text)
    for pattern in _GOALS:
        for sentence in sentences:
            if re.search(pattern, sentence, re.I):
                return sentence[:300]
    return first_sentence(page)


@dataclass(frozen=True)
class ObservationTable:
    """A table of observations: its rows, and the key of a Dict space that the preceding text refers to, if any."""

    key: str
    rows: tuple[TableRow, ...]


def observation_tables(page: str) -> list[ObservationTable]:
    """The tables of observations of a page: those whose second column is headed `Observation`."""
    found: list[ObservationTable] = []
    lines = [line.strip() for line in page.splitlines()]
    key = ""
    for number, line in enumerate(lines):
        named = re.match(r"[*-] *`(\w+)`", line)
        key = named[1] if named else key
        header = _cells(line)
        if len(header) >= 2 and header[1].lower().startswith("observation"):
            rows = []
            for below in lines[number + 2 :]:
                cells = _cells(below)
                if len(cells) < 2:
                    break
                if cells[0].isdecimal():
                    rows.append(_row(header, cells))
            found.append(ObservationTable(key, tuple(_named_apart(rows))))
    return [table for table in found if table.rows]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []


def _row(header: Sequence[str], cells: Sequence[str]) -> TableRow:
    text = cells[1]
    by_head = dict(zip((head.lower() for head in header), cells, strict=False))
    unit = by_head.get("unit", "")
    typed = next((cell for head, cell in by_head.items() if "unit" in head and head != "unit"), "")
    bracket = re.search(rf"\(({_UNIT})\)\s*$", typed or unit or text)
    if bracket:
        unit = bracket[1]
    elif "(" in unit:  # `velocity (v)` is a quantity and its symbol
        unit = ""
    return TableRow(field_name(text), unit.strip() or "1", text)


def field_name(text: str) -> str:
    """A State field name made from words: `Angular Velocity (rad/s)` gives `angular_velocity`."""
    plain = re.sub(r"\s\([^()]*\)\s*$", "", text).lower()
    plain = re.sub(r"\b(the|of|a|an)\b", " ", plain)
    words = re.findall(r"[a-z0-9]+", plain)
    name = ""
    for word in words:
        if name and len(name) + len(word) >= _LONGEST_NAME:
            break
        name = f"{name}_{word}".strip("_")
    if not name or name[0].isdigit():
        name = f"obs_{name}".rstrip("_")
    return f"{name}_" if keyword.iskeyword(name) else name


def _named_apart(rows: Iterable[TableRow]) -> list[TableRow]:
    used: dict[str, int] = {"action": 1}
    named = []
    for row in rows:
        used[row.name] = used.get(row.name, 0) + 1
        name = row.name if used[row.name] == 1 else f"{row.name}_{used[row.name]}"
        named.append(TableRow(name, row.unit, row.description))
    return named
