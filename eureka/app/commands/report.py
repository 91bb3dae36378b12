"""Write a run's report: `eureka report`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eureka.app.commands.common import TaskDirs, app, write_output
from eureka.core.errors import ConfigError, EurekaError
from eureka.ui.console import error_line, line, say

if TYPE_CHECKING:
    from eureka.store import RunStore


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run folder, or a folder of runs.")],
    to: Annotated[Path | None, typer.Option(help="Write the page there instead of into the run folder.")] = None,
    films: Annotated[bool, typer.Option("--films", help="First make the films that it lacks.")] = False,
    task_dir: TaskDirs = None,
) -> None:
    """Write a run's report: one HTML file with all that was tried, learned and found.

    It can be asked for at any time, also while the run goes on, which writes it after every generation itself.
    Only films need the task, and with it --task-dir where it is your own. Of a folder of runs each gets its own report.
    """
    from eureka.store import RunStore, is_run, runs_in
    from eureka.ui.report import render_report, write_report

    runs = runs_in([folder])
    if to is not None and not is_run(folder):
        raise ConfigError(
            f"{folder}: holds {len(runs)} runs, and --to names one page: `eureka compare` makes one of all"
        )
    failed = False
    for run in runs:
        try:
            with RunStore.open(run, read_only=True) as store:
                if films:
                    _make_films(store, task_dir or [])
                if to is None:
                    line(f"wrote {write_report(store)}")
                    continue
                page = render_report(store)
        except EurekaError as error:
            if is_run(folder):
                raise
            error_line(str(error))
            failed = True
            continue
        write_output(to, page, "the report")
    if failed:
        raise typer.Exit(1)


def _make_films(store: RunStore, task_dirs: list[Path]) -> None:
    from eureka.app.build import require_task_dirs
    from eureka.app.own_runs import task_folders
    from eureka.config import Films
    from eureka.ui.video.queue import film_run

    task_dirs = task_folders(store, task_dirs, os.environ)
    require_task_dirs(store, task_dirs)
    film_run(store, Films.all, os.environ, say, task_dirs)
