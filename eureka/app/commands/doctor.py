"""Say what this machine has: `eureka doctor`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated

import typer

from eureka.app.commands.common import app
from eureka.proposers.keys import Key
from eureka.ui.console import line


@app.command()
def doctor(
    context: typer.Context,
    interpreters: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=PATH]...",
            help="Ask another Python too: mjlab.python=PATH, isaaclab.python=PATH, maniskill.python=PATH.",
        ),
    ] = None,
) -> None:
    """Say what this machine has.

    Versions, engine, GPU, the layers of confinement, and which API keys are set (never their values).
    """
    keys: Mapping[str, Key] = context.obj
    from eureka.app.doctor import ask_interpreters, diagnose

    asked = ask_interpreters(interpreters or [], os.environ)
    for text in diagnose({*os.environ, *(key.variable for key in keys.values())}, os.environ):
        line(text)
    for text in asked:
        line(text)
