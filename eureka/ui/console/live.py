"""The live table on a terminal: redrawn in place while a generation runs, and printed permanently when it is
finished."""

from __future__ import annotations

import sys
from threading import Event as Signal
from threading import RLock, Thread
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, ConsoleRenderable, Group, RenderHook, RenderResult
from rich.live import Live
from rich.padding import Padding
from rich.segment import ControlType, Segment
from rich.text import Text

from eureka.core.events import Event, GenerationFinished, WorkerRestart
from eureka.ui.console.board import Board, RowState
from eureka.ui.console.layout import ASCII, Glyphs, render
from eureka.ui.console.output import say, send_lines_to, visible
from eureka.ui.console.view import View

REDRAW_INTERVAL_S = 0.25


class LiveTable:
    """An observer that shows the progress of a run within its context.

    Args:
        console: a terminal; None: stdout. rich respects NO_COLOR, TERM and COLUMNS.
    """

    def __init__(self, view: View, console: Console | None = None) -> None:
        self.console = console or Console(file=sys.stdout, highlight=False)
        self.board = Board(view)
        self._glyphs = ASCII if self.console.options.ascii_only else Glyphs()
        self._live = Live(
            self, console=self.console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        self._lock = RLock()
        self._stopped = Signal()
        # Rich's own refresh thread and a line printed above the table could draw at the same time and corrupt each
        # other.
        self._redraws = Thread(target=self._redraw, name="eureka-live-table", daemon=True)

    def __enter__(self) -> Self:
        send_lines_to(self._line_above)
        self.console.print()
        self._live.start()
        self.console.push_render_hook(_AtOnce())
        self._redraws.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the terminal; the last table stays visible."""
        self._stopped.set()
        self._redraws.join()
        with self._lock:
            self.console.pop_render_hook()
            self._live.stop()
            self._leave_behind()
        send_lines_to(None)

    def __call__(self, event: Event) -> None:
        """Show an event; the table of a finished generation stays above."""
        with self._lock:
            self.board(event)
            if isinstance(event, GenerationFinished):
                self._leave_behind()
        if isinstance(event, WorkerRestart):
            say(f"{event.reason}; started again for {', '.join(event.candidates)}")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The current table, and a line for the cursor: a terminal echoes ^C there, which must not wrap."""
        with self._lock:
            # Rich adds a line when it ends, which must not scroll the title off the screen.
            yield render(self.board, console.width, console.height - 2, self._glyphs)
            yield Text()

    # ---- inside --------------------------------------------------------------------------------------------------

    def _redraw(self) -> None:
        while not self._stopped.wait(REDRAW_INTERVAL_S):
            with self._lock:
                self._live.refresh()

    def _line_above(self, text: str) -> None:
        with self._lock:
            self.console.print(Text(text))

    def _leave_behind(self) -> None:
        """Print the final table permanently, with complete reasons of rejections, and start a new live table."""
        board = self.board
        rows = list(board.rows.values())
        if not rows:
            return
        notes = [
            f"{row.name}: {' '.join(row.rejected.reason.split())}"
            for row in rows
            if row.state is RowState.REJECTED and row.rejected is not None
        ]
        answered = any(row.state is not RowState.ASKED for row in rows)
        if board.view.spending and answered and not board.confirming:
            notes.append(board.view.spending(board.generation))
        table = render(board, self.console.width, len(rows) + 3, self._glyphs, running=False)
        below = [Padding(Text(visible(note), "dim"), (0, 0, 0, 2)) for note in notes]
        board.rows = {}
        self.console.print(Group(table, *below, Text()))


class _AtOnce(RenderHook):
    """Makes the terminal show each frame only when it is complete (DEC private mode 2026; other terminals ignore the
    marks).
    """

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """The renderables between the two marks."""
        return [_Code("\x1b[?2026h"), *renderables, _Code("\x1b[?2026l")]


class _Code:
    """A control sequence of width zero."""

    def __init__(self, code: str) -> None:
        self._segment = Segment(code, None, [(ControlType.HOME,)])  # marks it as one; what is written is `code`

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """See rich."""
        yield self._segment
