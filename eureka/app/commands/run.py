"""Search for a reward function: `eureka run`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from eureka.app.commands.common import AsJson, FeedbackFile, Quiet, TaskDirs, Watched, app
from eureka.app.stopping import INTERRUPTED
from eureka.core.errors import ConfigError
from eureka.proposers.keys import Key, unset_keys
from eureka.ui.console import choose_mode, print_table, say


@app.command()
def run(
    context: typer.Context,
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...")] = None,
    task_dir: TaskDirs = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the first prompt and an estimate; ask nobody, write nothing.")
    ] = False,
    multirun: Annotated[
        bool, typer.Option("--multirun", "-m", help="A run for each: task=cartpole,ant seed=range(0,3).")
    ] = False,
    go_on: Annotated[
        bool, typer.Option("--continue", help="Where output= holds this run already, go on with it: for queues.")
    ] = False,
    feedback: FeedbackFile = None,
    watch: Watched = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Search for a reward function.

    For example: eureka run task=ant search.generations=3 search.samples=8 budget=quick. It ends with a comparison of
    the best reward with the human-written one and the bare task metric. A key that does not exist is
    answered with those that do. With a key such as ANTHROPIC_API_KEY set (`eureka doctor` lists
    them) that provider's model writes the rewards.
    """
    choose_mode(quiet, as_json)
    if watch and multirun:
        raise ConfigError("--watch follows one run: for several give `eureka watch outputs` beside them")
    if feedback and multirun:
        raise ConfigError("--feedback is about one run: give it to each of them")
    keys: Mapping[str, Key] = context.obj
    from eureka.app.build import run_folder
    from eureka.app.multirun import comparison_of_runs, plan, run_all
    from eureka.app.preparing import search_session
    from eureka.app.runs import Invocation, search_in, start_or_go_on
    from eureka.proposers.registry import default_proposer
    from eureka.ui.web.review.feedback_file import read_feedback_file

    task_dirs = task_dir or []
    answers = read_feedback_file(feedback) if feedback else []
    jobs = plan(overrides or [], task_dirs, os.environ, default_proposer(keys), multirun=multirun)
    for job in jobs:
        _require_folder(job.config.output, go_on=go_on)
    if not keys and not any(text.startswith("llm=") and text != "llm=auto" for text in overrides or []):
        _warn_no_key()
    if dry_run:
        from eureka.app.dry_run import preview

        for job in jobs:
            with search_session(job.config, task_dirs, os.environ, unset_keys()) as session:
                preview(session)
        return
    given = Invocation(task_dirs, os.environ, keys, watch, answers)
    try:
        if multirun:
            outcomes = run_all(jobs, given, go_on=go_on)
        else:
            config = jobs[0].config
            with run_folder(config) as folder:
                start_or_go_on(folder, config, overrides or [], given) if go_on else search_in(folder, config, given)
            return
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    rows = comparison_of_runs(outcomes)
    print_table(rows.title, rows.header, rows.rows, rows.notes)
    if any(outcome.run is None for outcome in outcomes):
        raise typer.Exit(1)


def _require_folder(output: str | None, *, go_on: bool) -> None:
    """Raise if a run cannot be started in its folder or, with `go_on`, continued there."""
    from eureka.store import is_run, require_free

    if output is None and go_on:
        raise ConfigError("--continue needs output=DIR: it goes on with the run that is there, or starts it")
    if output is not None and not (go_on and is_run(Path(output))):
        require_free(Path(output))


def _warn_no_key() -> None:
    from eureka.proposers.registry import key_variables

    say(
        f"no key is set, so no language model is asked: set {' or '.join(key_variables().values())} to use one, or "
        "give llm=openai llm.base_url=URL llm.model=NAME for a server of your own"
    )
