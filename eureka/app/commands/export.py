"""Write a reward as a module, or as one file for Gymnasium: `eureka export`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from eureka.app.commands.common import RunFolder, TaskDirs, app, write_output
from eureka.core.errors import ConfigError
from eureka.ui.console import line

GYMNASIUM = "gymnasium"


@app.command()
def export(
    folder: RunFolder,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|gymnasium",
            help="Write the module there instead of printing it; or gymnasium: one file with reward and wrappers.",
        ),
    ] = None,
    candidate: Annotated[str | None, typer.Option(help="Another candidate than the best, such as g02-c05.")] = None,
    output: Annotated[Path | None, typer.Option(help="Where the file for gymnasium goes.")] = None,
    env: Annotated[
        str | None,
        typer.Option(help="The run's environment again, for --to gymnasium, where it is a file or module:Class."),
    ] = None,
    task_dir: TaskDirs = None,
) -> None:
    """Write a reward as a standalone module, or with its wrappers for Gymnasium.

    The module needs only torch, and compiles under torch.jit.script. The file of --to gymnasium needs torch, numpy,
    gymnasium and the environment's own mujoco (3.1 or newer); it reads the State as the task does, so a task of your
    own is given by --task-dir.
    """
    from eureka.app.exporting import export_gymnasium, export_run
    from eureka.app.own_runs import task_folders
    from eureka.store import RunStore

    if output is not None and to != GYMNASIUM:
        raise ConfigError("--output is for a target, as in --to gymnasium: a module goes where --to FILE says")
    with RunStore.open(folder, read_only=True) as store:
        if to == GYMNASIUM:
            folders = task_folders(store, task_dir or [], os.environ)
            path, text = export_gymnasium(store, candidate, output, folders, env)
            write_output(path, text, "the file")
            return
        text = export_run(store, candidate)
    if to is None:
        line(text.rstrip())
        return
    write_output(Path(to), text, "the module")
