"""The command line: `eureka run task=ant`, `resume`, `evaluate`, `report`, `compare`, `watch`, `review`, `export`,
`play`, `check`, `tasks` and `doctor`.

This is the composition root and, with `eureka.app.cli_pages`, the only place that reads environment variables. Heavy
imports are inside the commands, so that `eureka --help` is instant; they come after the keys have left the environment,
since some of them start programs of their own.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from eureka import __version__
from eureka.app.cli_pages import RunFolder, TaskDirs, add_pages, write_output
from eureka.core.errors import ConfigError, EurekaError
from eureka.core.text import table
from eureka.proposers.keys import take_keys, unset_keys
from eureka.sandbox.private_process import private_process
from eureka.ui.console import choose_mode, error_line, interrupted, line, paragraph, print_table, say

app = typer.Typer(
    name="eureka",
    help="Language models write reward functions; populations of policies show which ones work.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what the command gives, and errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write events, one JSON object a line: see docs/events.md.")]
Watched = Annotated[
    bool, typer.Option("--watch", help="Serve a page that follows the run while it goes on, as `eureka watch` does.")
]
FeedbackFile = Annotated[
    Path | None,
    typer.Option(
        "--feedback", metavar="FILE", help="A person's answers about generations, written down beforehand (YAML)."
    ),
]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with 0, 1 for an error, 2 for bad input or 130 where interrupted."""
    try:
        with private_process():
            app(arguments)
    except ConfigError as error:
        error_line(str(error))
        sys.exit(2)
    except EurekaError as error:
        error_line(str(error))
        sys.exit(1)


