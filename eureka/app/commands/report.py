"""Write a run's report: `eureka report`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from eureka.app.commands.common import RunFolder, TaskDirs, app, write_output
from eureka.ui.console import line, say


@app.command()
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
    from eureka.store import RunStore
    from eureka.ui.report import render_report, write_report

    with RunStore.open(folder, read_only=True) as store:
        if films:
            from eureka.app.build import require_task_dirs
            from eureka.app.own_runs import task_folders
            from eureka.config import Films
            from eureka.ui.video.queue import film_run

            folders = task_folders(store, task_dir or [], os.environ)
            require_task_dirs(store, folders)
            film_run(store, Films.all, os.environ, say, folders)
        if to is None:
            line(f"wrote {write_report(store)}")
            return
        page = render_report(store)
    write_output(to, page, "the report")
