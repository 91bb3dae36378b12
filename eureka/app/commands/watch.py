"""Serve the pages of runs: `eureka watch`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from eureka.app.commands.common import app
from eureka.ui.console import line


@app.command()
def watch(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run folder, or a folder of runs.")] = Path("outputs"),
    host: Annotated[str, typer.Option(help="The address to listen on.")] = ("127.0.0.1"),
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="8517 or a free one if not given.")] = None,
) -> None:
    """Serve the reports of runs as pages that follow them while they go on.

    It only reads, and can be started and stopped at any time.
    """
    from eureka.ui.web.server import serving

    with suppress(KeyboardInterrupt), serving(folder, host, port) as ready:
        line(f"watch it at {ready.address} (Ctrl-C ends this; runs are not affected)")
        ready.run()
