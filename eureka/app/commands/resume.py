"""Go on with a run: `eureka resume`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated

import typer

from eureka.app.commands.common import AsJson, FeedbackFile, Quiet, RunFolder, TaskDirs, Watched, app, resumable
from eureka.proposers.keys import Key
from eureka.ui.console import choose_mode, line


@app.command()
def resume(
    context: typer.Context,
    folder: RunFolder,
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
    or takes confinement away is never taken from the run folder: give --task-dir, llm.base_url, sandbox=unsafe again.
    """
    choose_mode(quiet, as_json)
    keys: Mapping[str, Key] = context.obj
    from eureka.app.build import require_task_dirs, resumed_config
    from eureka.app.preparing import search_session
    from eureka.store import RunStore
    from eureka.ui.web.review.feedback_file import read_feedback_file
    from eureka.ui.web.review.reviewer import leave_answers

    answers = read_feedback_file(feedback) if feedback else []
    task_dirs = task_dir or []
    with RunStore.open(folder) as store, resumable(folder, task_dirs, overrides or []):
        if store.is_finished:
            line(f"{folder}: this run has finished; its best reward is {store.best_folder / 'reward.py'}")
            return
        require_task_dirs(store, task_dirs)
        config = resumed_config(store, overrides or [], os.environ)
        leave_answers(folder, answers)
        with search_session(config, task_dirs, os.environ, keys, store) as session:
            session.search(store, watch=watch)
