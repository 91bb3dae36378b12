"""The live table on a terminal: redrawn in place while a generation runs, and left behind when it is finished."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from threading import Event as Signal
from threading import RLock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from eureka.core.events import TrainingStarted
from eureka.core.types import WorkerRestarted
from eureka.ui.console.board import Board, State
from eureka.ui.console.layout import ASCII, Glyphs, render
from eureka.ui.console.output import say, send_lines_to, visible
from eureka.ui.console.region import Region
from eureka.ui.console.view import View

if TYPE_CHECKING:
    from eureka.core.types import Completion, Prompt, Rejected
    from eureka.search import Outcome
    from eureka.trainers.base import TrainingEvent

REDRAW_INTERVAL_S = 0.25


class LiveTable:
    """Shows how a run goes (a `Watcher` of `eureka.search.loop`) while it is entered.

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

    # ---- Watcher -------------------------------------------------------------------------------------------------

    def generation_started(self, generation: int, prompt: Prompt) -> None:
        """A prompt is ready and about to be answered."""
        with self._lock:
            self.board.generation_started(generation, prompt)

    def answered(self, completion: Completion) -> None:
        """An answer is recorded."""
        with self._lock:
            self.board.answered(completion)

    def rejected(self, rejected: Rejected) -> None:
        """A candidate did not make it."""
        with self._lock:
            self.board.rejected(rejected)

    def training_started(self, started: TrainingStarted) -> None:
        """Trainings are handed to the trainer."""
        with self._lock:
            self.board.training_started(started)

    def event(self, event: TrainingEvent) -> None:
        """Something happened in training."""
        with self._lock:
            self.board.event(event)
        if isinstance(event, WorkerRestarted):
            say(f"{event.reason}; started again for {', '.join(event.candidate_ids)}")

    def generation_finished(self, generation: int, outcomes: Sequence[Outcome], best: Outcome | None) -> None:
        """A generation is recorded: its table stays, with the whole reasons of rejections."""
        with self._lock:
            self.board.generation_finished(generation, outcomes, best)
            left_behind = self._settled()
            self._region.draw(self._frame(), left_behind)

    def confirmation_started(self, finalists: Sequence[str]) -> None:
        """The search is over, and its best are trained with further seeds."""
        with self._lock:
            self.board.confirmation_started(finalists)

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
