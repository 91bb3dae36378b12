"""Shared by the commands: the command line that they add themselves to, and common options."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from eureka.app.stopping import INTERRUPTED
from eureka.core.errors import EurekaError
from eureka.ui.console import interrupted, line

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
RunFolders = Annotated[
    list[Path], typer.Argument(metavar="DIR...", help="Run folders, or folders of runs such as outputs.")
]
RunFolder = Annotated[
    Path, typer.Argument(metavar="DIR", help="A run folder, such as outputs/ant/2026-11-21_10-00-00.")
]

TaskDirs = Annotated[
    list[Path] | None, typer.Option("--task-dir", help="A folder that holds task folders, or is one; may be repeated.")
]


@contextmanager
def resumable(
    folder: Path, task_dirs: Sequence[Path], overrides: Sequence[str] = (), command: str = "resume"
) -> Iterator[None]:
    """If the user interrupts the context, print the command that resumes the run instead of a traceback."""
    try:
        yield
    except KeyboardInterrupt:
        words = [*overrides, *(word for directory in task_dirs for word in ("--task-dir", str(directory)))]
        interrupted(" ".join([f"eureka {command} {folder}", *map(shlex.quote, words)]))
        raise typer.Exit(INTERRUPTED) from None


def write_output(path: Path, text: str, what: str) -> None:
    """Write a command's result to the file that the user named."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EurekaError(f"{path}: {what} cannot be written: {error.strerror}") from error
    line(f"wrote {path}")
