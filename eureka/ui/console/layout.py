"""Renders the live table with rich, for a given width and height."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.console import Group, OverflowMethod, RenderableType
from rich.constrain import Constrain
from rich.table import Table
from rich.text import Text

from eureka.proposers.spending import price
from eureka.ui.console.board import Board, Row, RowState
from eureka.ui.console.output import visible

_STATE_STYLES = {
    RowState.ASKED: "dim",
    RowState.ANSWERED: "",
    RowState.REPAIRED: "yellow",
    RowState.REJECTED: "red",
    RowState.WAITING: "dim",
    RowState.TRAINING: "cyan",
    RowState.STOPPED: "",
    RowState.DONE: "green",
    RowState.EARLIER: "green",
}
_GAP = 2
_BAR = 10
# Minimum terminal widths for these columns.
_WITH_TIME = 60
_WITH_STEPS = 70
_WITH_BAR = 78
_WITH_NOTE = 100


@dataclass(frozen=True)
class Glyphs:
    """Characters that the terminal's encoding can show, including the ellipsis."""

    best: str = "★"
    full: str = "━"
    empty: str = "─"
    dot: str = "·"
    overflow: OverflowMethod = "ellipsis"


ASCII = Glyphs("*", "#", "-", "|", "crop")


class _Part(NamedTuple):
    """A part of the title; the part with the highest rank is omitted first."""

    text: str
    style: str
    rank: int


