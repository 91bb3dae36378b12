"""Compare the best reward once more: `eureka evaluate`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from eureka.app.commands.common import AsJson, Quiet, RunFolder, TaskDirs, app, resumable
from eureka.ui.console import choose_mode, say


@app.command()
def evaluate(
    folder: RunFolder,
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="What names code, in a folder from others.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Fresh seeds; as configured where not given.")] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Control steps of each training; as for budget=standard.")
    ] = None,
    task_dir: TaskDirs = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Compare the best reward with the human-written one and the bare metric once more, with more seeds.

    Each is trained with fresh seeds; those that are recorded are not trained again. With --steps the trainings take
    another length, and replace those of the old one. What a folder that somebody else made names as code is given
    again: --task-dir, env=FILE.
    """
    choose_mode(quiet, as_json)
    from eureka.app.comparing import evaluate_run
    from eureka.app.configs import from_yaml
    from eureka.app.own_runs import task_folders
    from eureka.store import RunStore
    from eureka.ui.report.writer import update_report
    from eureka.ui.video.queue import update_films

    task_dirs = task_dir or []
    with RunStore.open(folder) as store, resumable(folder, task_dirs, command="evaluate"):
        evaluate_run(store, seeds, steps, task_dirs, os.environ, overrides or [])
        config = from_yaml(store.config_yaml)
        if config.task is not None:
            update_films(store, config.report.films, os.environ, say, task_folders(store, task_dirs, os.environ))
        update_report(folder, os.environ, say)
