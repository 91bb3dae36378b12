"""Write what a search of rewards starts from: `eureka init`."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from eureka.app.commands.common import app, write_output
from eureka.core.errors import ConfigError
from eureka.ui.console import line


@app.command()
def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The file is NAME.py, the task folder NAME.")],
    env: Annotated[
        str | None, typer.Option(metavar="ID", help="A Gymnasium environment: its id, package:ID, or module:Class.")
    ] = None,
    xml: Annotated[
        Path | None, typer.Option("--xml", metavar="FILE", help="A robot, as MuJoCo's MJCF or as URDF.")
    ] = None,
    from_env: Annotated[
        str | None, typer.Option("--from-env", metavar="ID", help="A MuJoCo environment of Gymnasium.")
    ] = None,
) -> None:
    """Write one file for a Gymnasium environment, or a task folder for a MuJoCo model, to edit.

    --env: the file has the sentence from the environment's page, the State by name, unit and range, and the metric.
    --xml, --from-env: the folder has the State from joints, bodies, sites and sensors, and a metric; it runs at once.
    """
    if [env, xml, from_env].count(None) != 2:
        raise ConfigError("init: give one of --env ID, --xml FILE and --from-env ID")
    stem = name.removesuffix(".py") if env is not None else name.rstrip("/")
    if not Path(stem).name.replace("-", "_").isidentifier():
        raise ConfigError(f"`{name}`: give a name of letters, digits and _, such as lander")
    if env is not None:
        _write_file(stem, env)
    else:
        _write_folder(Path(stem), xml, from_env)


def _write_file(stem: str, env: str) -> None:
    from eureka.trainers.gymnasium.template import environment_file

    path = Path(f"{stem}.py")
    if path.exists():
        raise ConfigError(f"{path}: there is such a file already; give another name, or remove it")
    written = environment_file(env, Path(stem).name, os.getcwd())
    write_output(path, written.text, "the file")
    line(f"sentence, to be confirmed: {written.sentence or 'none is known: write it'}")
    line(f"State: {', '.join(field.name for field in written.fields)}")
    info = ", ".join(f"{key} ({value})" for key, value in written.info.items())
    line(f"info in random episodes: {info or 'no numbers'}")
    line(f"look it over, then: eureka run env={shlex.quote(str(path))}")


def _write_folder(folder: Path, xml: Path | None, from_env: str | None) -> None:
    from eureka.tasks.writing import TaskSource, write_task

    if xml is not None:
        source = TaskSource(xml)
    else:
        from eureka.trainers.gymnasium.as_task import task_source

        assert from_env is not None
        source = task_source(from_env, os.getcwd())
    written = write_task(folder, source)
    line(f"wrote {folder}/task.yaml and {folder}/env.py")
    line(f"sentence, to be confirmed: {written.sentence}")
    line(f"State: {', '.join(written.fields)}")
    line(f"metric, to be confirmed: {written.metric}")
    if from_env is not None:
        line(f"the reward of {from_env} is Python and stays there: write yours as `human_reward`")
    where = shlex.quote(str(folder))
    line(f"look it over, then: eureka run task={shlex.quote(folder.name)} --task-dir {where}")
