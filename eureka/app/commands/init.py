"""Write the file of an environment: `eureka init`."""

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
    name: Annotated[str, typer.Argument(metavar="NAME", help="The file is NAME.py in the current folder.")],
    env: Annotated[
        str, typer.Option(metavar="ID", help="A Gymnasium environment: its id, package:ID, or module:Class.")
    ],
) -> None:
    """Write one file for a Gymnasium environment, to edit.

    It has the sentence from the environment's page, the State by name, unit and range, and the metric. Then: eureka run
    env=NAME.py
    """
    from eureka.trainers.gymnasium.template import environment_file

    stem = name.removesuffix(".py")
    if not Path(stem).name.replace("-", "_").isidentifier():
        raise ConfigError(f"`{name}`: give a name of letters, digits and _, such as lander")
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
