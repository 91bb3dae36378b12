"""Train one reward: `eureka train`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from eureka.app.commands.common import AsJson, Quiet, TaskDirs, app
from eureka.ui.console import choose_mode


@app.command()
def train(
    overrides: Annotated[list[str] | None, typer.Argument(metavar="reward=human|metric|FILE [KEY=VALUE]...")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings, with seeds from seed= on.")] = 3,
    film: Annotated[bool, typer.Option(help="Film the training of median score.")] = True,
    task_dir: TaskDirs = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train one reward, before or after any search.

    For example: eureka train task=ant reward=human --seeds 3. Check so that a task can be learned, and what its own
    reward scores, before anything is searched. A FILE with compute_reward is traced in the sandbox, never imported.
    It prints scores and curves; policies, curves.csv and a film stay in outputs/TASK/train_DATE_TIME.
    """
    choose_mode(quiet, as_json)
    from eureka.app.training import train_reward

    try:
        train_reward(overrides or [], seeds, task_dir or [], os.environ, filmed=film)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
