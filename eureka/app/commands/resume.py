"""Go on with a run: `eureka resume`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from eureka.app.commands.common import AsJson, FeedbackFile, Quiet, TaskDirs, Watched, app, resumable
from eureka.core.errors import ConfigError, EurekaError
from eureka.proposers.keys import Key
from eureka.ui.console import choose_mode, error_line, say


@app.command()
def resume(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A run folder, or a folder of runs: all that are not finished.")
    ],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...")] = None,
    task_dir: TaskDirs = None,
    feedback: FeedbackFile = None,
    watch: Watched = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Go on with a run that was stopped.

    It continues from its last finished step, with the config that it was started with. Only a language model's keys can
    be given anew, such as llm.max_usd=10, which hold for later resumes too, and sandbox. What names code or an endpoint
    or takes confinement away is taken from the folder of a run that you started yourself, and of no other: give
    --task-dir, llm.base_url, sandbox=unsafe again.
    Of a folder of runs, each that is not finished goes on in turn; where one cannot, its error is printed and the
    others go on.
    """
    choose_mode(quiet, as_json)
    keys: Mapping[str, Key] = context.obj
    from eureka.app.runs import Invocation, resume_in
    from eureka.store import is_run, runs_in
    from eureka.ui.web.review.feedback_file import read_feedback_file

    answers = read_feedback_file(feedback) if feedback else []
    task_dirs, given = task_dir or [], overrides or []
    runs = runs_in([folder])
    if not is_run(folder) and (watch or answers):
        raise ConfigError(f"{folder}: --watch and --feedback are about one run: name its folder")
    failed = False
    for number, run in enumerate(runs, start=1):
        if len(runs) > 1:
            say(f"run {number} of {len(runs)}: {run}")
        with resumable(run, task_dirs, given):
            try:
                resume_in(run, given, Invocation(task_dirs, os.environ, keys, watch, answers))
            except EurekaError as error:
                if is_run(folder):
                    raise
                error_line(str(error))
                failed = True
    if failed:
        raise typer.Exit(1)
