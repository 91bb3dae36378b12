"""List the tasks, or show one: `eureka tasks`."""

from __future__ import annotations

from typing import Annotated

import typer

from eureka.app.commands.common import TaskDirs, app
from eureka.ui.console import paragraph, row


@app.command()
def tasks(
    name: Annotated[str | None, typer.Argument(help="Show this task with the table of its State.")] = None,
    task_dir: TaskDirs = None,
) -> None:
    """List the tasks, or show one."""
    from eureka.tasks import find_tasks, load_task
    from eureka.tasks.describe import describe, overview
    from eureka.tasks.info import read_info

    task_dirs = task_dir or []
    if name is None:
        infos = [read_info(path) for path in find_tasks(task_dirs).values()]
        for text in overview(infos):
            row(text)
        return
    for text in describe(load_task(name, task_dirs)):
        paragraph(text)
