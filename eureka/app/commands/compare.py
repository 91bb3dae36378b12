"""Write a page of several runs: `eureka compare`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from eureka.app.commands.common import RunFolders, app, write_output


@app.command()
def compare(
    folders: RunFolders,
    to: Annotated[Path, typer.Option(help="The page to write.")] = Path("comparison.html"),
) -> None:
    """Write a page that shows several runs side by side."""
    from eureka.store import RunStore, runs_in
    from eureka.ui.report import render_comparison

    with ExitStack() as opened:
        stores = [opened.enter_context(RunStore.open(folder, read_only=True)) for folder in runs_in(folders)]
        page = render_comparison(stores)
    write_output(to, page, "the comparison")
