"""Everything that is printed: lines, tables, and the progress of a run in the mode that the user chose.

On a terminal a run is shown as a live table, otherwise as plain lines; `--quiet` prints only the results, `--json`
writes events.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from eureka.core.events import BestReward, Interrupted, Observer, broadcast
from eureka.ui.console.output import (
    Mode,
    choose_mode,
    emit,
    error_line,
    is_terminal,
    line,
    mode,
    paragraph,
    print_table,
    row,
    say,
)
from eureka.ui.console.view import View, estimate_in_words

__all__ = [
    "View",
    "best_reward_found",
    "choose_mode",
    "error_line",
    "interrupted",
    "line",
    "paragraph",
    "print_table",
    "row",
    "say",
    "watching",
]


@contextmanager
def watching(view: View) -> Iterator[Observer]:
    """Within the context, an observer that shows a run's progress in the chosen mode."""
    if mode() is Mode.QUIET:
        yield broadcast()
    elif mode() is Mode.JSON:
        yield emit
    elif is_terminal():
        from eureka.ui.console.live import LiveTable

        with LiveTable(view) as table:
            yield table
    else:
        from eureka.ui.console.lines import ProgressLines

        yield ProgressLines(view)


def best_reward_found(found: BestReward) -> None:
    """Print the result of a search, and where it is stored."""
    if mode() is Mode.JSON:
        emit(found)
        return
    say()
    count = "1 fresh seed" if found.fresh_seeds == 1 else f"{found.fresh_seeds} fresh seeds"
    seeds = f"{found.score:.4g} {found.unit} by {count}"
    worth = seeds if found.fresh_seeds else estimate_in_words(found.score, found.unit)
    line(f"best reward: {found.candidate}, {worth}")
    paragraph(f"components: {', '.join(found.components)}")
    line(f"as a module that needs only torch: {found.module}")


def interrupted(command: str) -> None:
    """Print on stderr how to resume an interrupted run; in JSON mode, also emit an event."""
    import typer

    if mode() is Mode.JSON:
        emit(Interrupted(command))
    typer.echo(f"interrupted: `{command}` goes on", err=True)
