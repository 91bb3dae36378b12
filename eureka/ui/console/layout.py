"""The live table as lines of styled text that fit a width and a height; pure, so that every size can be tested."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from eureka.proposers.spending import price
from eureka.ui.console.board import Board, Row, State
from eureka.ui.console.output import visible

_STATE_STYLES = {
    State.ASKED: "dim",
    State.ANSWERED: "",
    State.REPAIRED: "yellow",
    State.REJECTED: "red",
    State.WAITING: "dim",
    State.TRAINING: "cyan",
    State.STOPPED: "",
    State.DONE: "green",
    State.EARLIER: "green",
}
_GAP = 2
_BAR = 10
_WIDE = 100
_WITH_STEPS = 70
_WITH_BAR = 78


@dataclass(frozen=True)
class Glyphs:
    """Signs that the terminal's encoding can show."""

    best: str = "★"
    full: str = "━"
    empty: str = "─"
    dot: str = "·"
    cut: str = "…"


ASCII = Glyphs("*", "#", "-", "|", "~")


class _Part(NamedTuple):
    """A part of the title; the highest rank is left out first."""

    text: str
    style: str
    rank: int


@dataclass(frozen=True)
class Layout:
    """Widths of the columns in cells; 0 where a column is left out."""

    width: int
    name: int
    state: int
    steps: int
    metric: int
    left: int
    note: int

    @classmethod
    def fit(cls, width: int, names: Sequence[str]) -> Layout:
        """The columns that `width` has room for."""
        # A character that stands in the last column makes some terminals wrap.
        inner = width - 1
        name = min(max([9, *map(cell_len, names)]), max(inner // 4, 9))
        state = 18 + (_BAR - 3 if width >= _WITH_BAR else 0)
        steps = 6 if width >= _WITH_STEPS else 0
        left = 7 if width >= _WITH_STEPS - 10 else 0
        used = 2 + name + _GAP + state + sum(_GAP + column for column in (steps, left) if column)
        metric = max(inner - used - _GAP, 0)
        note = 0
        if width >= _WIDE:
            metric = min(metric, 30)
            note = inner - used - _GAP - metric - _GAP
        return cls(width, name, state, steps, metric, left, note)


def render(board: Board, width: int, height: int, glyphs: Glyphs = Glyphs(), *, running: bool = True) -> list[Text]:
    """The whole table: a title, a header, and as many rows as fit into `height` lines.

    With `running` the time that is left is said.
    """
    rows = list(board.rows.values())
    if board.best is not None and board.best.name not in board.rows:
        rows.insert(0, board.best)
    lines = [title(board, width, glyphs, running=running)]
    if rows:
        layout = Layout.fit(width, [board.view.called(row.name) for row in rows])
        leader = board.leader()
        shown = _that_fit(rows, height - 2, leader)
        lines.append(header(layout, f"metric, {visible(board.view.unit)} [95%]" if board.view.has_metric else ""))
        lines += [
            _row(row, board.view.called(row.name), layout, glyphs, row.name == leader, board.now()) for row in shown
        ]
        if len(shown) < len(rows):
            lines.append(Text(f"  and {len(rows) - len(shown)} more", "dim"))
    return [_fitted(line, width - 1, glyphs) for line in lines]


def title(board: Board, width: int, glyphs: Glyphs = Glyphs(), *, running: bool = True) -> Text:
    """Task, where the search is, tokens and money, time; what matters least is left out where it does not fit."""
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
    return Text(joint, "dim").join(Text(part.text, part.style) for part in parts)


def header(layout: Layout, metric: str) -> Text:
    """Names of the columns, of which that of the task metric is given."""
    cells = [("candidate", layout.name), ("state", layout.state), ("steps", -layout.steps), (metric, layout.metric)]
    return _line([*((Text(name), width) for name, width in cells), *_ends(layout, Text("left"), Text("note"))], "dim")


def clock(seconds: float) -> str:
    """`0:42`, `12:34`, `3:05:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def count(number: int) -> str:
    """`950`, `51k`, `1.20M`."""
    if number < 1000:
        return str(number)
    return f"{number / 1000:.0f}k" if number < 999_500 else f"{number / 1e6:.2f}M"


def metric_text(row: Row, width: int) -> str:
    """`2.14 [1.97, 2.31]` of what was evaluated, else the running value of training.

    What `width` cells have no room for is written with one power of ten for all (`1.23 [1.11, 1.34] e-4`), with one
    digit less, or without the interval.
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
    # No more digits than the interval's width gives a meaning to.
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
    """All rows, or those that matter most in their order, with one line left to say how many there are."""
    if len(rows) <= room:
        return list(rows)
    urgency = {State.TRAINING: 1, State.DONE: 2, State.REPAIRED: 3, State.REJECTED: 5}
    ranked = sorted(rows, key=lambda row: (row.name != leader, urgency.get(row.state, 4)))
    kept = {row.name for row in ranked[: max(room - 1, 1)]}
    return [row for row in rows if row.name in kept]


def _row(row: Row, called: str, layout: Layout, glyphs: Glyphs, leads: bool, now: float) -> Text:
    mark = Text(f"{glyphs.best} ", "bold yellow") if leads else Text("  ")
    name = Text(called, "bold" if leads else "")
    state = _state(row, layout, glyphs)
    if row.rejected is not None and row.state is State.REJECTED:
        used = 2 + layout.name + _GAP + layout.state + _GAP
        reason = Text(visible(" ".join(row.rejected.reason.split())), "dim")
        cells = [(name, layout.name), (state, layout.state), (reason, max(layout.width - 1 - used, 0))]
        return mark + _line(cells, "", glyphs, indent=0)
    left = row.seconds_left(now)
    cells = [
        (name, layout.name),
        (state, layout.state),
        (Text(count(row.done_steps) if row.steps else ""), -layout.steps),
        (Text(metric_text(row, layout.metric), "bold" if leads else ""), layout.metric),
        *_ends(layout, Text("" if left is None else clock(left)), Text(_note(row), "dim")),
    ]
    return mark + _line(cells, "", glyphs, indent=0)


def _ends(layout: Layout, left: Text, note: Text) -> list[tuple[Text, int]]:
    return [(left, -layout.left), (note, layout.note)]


def _note(row: Row) -> str:
    repairs = f"after {row.repairs} {'repair' if row.repairs == 1 else 'repairs'}" if row.repairs else ""
    return "; ".join(filter(None, (repairs, visible(row.note))))


def _state(row: Row, layout: Layout, glyphs: Glyphs) -> Text:
    style = _STATE_STYLES[row.state]
    if row.state is State.REJECTED and row.rejected is not None:
        return Text(f"rejected ({row.rejected.stage})", style)
    if row.state is not State.TRAINING:
        return Text(row.state.value, style)
    # Rounded down: nothing is at 100% before it is done.
    percent = f"{int(row.share * 100):3d}%"
    text = Text("training ", style)
    if layout.width >= _WITH_BAR:
        full = int(row.share * _BAR)
        text.append(glyphs.full * full, style).append(glyphs.empty * (_BAR - full), "dim").append(" ")
    return text.append(percent, style)


def _line(cells: Sequence[tuple[Text, int]], style: str, glyphs: Glyphs = Glyphs(), indent: int = 2) -> Text:
    """Cells side by side, each cut and padded to its width; a negative width aligns to the right, 0 leaves out."""
    line = Text(" " * indent, style)
    started = False
    for text, width in cells:
        if width == 0:
            continue
        line.append(" " * _GAP if started else "")
        started = True
        fitted = _fitted(text, abs(width), glyphs)
        pad = " " * (abs(width) - cell_len(fitted.plain))
        line.append_text(Text(pad) + fitted if width < 0 else fitted + Text(pad))
    line.rstrip()
    return line


def _fitted(text: Text, width: int, glyphs: Glyphs) -> Text:
    """`text` in at most `width` cells, on one line; a cut is shown."""
    text = text.copy()
    if cell_len(text.plain) > width:
        text.truncate(max(width - 1, 0))
        text.append(glyphs.cut if width else "")
    return text
