"""The command line: `eureka run task=ant`, `eureka resume`, and the other commands in `eureka.app.commands`.

This and the commands are the composition root, and the only place that reads environment variables.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from eureka import __version__
from eureka.app.commands.common import app
from eureka.app.stopping import termination_interrupts
from eureka.core.errors import ConfigError, EurekaError
from eureka.proposers.keys import take_keys
from eureka.sandbox.private_process import private_process
from eureka.ui.console import choose_mode, error_line, line

COMMANDS = (
    "run",
    "init",
    "resume",
    "evaluate",
    "report",
    "compare",
    "table",
    "watch",
    "review",
    "export",
    "play",
    "check",
    "train",
    "tasks",
    "config",
    "doctor",
)
"""Modules of `eureka.app.commands`, in the order of `--help`."""
for _name in COMMANDS:
    import_module(f"eureka.app.commands.{_name}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 0, 1 for an error, 2 for bad input, 130 or 143 if stopped by a signal."""
    _open_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        # Text written by a model may have characters that the terminal's encoding lacks.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with private_process(), termination_interrupts():
            app(arguments)
    except ConfigError as error:
        error_line(str(error))
        sys.exit(2)
    except EurekaError as error:
        error_line(str(error))
        sys.exit(1)


def _open_standard_streams() -> None:
    """Open missing standard streams on the null device.

    Otherwise the next files opened would get their descriptors, and printed text would be written to these files.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free descriptor
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def _print_version(wanted: bool) -> None:
    if wanted:
        line(f"eureka {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Language models write reward functions; populations of policies show which ones work."""
    del version  # printed by the option's callback
    choose_mode()
    # Before any command imports heavy modules, some of which start programs of their own.
    context.obj = take_keys(os.environ)
