"""The command line: `eureka run task=ant`, `resume`, `evaluate`, `export`, `tasks`, `doctor`.

This is the composition root and the only place that reads environment variables. Heavy imports are inside the
commands, so that `eureka --help` is instant; they come after the keys have left the environment, since some of them
start programs of their own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from eureka import __version__
from eureka.console import error_line, line, table
from eureka.errors import ConfigError, EurekaError
from eureka.llm.keys import KEY_VARIABLES, Key, take_keys

app = typer.Typer(
    name="eureka",
    help="Language models write reward functions; populations of policies show which ones work.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

TaskDirs = Annotated[
    list[Path] | None, typer.Option("--task-dir", help="A folder that holds task folders, or is one; may be repeated.")
]
RunFolder = Annotated[
    Path, typer.Argument(metavar="DIR", help="A run folder, such as outputs/ant/2026-11-21_10-00-00.")
]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with 0, 1 for an error, 2 for bad input or 130 where interrupted."""
    try:
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
) -> None:
    """Search for a reward function.

    For example: eureka run task=ant search.generations=3 search.samples=8 budget=quick. A key that does not exist is
    answered with those that do. With ANTHROPIC_API_KEY or OPENAI_API_KEY set that provider's model writes the rewards.
    """
    keys = take_keys(os.environ)
    from eureka.config import compose_config, to_yaml
    from eureka.session import search_session
    from eureka.store import RunStore, require_free
    from eureka.wiring import resolve, run_folder

    task_dirs = task_dir or []
    default = next(iter(keys), "program_search")
    config = resolve(compose_config(overrides or [], task_dirs, default), os.environ)
    folder = run_folder(config)
    require_free(folder)
    if not keys and not any(given.startswith("llm=") and given != "llm=auto" for given in overrides or []):
        line(
            "no key is set, so no language model is asked: set ANTHROPIC_API_KEY or OPENAI_API_KEY to use one, or give "
            "llm=openai llm.base_url=URL llm.model=NAME for a server of your own"
        )
    if dry_run:
        unset = {provider: Key(variable, "unset") for provider, variable in KEY_VARIABLES.items()}
        with search_session(config, task_dirs, os.environ, unset) as session:
            session.preview()
        return
    with (
        search_session(config, task_dirs, os.environ, keys) as session,
        resumable(folder),
        RunStore.create(folder, to_yaml(config), session.facts()) as store,
    ):
        session.search(store)


@app.command()
def resume(
    folder: RunFolder,
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[llm.KEY=VALUE]...")] = None,
    task_dir: TaskDirs = None,
) -> None:
    """Go on with a run that was stopped.

    It continues from its last finished step, with the config and the task folders that it was started with. Only a
    language model's keys can be given anew, such as llm.max_usd=10.
    """
    keys = take_keys(os.environ)
    from eureka.config import change_model_keys, from_yaml
    from eureka.session import search_session
    from eureka.store import RunStore
    from eureka.wiring import recorded_task_dirs, resolve

    with RunStore.open(folder) as store, resumable(folder):
        if store.is_finished:
            line(f"{folder}: this run has finished; its best reward is {store.best_folder / 'reward.py'}")
            return
        config = resolve(change_model_keys(from_yaml(store.config_yaml), overrides or []))
        if overrides:
            store.set_fact("resumed with", " ".join(overrides))
        task_dirs = [*recorded_task_dirs(store), *(task_dir or [])]
        with search_session(config, task_dirs, os.environ, keys, store) as session:
            session.search(store)


@app.command()
def evaluate(
    folder: RunFolder,
    seeds: Annotated[int | None, typer.Option(min=1, help="Fresh seeds; as configured where not given.")] = None,
    task_dir: TaskDirs = None,
) -> None:
    """Re-train the best reward with fresh seeds.

    Prints the task metric per seed, and their interquartile mean with a 95% bootstrap interval.
    """
    take_keys(os.environ)
    from eureka.session import evaluate_run
    from eureka.store import RunStore

    with RunStore.open(folder) as store, resumable(folder, "evaluate"):
        evaluate_run(store, seeds, task_dir or [], os.environ)


@app.command()
def export(
    folder: RunFolder,
    to: Annotated[Path | None, typer.Option(help="Write the module there instead of printing it.")] = None,
    candidate: Annotated[str | None, typer.Option(help="Another candidate than the best, such as g02-c05.")] = None,
    task_dir: TaskDirs = None,
) -> None:
    """Write a reward as a standalone module.

    It needs only torch, and compiles under torch.jit.script.
    """
    take_keys(os.environ)
    from eureka.session import export_run
    from eureka.store import RunStore

    with RunStore.open(folder, read_only=True) as store:
        text = export_run(store, candidate, task_dir or [])
    if to is None:
        line(text.rstrip())
        return
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EurekaError(f"{to}: the module cannot be written: {error.strerror}") from error
    line(f"wrote {to}")


@app.command()
def tasks(
    name: Annotated[str | None, typer.Argument(help="Show this task with the table of its State.")] = None,
    task_dir: TaskDirs = None,
) -> None:
    """List the tasks, or show one."""
    take_keys(os.environ)
    from eureka.tasks import find_tasks, load_task
    from eureka.tasks.info import read_info

    task_dirs = task_dir or []
    if name is None:
        infos = [read_info(path) for path in find_tasks(task_dirs).values()]
        for text in table([(info.name, info.description) for info in infos]):
            line(text)
        return
    task = load_task(name, task_dirs)
    line(f"{name}: {task.info.description}")
    line(f"folder: {task.folder}")
    line(f"control step: {task.control_timestep_s:g} s, time limit {task.info.max_episode_steps} steps")
    line(f"metric: {task.metric.description} ({task.metric.unit})")
    line(f"evidence: {task.info.evidence}")
    line()
    header = ("state field", "shape", "dtype", "unit", "frame", "description")
    rows = [(f.name, _shape(f.shape), f.dtype, f.unit, f.frame, f.description) for f in task.fields]
    for text in table([header, *rows]):
        line(text)


def _shape(shape: tuple[int, ...]) -> str:
    """Shape with its leading dimension, as Python writes a tuple: `(num_envs,)`, `(num_envs, 3)`."""
    return f"(num_envs, {', '.join(map(str, shape))})" if shape else "(num_envs,)"


@app.command()
def doctor() -> None:
    """Say what this machine has.

    Versions, engine, GPU, the layers of confinement, and which API keys are set (never their values).
    """
    set_names = frozenset(os.environ)
    take_keys(os.environ)
    from eureka.doctor import diagnose

    for text in diagnose(set_names):
        line(text)


@contextmanager
def resumable(folder: Path, command: str = "resume") -> Iterator[None]:
    """Where the user interrupts, say how to go on instead of showing a traceback."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"interrupted: `eureka {command} {folder}` goes on", err=True)
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