@app.command()
def run(
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...")] = None,
    task_dir: TaskDirs = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the first prompt and an estimate; ask nobody, write nothing.")
    ] = False,
    multirun: Annotated[
        bool, typer.Option("--multirun", "-m", help="A run for each: task=cartpole,ant seed=range(0,3).")
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
    keys = take_keys(os.environ)
    from eureka.app.build import run_folder
    from eureka.app.multirun import comparison_of_runs, plan, run_all
    from eureka.app.runs import search_in
    from eureka.app.session import search_session
    from eureka.proposers.registry import default_proposer, key_variables
    from eureka.store import require_free
    from eureka.ui.web.review.feedback_file import read_feedback_file

    task_dirs = task_dir or []
    answers = read_feedback_file(feedback) if feedback else []
    jobs = plan(overrides or [], task_dirs, os.environ, default_proposer(keys), multirun=multirun)
    for job in jobs:
        require_free(run_folder(job.config))
    if not keys and not any(given.startswith("llm=") and given != "llm=auto" for given in overrides or []):
        say(
            f"no key is set, so no language model is asked: set {' or '.join(key_variables().values())} to use one, or "
            "give llm=openai llm.base_url=URL llm.model=NAME for a server of your own"
        )
    if dry_run:
        from eureka.app.dry_run import preview

        for job in jobs:
            with search_session(job.config, task_dirs, os.environ, unset_keys()) as session:
                preview(session)
        return
    try:
        if not multirun:
            config = jobs[0].config
            search_in(run_folder(config), config, task_dirs, os.environ, keys, watch=watch, answers=answers)
            return
        outcomes = run_all(jobs, task_dirs, os.environ, keys)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    rows = comparison_of_runs(outcomes)
    print_table(rows.title, rows.header, rows.rows, rows.notes)
    if any(outcome.run is None for outcome in outcomes):
        raise typer.Exit(1)


@app.command()
def resume(
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
    keys = take_keys(os.environ)
    from eureka.app.build import require_task_dirs, resumed_config
    from eureka.app.session import search_session
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


@app.command()
def evaluate(
    folder: RunFolder,
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
    another length, and replace those of the old one.
    """
    choose_mode(quiet, as_json)
    take_keys(os.environ)
    from eureka.app.comparing import evaluate_run
    from eureka.app.configs import from_yaml
    from eureka.store import RunStore
    from eureka.ui.report.writer import update_report
    from eureka.ui.video.queue import update_films

    task_dirs = task_dir or []
    with RunStore.open(folder) as store, resumable(folder, task_dirs, command="evaluate"):
        evaluate_run(store, seeds, steps, task_dirs, os.environ)
        config = from_yaml(store.config_yaml)
        if config.task is not None:
            update_films(store, config.report.films, os.environ, say, task_dirs)
        update_report(folder, os.environ, say)


add_pages(app)


@app.command()
def export(
    folder: RunFolder,
    to: Annotated[Path | None, typer.Option(help="Write the module there instead of printing it.")] = None,
    candidate: Annotated[str | None, typer.Option(help="Another candidate than the best, such as g02-c05.")] = None,
) -> None:
    """Write a reward as a standalone module.

    It needs only torch, and compiles under torch.jit.script.
    """
    take_keys(os.environ)
    from eureka.app.exporting import export_run
    from eureka.store import RunStore

    with RunStore.open(folder, read_only=True) as store:
        text = export_run(store, candidate)
    if to is None:
        line(text.rstrip())
        return
    write_output(to, text, "the module")


@app.command()
def play(
    folder: RunFolder,
    candidate: Annotated[
        str, typer.Option(help="Whose policy: the best reward's, a candidate's such as g02-c05, or human or sparse.")
    ] = "best",
    to: Annotated[Path | None, typer.Option(help="Write the mp4 there instead of into the run folder.")] = None,
    episodes: Annotated[int, typer.Option(min=1, help="Episodes, each from another start state.")] = 1,
    seconds: Annotated[float, typer.Option(min=0.1, help="Of each episode at most that much simulated time.")] = 20.0,
    size: Annotated[str, typer.Option(help="Width and height of the picture.")] = "480x360",
    fps: Annotated[int, typer.Option(min=1, max=120, help="Frames a second, at most.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the start states.")] = 0,
    camera: Annotated[str | None, typer.Option(help="A camera of the model, by its name.")] = None,
    shadows: Annotated[bool, typer.Option("--shadows", help="Draw shadows and reflections: much slower.")] = False,
    overlay: Annotated[bool, typer.Option("--overlay", help="Write time, metric, reward and command.")] = False,
    task_dir: TaskDirs = None,
) -> None:
    """Write a video of a trained policy.

    An mp4 at the speed of the simulated time, with a poster frame beside it. It needs no screen: EGL or OSMesa is
    found by itself (`eureka doctor` says what to install).
    """
    take_keys(os.environ)
    from eureka.app.play import describe, film, parse_size
    from eureka.store import RunStore
    from eureka.ui.video import Look

    width, height = parse_size(size)
    look = Look(
        episodes=episodes,
        seed=seed,
        max_seconds=seconds,
        width=width,
        height=height,
        fps=fps,
        camera=camera,
        shadows=shadows,
        overlay=overlay,
    )
    with RunStore.open(folder, read_only=True) as store:
        filmed = film(store, candidate, look, os.environ, to=to, task_dirs=task_dir or [])
    for text in describe(filmed):
        line(text)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A Python file with a function compute_reward.")],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="task=NAME [KEY=VALUE]...")] = None,
    task_dir: TaskDirs = None,
) -> None:
    """Look at a reward function before anything is trained with it.

    For example: eureka check reward.py task=ant. The function takes State fields (see `eureka tasks ant`) and returns a
    total and named components, (num_envs,) each. It is traced in the sandbox, never imported. At its first use for a
    task a policy is trained with the task's own reward, to record what good and bad behaviour looks like; this is kept.
    Ends with 0 where the reward can be trained with, with 1 where that would be in vain.
    """
    take_keys(os.environ)
    from eureka.app.check_page import print_page
    from eureka.app.checking import check_file

    checked = check_file(file, overrides or [], task_dir or [], os.environ, say)
    print_page(checked)
    if not checked.is_usable:
        raise typer.Exit(1)


@app.command()
def tasks(
    name: Annotated[str | None, typer.Argument(help="Show this task with the table of its State.")] = None,
    task_dir: TaskDirs = None,
) -> None:
    """List the tasks, or show one."""
    take_keys(os.environ)
    from eureka.tasks import find_tasks, load_task
    from eureka.tasks.describe import describe
    from eureka.tasks.info import read_info

    task_dirs = task_dir or []
    if name is None:
        infos = [read_info(path) for path in find_tasks(task_dirs).values()]
        for text in table([(info.name, info.description) for info in infos]):
            paragraph(text)
        return
    for text in describe(load_task(name, task_dirs)):
        paragraph(text)


@app.command()
def doctor() -> None:
    """Say what this machine has.

    Versions, engine, GPU, the layers of confinement, and which API keys are set (never their values).
    """
    set_names = frozenset(os.environ)
    take_keys(os.environ)
    from eureka.app.doctor import diagnose

    for text in diagnose(set_names, os.environ):
        line(text)


@contextmanager
def resumable(
    folder: Path, task_dirs: Sequence[Path], overrides: Sequence[str] = (), command: str = "resume"
) -> Iterator[None]:
    """Where the user interrupts, say how to go on instead of showing a traceback."""
    try:
        yield
    except KeyboardInterrupt:
        words = [*overrides, *(word for directory in task_dirs for word in ("--task-dir", str(directory)))]
        interrupted(" ".join([f"eureka {command} {folder}", *map(shlex.quote, words)]))
        raise typer.Exit(130) from None


def _print_version(wanted: bool) -> None:
    if wanted:
        line(f"eureka {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Language models write reward functions; populations of policies show which ones work."""
    del version  # its callback has printed it
    choose_mode()