@dataclass(frozen=True)
class _Columns:
    """Widths of the columns; the terminal's width decides which of the numbers are shown."""

    width: int
    name: int
    state: int
    numbers: int
    glyphs: Glyphs

    @classmethod
    def fit(cls, width: int, names: Sequence[str], glyphs: Glyphs) -> _Columns:
        # A character in the last column makes some terminals wrap.
        inner = width - 1
        name = 2 + min(max(9, *map(cell_len, names)), max(9, inner // 4))
        state = min(18 + (_BAR - 3 if width >= _WITH_BAR else 0), max(inner - name - _GAP, 0))
        return cls(width, name, state, max(inner - name - _GAP - state - _GAP, 0), glyphs)

    @property
    def metric(self) -> int:
        """The width of the metric column."""
        others = (6 + _GAP if self.width >= _WITH_STEPS else 0) + (_GAP + 7 if self.width >= _WITH_TIME else 0)
        return min(max(self.numbers - others, 0), 30 if self.width >= _WITH_NOTE else self.numbers)

    def line(self, steps: str, metric: str, left: str, note: str, style: str = "") -> Text:
        """The cells that fit, side by side; `style` is that of the metric."""
        gap = " " * _GAP
        text = Text(f"{steps:>6}{gap}" if self.width >= _WITH_STEPS else "")
        text.append(set_cell_size(metric, self.metric), style)
        text.append(f"{gap}{left:>7}" if self.width >= _WITH_TIME else "")
        return text.append(f"{gap}{note}" if self.width >= _WITH_NOTE else "", "dim")


def render(board: Board, width: int, height: int, glyphs: Glyphs = Glyphs(), *, running: bool = True) -> RenderableType:
    """The whole table: a title, a header, and as many rows as fit into `height` lines.

    With `running`, the remaining time is shown.
    """
    rows = list(board.rows.values())
    if board.best is not None and board.best.name not in board.rows:
        rows.insert(0, board.best)
    parts: list[RenderableType] = [title(board, width, glyphs, running=running)]
    if rows:
        leader = board.leader()
        shown = _that_fit(rows, height - 2, leader)
        names = [board.view.called(row.name) for row in shown]
        columns = _Columns.fit(width, names, glyphs)
        table = Table.grid(padding=(0, _GAP, 0, 0))
        widths = [wide for wide in (columns.name, columns.state, columns.numbers) if wide]
        for wide in widths:
            table.add_column(width=wide, no_wrap=True, overflow=glyphs.overflow)
        metric = f"metric, {visible(board.view.unit)} [95%]" if board.view.has_metric else ""
        header = (Text("  candidate"), Text("state"), columns.line("steps", metric, "left", "note"))
        table.add_row(*header[: len(widths)], style="dim")
        for row, name in zip(shown, names, strict=True):
            cells = _cells(row, name, columns, row.name == leader, board.now())
            table.add_row(*cells[: len(widths)])
        parts.append(table)
        if len(shown) < len(rows):
            parts.append(Text(f"  and {len(rows) - len(shown)} more", "dim"))
    return Constrain(Group(*parts), width - 1)


def title(board: Board, width: int, glyphs: Glyphs = Glyphs(), *, running: bool = True) -> Text:
    """Task, progress of the search, tokens and money, time; the least important parts are omitted if they do not
    fit."""
    view = board.view
    parts = [_Part(visible(view.title), "bold", 0)]
    if board.confirming:
        parts.append(_Part("finalists", "", 1))
    elif board.generation:
        parts.append(_Part(f"generation {board.generation}/{view.generations}", "", 1))
    tokens = sum((answer.input_tokens or 0) + (answer.output_tokens or 0) for answer in board.answers)
    if tokens:
        parts += [_Part(f"{tokens:,} tokens", "", 4), _Part(price([answer.usd for answer in board.answers]), "", 3)]
    parts.append(_Part(clock(board.elapsed_s()), "", 5))
    left = board.seconds_left() if running else None
    if left is not None:
        parts.append(_Part(f"{clock(left)} left", "", 2))
    joint = f" {glyphs.dot} "
    while len(parts) > 1 and cell_len(joint.join(part.text for part in parts)) > width - 1:
        parts.remove(max(parts, key=lambda part: part.rank))
    shown = Text(joint, "dim", no_wrap=True, overflow=glyphs.overflow)
    return shown.join(Text(part.text, part.style) for part in parts)


def clock(seconds: float) -> str:
    """Seconds as text: `0:42`, `12:34`, `3:05:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def count(number: int) -> str:
    """A number as short text: `950`, `51k`, `1.20M`."""
    if number < 1000:
        return str(number)
    return f"{number / 1000:.0f}k" if number < 999_500 else f"{number / 1e6:.2f}M"


def metric_text(row: Row, width: int) -> str:
    """The score with its interval, such as `2.14 [1.97, 2.31]`, else the running value of training.

    A text wider than `width` cells is written with a common power of ten (`1.23 [1.11, 1.34] e-4`), with one digit
    less, or without the interval.
    """
    if row.score is None:
        return "" if row.metric is None else f"{row.metric:.3g}"
    mean, interval = row.score.mean, row.score.interval
    if interval is None:
        return f"{mean:.3g}"
    low, high = interval
    values = (mean, low, high)
    largest = max(map(abs, values))
    power = math.floor(math.log10(largest)) if largest > 0 and math.isfinite(largest) else 0
    # No more digits than the interval's width makes meaningful.
    first = -math.floor(math.log10(high - low)) if high > low else None
    texts = []
    for digits in (1, 0):
        decimals = None if first is None else first + digits
        texts.append(_with_interval(values, decimals))
        scaled = [value / 10.0**power for value in values]
        texts.append(f"{_with_interval(scaled, None if decimals is None else decimals + power)} e{power}")
    return next((text for text in texts if cell_len(text) <= width), f"{mean:.3g}")


def _with_interval(values: Sequence[float], decimals: int | None) -> str:
    mean, low, high = (_rounded(value, None if decimals is None else max(decimals, 0)) for value in values)
    return f"{mean} [{low}, {high}]"


def _rounded(value: float, decimals: int | None) -> str:
    if decimals is None:
        return f"{value:.3g}"
    text = f"{round(value, decimals) + 0.0:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _that_fit(rows: Sequence[Row], room: int, leader: str | None) -> list[Row]:
    """All rows, or the most important ones in their order, with one line left for the number of hidden ones."""
    if len(rows) <= room:
        return list(rows)
    urgency = {RowState.TRAINING: 1, RowState.DONE: 2, RowState.REPAIRED: 3, RowState.REJECTED: 5}
    ranked = sorted(rows, key=lambda row: (row.name != leader, urgency.get(row.state, 4)))
    kept = {row.name for row in ranked[: max(room - 1, 1)]}
    return [row for row in rows if row.name in kept]


def _cells(row: Row, called: str, columns: _Columns, leads: bool, now: float) -> tuple[Text, Text, Text]:
    """A candidate's name, its state, and either its numbers or the reason of its rejection."""
    mark = (f"{columns.glyphs.best} ", "bold yellow") if leads else "  "
    name = Text.assemble(mark, (called, "bold" if leads else ""))
    state = _state(row, columns)
    if row.rejected is not None and row.state is RowState.REJECTED:
        return name, state, Text(visible(" ".join(row.rejected.reason.split())), "dim")
    left = row.seconds_left(now)
    numbers = columns.line(
        steps=count(row.done_steps) if row.steps else "",
        metric=metric_text(row, columns.metric),
        left="" if left is None else clock(left),
        note=_note(row),
        style="bold" if leads else "",
    )
    return name, state, numbers


def _note(row: Row) -> str:
    repairs = f"{row.repairs} {'repair' if row.repairs == 1 else 'repairs'}" if row.repairs else ""
    return "; ".join(filter(None, (repairs, visible(row.note))))


def _state(row: Row, columns: _Columns) -> Text:
    style = _STATE_STYLES[row.state]
    if row.state is RowState.REJECTED and row.rejected is not None:
        return Text(f"rejected ({row.rejected.stage})", style)
    if row.state is not RowState.TRAINING:
        return Text(row.state.value, style)
    # Rounded down, so that 100% is only shown when all is done.
    percent = f"{int(row.share * 100):3d}%"
    text = Text("training ", style)
    if columns.width >= _WITH_BAR:
        glyphs = columns.glyphs
        full = int(row.share * _BAR)
        text.append(glyphs.full * full, style).append(glyphs.empty * (_BAR - full), "dim").append(" ")
    return text.append(percent, style)
