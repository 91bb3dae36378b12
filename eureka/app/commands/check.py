"""Look at a reward function before it is trained with: `eureka check`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from eureka.app.commands.common import TaskDirs, app
from eureka.ui.console import say


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A Python file with a function compute_reward.")],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="task=NAME [KEY=VALUE]...")] = None,
    task_dir: TaskDirs = None,
) -> None:
    """Look at a reward function before anything is trained with it.

    For example: eureka check reward.py task=ant. The function takes State fields (see `eureka tasks ant`) and returns a
    total and named components, (num_envs,) each. It is traced in the sandbox, never imported. At its first use for a
    task a policy is trained with the task's own reward, to record what good and bad behaviour looks like; this is kept.
    Ends with 0 where the reward can be trained with, with 1 where that would be in vain.
    """
    from eureka.app.check_page import print_page
    from eureka.app.checking import check_file

    checked = check_file(file, overrides or [], task_dir or [], os.environ, say)
    print_page(checked)
    if not checked.is_usable:
        raise typer.Exit(1)
