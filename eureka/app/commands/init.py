"""Write what a search of rewards starts from: `eureka init`."""

from __future__ import annotations

import difflib
import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eureka.app.commands.common import app, write_output
from eureka.core.errors import ConfigError
from eureka.proposers.keys import Key
from eureka.ui.console import line

if TYPE_CHECKING:
    from eureka.trainers.gymnasium.template import WrittenFile


@app.command()
def init(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The file is NAME.py, the task folder NAME.")],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[llm=PROVIDER llm.KEY=VALUE]...")] = None,
    env: Annotated[
        str | None, typer.Option(metavar="ID", help="A Gymnasium environment: its id, package:ID, or module:Class.")
    ] = None,
    xml: Annotated[Path | None, typer.Option("--xml", metavar="FILE", help="A robot, as MuJoCo's MJCF.")] = None,
    from_env: Annotated[
        str | None, typer.Option("--from-env", metavar="ID", help="A MuJoCo environment of Gymnasium.")
    ] = None,
    llm: Annotated[
        bool, typer.Option("--llm", help="With --env: a language model names the State, shown as a diff for a yes.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --llm: take its names without asking.")] = False,
) -> None:
    """Write one file for a Gymnasium environment, or a task folder for a MuJoCo model, to edit.

    --env: the file has the sentence from the environment's page, the State by name, unit and range, and the metric.
    --xml, --from-env: the folder has the State from joints, bodies, sites and sensors, and a metric; it runs at once.
    """
    if [env, xml, from_env].count(None) != 2:
        raise ConfigError("init: give one of --env ID, --xml FILE and --from-env ID")
    if overrides and not llm:
        raise ConfigError(f"init: `{overrides[0]}` says which language model names the State: add --llm")
    if llm and env is None:
        raise ConfigError("init: --llm names the State of an environment that is given with --env")
    stem = name.rstrip("/").removesuffix(".py" if env is not None else "")
    if not Path(stem).name.replace("-", "_").isidentifier():
        raise ConfigError(f"`{name}`: give a name of letters, digits and _, such as lander")
    if env is not None:
        _write_file(stem, env, _Naming(overrides or [], context.obj, yes) if llm else None)
    else:
        _write_folder(Path(stem), xml, from_env)


@dataclass(frozen=True)
class _Naming:
    """Options for naming the State by a language model: the model, the keys, and whether to accept its names without
    asking.
    """

    overrides: list[str]
    keys: Mapping[str, Key]
    yes: bool


def _write_file(stem: str, env: str, naming: _Naming | None) -> None:
    from eureka.trainers.gymnasium.template import environment_file

    path = Path(f"{stem}.py")
    if path.exists():
        raise ConfigError(f"{path}: there is such a file already; give another name, or remove it")
    written = environment_file(env, Path(stem).name, os.getcwd())
    if naming is not None:
        written = _named(written, path, env, naming)
    write_output(path, written.text, "the file")
    line(f"sentence, to be confirmed: {written.sentence or 'none is known: write it'}")
    line(f"State: {', '.join(field.name for field in written.fields)}")
    info = ", ".join(f"{key} ({value})" for key, value in written.info.items())
    line(f"info in random episodes: {info or 'no numbers'}")
    line(f"look it over, then: eureka run env={shlex.quote(str(path))}")


def _named(written: WrittenFile, path: Path, env: str, naming: _Naming) -> WrittenFile:
    """The file with a language model's names if the user accepts them; otherwise unchanged."""
    from eureka.app.naming import named_by, naming_model
    from eureka.trainers.gymnasium.template import environment_file

    if not naming.yes and not sys.stdin.isatty():
        raise ConfigError("--llm asks at the terminal whether its names are taken: add --yes to take them unasked")
    proposer = naming_model(env, naming.overrides, os.environ, naming.keys)
    named = environment_file(env, path.stem, os.getcwd(), named_by(proposer, written.fields, written.page))
    before, after = (text.splitlines() for text in (written.text, named.text))
    changes = list(
        difflib.unified_diff(before, after, "from page and spaces", "by the language model", lineterm="", n=0)
    )
    for change in changes or ["the language model has no better names"]:
        line(change)
    if not changes or not (naming.yes or typer.confirm("take these names?")):
        return written
    return named


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
