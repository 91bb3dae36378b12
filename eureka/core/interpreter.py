"""The Python that child processes run. Imports nothing heavy."""

from __future__ import annotations

import os
import sys


def python() -> str:
    """This interpreter, by an absolute path: found through a relative PATH it has a relative one, and children of ours
    run in folders of their own."""
    return os.path.abspath(sys.executable)


def module_command(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module, with no unsafe folder on its import path (`-P`)."""
    return [python(), "-P", "-m", module, *arguments]
