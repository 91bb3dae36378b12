"""Write a reward as a module, or for another environment: `eureka export`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from eureka.app.commands.common import RunFolder, TaskDirs, app, write_output
from eureka.core.errors import ConfigError
from eureka.ui.console import line


@app.command()
def export(
    folder: RunFolder,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|TARGET",
            help="Write the module there instead of printing it. Or gymnasium: one file with reward and wrappers; "
            "mjlab, isaaclab: a package with its terms, ready for their train command; maniskill: a package with the "
            "environment; isaacgym: the task module "
            "--source with the reward put in.",
        ),
    ] = None,
    candidate: Annotated[str | None, typer.Option(help="Another candidate than the best, such as g02-c05.")] = None,
    output: Annotated[Path | None, typer.Option(help="Where a target's file or package goes.")] = None,
    env: Annotated[
        str | None,
        typer.Option(help="The run's environment again, for --to gymnasium, where it is a file or module:Class."),
    ] = None,
    task_dir: TaskDirs = None,
    task: Annotated[
        str | None, typer.Option(help="mjlab, isaaclab, maniskill: the task that gets it, if it is another.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="mjlab, isaaclab, maniskill: a file that gives State fields.")
    ] = None,
    source: Annotated[Path | None, typer.Option(help="isaacgym: the task module, such as ant.py.")] = None,
) -> None:
    """Write a reward as a standalone module, or for another environment.

    The module needs only torch, and compiles under torch.jit.script. The file of --to gymnasium needs torch, numpy,
    gymnasium and the environment's own mujoco (3.1 or newer); it reads the State as the task does, so a task of your
    own is given by --task-dir.
    """
    from eureka.app.export_targets import TARGETS, ExportRequest, export_to
    from eureka.app.exporting import export_run
    from eureka.app.own_runs import task_folders
    from eureka.store import RunStore

    given = {"--output": output, "--task": task, "--state": state, "--source": source, "--env": env}
    if to not in TARGETS:
        for option, value in given.items():
            if value is not None:
                targets = ", ".join(TARGETS)
                raise ConfigError(f"{option} is for a target of --to ({targets}): a module goes where --to FILE says")
    with RunStore.open(folder, read_only=True) as store:
        if to is not None and to in TARGETS:
            folders = task_folders(store, task_dir or [], os.environ) if to == "gymnasium" else ()
            request = ExportRequest(candidate, output, task, state, source, tuple(folders), env)
            for text in export_to(to, store, request):
                line(text)
            return
        text = export_run(store, candidate)
    if to is None:
        line(text.rstrip())
        return
    write_output(Path(to), text, "the module")
