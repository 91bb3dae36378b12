"""The commands that show a run: `report`, `compare`, `watch` and `review`; a part of `eureka.app.cli`."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated

import typer

from eureka.core.errors import EurekaError
from eureka.proposers.keys import take_keys
from eureka.ui.console import line, say

RunFolder = Annotated[
    Path, typer.Argument(metavar="DIR", help="A run folder, such as outputs/ant/2026-11-21_10-00-00.")
]

TaskDirs = Annotated[
    list[Path] | None, typer.Option("--task-dir", help="A folder that holds task folders, or is one; may be repeated.")
]


def add_pages(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(report)
    app.command()(compare)
    app.command(name="watch")(watch_runs)
    app.command()(review)


def report(
    folder: RunFolder,
    to: Annotated[Path | None, typer.Option(help="Write the page there instead of into the run folder.")] = None,
    films: Annotated[bool, typer.Option("--films", help="First make the films that it lacks.")] = False,
    task_dir: TaskDirs = None,
) -> None:
    """Write a run's report: one HTML file with all that was tried, learned and found.

    It can be asked for at any time, also while the run goes on, which writes it after every generation itself.
    Only films need the task, and with it --task-dir where it is your own.
    """
    take_keys(os.environ)
    from eureka.store import RunStore
    from eureka.ui.report import render_report, write_report

    with RunStore.open(folder, read_only=True) as store:
        if films:
            from eureka.app.build import require_task_dirs
            from eureka.config import Films
            from eureka.ui.video.queue import film_run

            require_task_dirs(store, task_dir or [])
            film_run(store, Films.all, os.environ, say, task_dir or [])
        if to is None:
            line(f"wrote {write_report(store)}")
            return
        page = render_report(store)
    write_output(to, page, "the report")


def compare(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR DIR...", help="Run folders, of one task or of several.")
    ],
    to: Annotated[Path, typer.Option(help="The page to write.")] = Path("comparison.html"),
) -> None:
    """Write a page that shows several runs side by side."""
    take_keys(os.environ)
    from eureka.store import RunStore
    from eureka.ui.report import render_comparison

    with ExitStack() as opened:
        stores = [opened.enter_context(RunStore.open(folder, read_only=True)) for folder in folders]
        page = render_comparison(stores)
    write_output(to, page, "the comparison")


def watch_runs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run folder, or a folder of runs.")] = Path("outputs"),
    host: Annotated[str, typer.Option(help="The address to listen on.")] = ("127.0.0.1"),
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="8517 or a free one if not given.")] = None,
) -> None:
    """Serve the reports of runs as pages that follow them while they go on.

    It only reads, and can be started and stopped at any time.
    """
    take_keys(os.environ)
    from eureka.ui.web.server import serving

    with suppress(KeyboardInterrupt), serving(folder, host, port) as ready:
        line(f"watch it at {ready.address} (Ctrl-C ends this; runs are not affected)")
        ready.run()


def review(
    folder: RunFolder,
    plain: Annotated[bool, typer.Option("--plain", help="Ask here in the terminal instead of by a page.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The page's port; 0: any that is free.")] = 0,
) -> None:
    """Judge what the policies of a generation do, where the run waits for it (search.feedback=ask).

    It serves a page on this machine with their films side by side, which goes on from generation to generation. What
    you choose and write goes into the next prompt, and your best is the next generation's parent.
    """
    take_keys(os.environ)
    if plain:
        from eureka.ui.web.review.terminal import review_in_terminal

        review_in_terminal(folder)
        return
    from eureka.ui.web.review.state import review_state
    from eureka.ui.web.server import open_browser, serving

    review_state(folder)
    with suppress(KeyboardInterrupt), serving(folder, port=port) as ready:
        address = ready.review_address
        line(f"review it at {address} (Ctrl-C ends this; in the terminal: eureka review {folder} --plain)")
        open_browser(address, os.environ)
        ready.run()


def write_output(path: Path, text: str, what: str) -> None:
    """Write what a command gives to the file that the user named."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EurekaError(f"{path}: {what} cannot be written: {error.strerror}") from error
    line(f"wrote {path}")
