"""Say what this machine has: `eureka doctor`."""

from __future__ import annotations

import os

from eureka.app.commands.common import app
from eureka.proposers.keys import take_keys
from eureka.ui.console import line


@app.command()
def doctor() -> None:
    """Say what this machine has.

    Versions, engine, GPU, the layers of confinement, and which API keys are set (never their values).
    """
    set_names = frozenset(os.environ)
    take_keys(os.environ)
    from eureka.app.doctor import diagnose

    for text in diagnose(set_names, os.environ):
        line(text)
