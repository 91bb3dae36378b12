"""The live table on a terminal: redrawn in place while a generation runs, and left behind when it is finished."""

from __future__ import annotations

import sys
from threading import Event as Signal
from threading import RLock, Thread
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from eureka.core.events import Event, GenerationFinished, WorkerRestart
from eureka.ui.console.board import Board, State
from eureka.ui.console.layout import ASCII, Glyphs, render
from eureka.ui.console.output import say, send_lines_to, visible
from eureka.ui.console.region import Region
from eureka.ui.console.view import View

REDRAW_INTERVAL_S = 0.25


class LiveTable:
    """An observer that shows how a run goes while it is entered.

    Args:
        console: a terminal; stdout where None. NO_COLOR, TERM and COLUMNS are heeded by rich.
    """

    def __init__(self, view: View, console: Console | None = None) -> None:
        self.console = console or Console(file=sys.stdout, highlight=False)
        self.board = Board(view)
        self._glyphs = ASCII if self.console.options.ascii_only else Glyphs()
        self._region = Region(self.console)
        self._lock = RLock()
        self._stopped = Signal()
        self._redraws = Thread(target=self._redraw, name="eureka-live-table", daemon=True)

    def __enter__(self) -> Self:
        send_lines_to(self._line_above)
        self._region.draw([], [Text()])
        self._redraws.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back; what was shown last stays."""
        self._stopped.set()
        self._redraws.join()
        with self._lock:
            self._region.draw([], self._settled())
            self._region.close()
        send_lines_to(None)

    def __call__(self, event: Event) -> None:
        """Show what happened; a generation that is over leaves its table behind, with whole reasons of rejections."""
        with self._lock:
            self.board(event)
            if isinstance(event, GenerationFinished):
                left_behind = self._settled()
                self._region.draw(self._frame(), left_behind)
        if isinstance(event, WorkerRestart):
            say(f"{event.reason}; started again for {', '.join(event.candidates)}")

    # ---- inside --------------------------------------------------------------------------------------------------

    def _redraw(self) -> None:
        while not self._stopped.wait(REDRAW_INTERVAL_S):
            with self._lock:
                self._region.draw(self._frame())

    def _line_above(self, text: str) -> None:
        with self._lock:
            self._region.draw(self._frame(), [Text(text)])

    def _frame(self) -> list[Text]:
        # One line less than the terminal has: the cursor stands below the last one.
        return render(self.board, self.console.width, self.console.height - 1, self._glyphs)

    def _settled(self) -> list[RenderableType]:
        """The table as it stands, to be left behind; the live one starts afresh."""
        board = self.board
        rows = list(board.rows.values())
        if not rows:
            return []
        lines: list[RenderableType] = [*render(board, self.console.width, len(rows) + 3, self._glyphs, running=False)]
        for row in rows:
            if row.state is State.REJECTED and row.rejected is not None:
                reason = visible(f"{row.name}: {' '.join(row.rejected.reason.split())}")
                lines.append(Padding(Text(reason, "dim"), (0, 0, 0, 2)))
        answered = any(row.state is not State.ASKED for row in rows)
        if board.view.spending and answered and not board.confirming:
            lines.append(Padding(Text(board.view.spending(board.generation), "dim"), (0, 0, 0, 2)))
        board.rows = {}
        return [*lines, Text()]
