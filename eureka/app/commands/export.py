"""Write a reward as a module: `eureka export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eureka.app.commands.common import RunFolder, app, write_output
from eureka.ui.console import line


@app.command()
def export(
    folder: RunFolder,
    to: Annotated[Path | None, typer.Option(help="Write the module there instead of printing it.")] = None,
    candidate: Annotated[str | None, typer.Option(help="Another candidate than the best, such as g02-c05.")] = None,
) -> None:
    """Write a reward as a standalone module.

    It needs only torch, and compiles under torch.jit.script.
    """
    from eureka.app.exporting import export_run
    from eureka.store import RunStore

    with RunStore.open(folder, read_only=True) as store:
        text = export_run(store, candidate)
    if to is None:
        line(text.rstrip())
        return
    write_output(to, text, "the module")
