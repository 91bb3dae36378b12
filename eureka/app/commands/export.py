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
    to: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|TARGET",
            help="Write the module there instead of printing it; or mjlab, isaaclab: a package with its terms, ready "
            "for their train command; isaacgym: the task module --source with the reward put in.",
        ),
    ] = None,
    candidate: Annotated[str | None, typer.Option(help="Another candidate than the best, such as g02-c05.")] = None,
    output: Annotated[Path | None, typer.Option(help="Where a target's package or module goes.")] = None,
    task: Annotated[str | None, typer.Option(help="The task that gets the reward, where it is another.")] = None,
    state: Annotated[Path | None, typer.Option(help="A file that gives State fields: see docs/mjlab.md.")] = None,
    source: Annotated[Path | None, typer.Option(help="The task module for isaacgym, such as ant.py.")] = None,
) -> None:
    """Write a reward as a standalone module, or for another simulator.

    The module needs only torch, and compiles under torch.jit.script.
    """
    from eureka.app.export_targets import TARGETS, ExportRequest, export_to
    from eureka.app.exporting import export_run
    from eureka.core.errors import ConfigError
    from eureka.store import RunStore

    given = {"--output": output, "--task": task, "--state": state, "--source": source}
    if to not in TARGETS:
        for option, value in given.items():
            if value is not None:
                raise ConfigError(f"{option} is for a target, as in --to {' or '.join(TARGETS)}")
    with RunStore.open(folder, read_only=True) as store:
        if to is not None and to in TARGETS:
            for text in export_to(to, store, ExportRequest(candidate, output, task, state, source)):
                line(text)
            return
        text = export_run(store, candidate)
    if to is None:
        line(text.rstrip())
        return
    write_output(Path(to), text, "the module")
