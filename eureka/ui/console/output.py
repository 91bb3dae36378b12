"""Output to stdout: lines, tables and events, in the mode that the user chose.

Stdout belongs to the process, and so does the mode: it is chosen once, by the command line.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import fields
from enum import StrEnum
from typing import TextIO

import typer

from eureka.core.errors import ConfigError
from eureka.core.events import Error, Event, Notice, Table
from eureka.core.serialize import dumps
from eureka.core.text import table

_BIDIRECTIONAL = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}


class Mode(StrEnum):
    """How a run is shown: to a person, only its result, or to a program."""

    NORMAL = "normal"
    QUIET = "quiet"
    JSON = "json"


_mode = Mode.NORMAL
_above: Callable[[str], None] | None = None
_events: TextIO | None = None
"""Where events are written; None: to stdout."""


def choose_mode(quiet: bool = False, as_json: bool = False) -> None:
    """Set the output mode of this process.

    Raises:
        ConfigError: both modes are requested.
    """
    global _mode
    if quiet and as_json:
        raise ConfigError("--quiet and --json exclude each other: give one of them")
    _mode = Mode.QUIET if quiet else Mode.JSON if as_json else Mode.NORMAL
    if as_json:
        _reserve_stdout()


def _reserve_stdout() -> None:
    """Leave stdout to events: what else this process prints there, as libraries of environments do, goes to stderr."""
    global _events
    if sys.__stdout__ is None or sys.stdout is not sys.__stdout__:  # already so, or captured by a test
        return
    sys.__stdout__.flush()
    encoding, errors = sys.__stdout__.encoding, sys.__stdout__.errors
    _events = open(os.dup(1), "w", encoding=encoding, errors=errors)  # noqa: SIM115 (open until the process ends)
    os.dup2(2, 1)
    sys.stdout = sys.stderr


def mode() -> Mode:
    """The mode that was chosen."""
    return _mode


def send_lines_to(above: Callable[[str], None] | None) -> None:
    """Send lines to this function while a live table is shown, to be printed above it; None: to stdout again."""
    global _above
    _above = above


def is_terminal() -> bool:
    """Whether stdout is a terminal that can move its cursor."""
    from rich.console import Console

    return sys.stdout.isatty() and not Console(file=sys.stdout).is_dumb_terminal


def line(text: str = "") -> None:
    """Print a line of a result to stdout and flush; printed in every mode."""
    if _mode is Mode.JSON:
        emit(Notice(text))
    elif _above is not None:
        _above(visible(text))
    else:
        typer.echo(visible(text))


def paragraph(text: str) -> None:
    """Print as `line` does; on a terminal, wrapped between words."""
    if _mode is Mode.NORMAL and _above is None and is_terminal():
        columns = shutil.get_terminal_size().columns
        if len(text) > columns:
            text = textwrap.fill(text, columns, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    line(text)


def row(text: str) -> None:
    """Print as `line` does; on a terminal, cut at its width, for rows of a long table."""
    if _mode is Mode.NORMAL and _above is None and is_terminal():
        columns = shutil.get_terminal_size().columns
        if len(text) > columns:
            text = text[: columns - 1].rstrip() + "…"
    line(text)


def say(text: str = "") -> None:
    """Print a paragraph of progress information; omitted in quiet mode."""
    if _mode is not Mode.QUIET:
        paragraph(text)


def error_line(text: str) -> None:
    """Print `error: ...` on stderr, in one line; in JSON mode, also emit an event."""
    message = " ".join(text.split())
    if _mode is Mode.JSON:
        emit(Error(message))
    typer.echo(visible(f"error: {message}"), err=True)


def emit(event: Event) -> None:
    """Print an event as one line of JSON on stdout; see `eureka.core.events`."""
    typer.echo(event_json(event), file=_events)


def event_json(event: Event) -> str:
    """An event as JSON: `{"event": "progress", "candidate": "g01-c02", ...}`; non-finite numbers are strings such as
    "NaN".
    """
    values = {each.name: getattr(event, each.name) for each in fields(event) if each.metadata.get("written", True)}
    return dumps({"event": event.kind, **values})


def visible(text: str) -> str:
    """`text` with control and bidirectional characters escaped, so that it cannot affect a terminal.

    Much of the printed text was written by a model.
    """
    if text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    harmless = character in "\n\t" or not (
        unicodedata.category(character) in ("Cc", "Cs") or character in _BIDIRECTIONAL
    )
    return character if harmless else character.encode("unicode_escape").decode("ascii")


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> None:
    """Print a result as a table: its first column names the rows, the others are aligned to the right.

    On a terminal it fits the width, with cells broken at spaces if necessary. `notes` are printed below it, one line
    each.
    """
    if _mode is Mode.JSON:
        emit(Table(title, tuple(header), tuple(tuple(row) for row in rows), tuple(notes)))
        return
    line()
    line(title)
    if is_terminal():
        _print_rich(header, rows)
    else:
        for text in table([header, *rows]):
            line(text)
    for note in notes:
        paragraph(note)


def _print_rich(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    shown = RichTable(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    shown.add_column(Text(visible(header[0])), no_wrap=True)
    for name in header[1:]:
        shown.add_column(Text(visible(name)), justify="right", overflow="fold")
    for row in rows:
        shown.add_row(*(Text(visible(cell)) for cell in row))
    Console(file=sys.stdout, highlight=False).print(shown)
