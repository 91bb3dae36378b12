"""One table of several searches: `eureka table`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eureka.app.commands.common import RunFolders, app, write_output
from eureka.core.errors import StoreError
from eureka.ui.console import print_table


@app.command()
def table(
    folders: RunFolders,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write unrounded figures there, a line a task.")] = None,
    latex: Annotated[Path | None, typer.Option("--latex", help="Write a LaTeX tabular there (booktabs).")] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write the rows there with all figures.")] = None,
) -> None:
    """Aggregate searches: a row a task, over all of its runs.

    The best reward of each run, as its final comparison re-trained it, against the human-written one. Intervals
    resample searches, then seeds.
    """
    from eureka.evaluation.search_table import as_csv, as_json, as_latex, text_table
    from eureka.evaluation.searches import read_search, task_rows
    from eureka.store import runs_in

    found = {folder: read_search(folder) for folder in runs_in(folders)}
    rows = task_rows(run for run in found.values() if run is not None)
    without = [folder for folder, run in found.items() if run is None]
    if not rows:
        raise StoreError(f"{', '.join(map(str, without))}: no run has a comparison; `eureka evaluate DIR` makes one")
    shown = text_table(rows, without)
    print_table(shown.title, shown.header, shown.rows, shown.notes)
    for path, text in ((csv, as_csv(rows)), (latex, as_latex(rows)), (json, as_json(rows))):
        if path is not None:
            write_output(path, text, "the table")
