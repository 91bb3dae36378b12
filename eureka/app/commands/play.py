"""Write a video of a policy: `eureka play`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from eureka.app.commands.common import RunFolder, TaskDirs, app
from eureka.ui.console import line


@app.command()
def play(
    folder: RunFolder,
    candidate: Annotated[
        str, typer.Option(help="Whose policy: the best reward's, a candidate's such as g02-c05, or human or sparse.")
    ] = "best",
    to: Annotated[Path | None, typer.Option(help="Write the mp4 there instead of into the run folder.")] = None,
    episodes: Annotated[int, typer.Option(min=1, help="Episodes, each from another start state.")] = 1,
    seconds: Annotated[float, typer.Option(min=0.1, help="Of each episode at most that much simulated time.")] = 20.0,
    size: Annotated[str, typer.Option(help="Width and height of the picture.")] = "480x360",
    fps: Annotated[int, typer.Option(min=1, max=120, help="Frames a second, at most.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the start states.")] = 0,
    camera: Annotated[str | None, typer.Option(help="A camera of the model, by its name.")] = None,
    shadows: Annotated[bool, typer.Option("--shadows", help="Draw shadows and reflections: much slower.")] = False,
    overlay: Annotated[bool, typer.Option("--overlay", help="Write time, metric, reward and command.")] = False,
    task_dir: TaskDirs = None,
) -> None:
    """Write a video of a trained policy.

    An mp4 at the speed of the simulated time, with a poster frame beside it. It needs no screen: EGL or OSMesa is
    found by itself (`eureka doctor` says what to install).
    """
    from eureka.app.play import describe, film, parse_size
    from eureka.core.pictures import Look
    from eureka.store import RunStore

    width, height = parse_size(size)
    look = Look(
        episodes=episodes,
        seed=seed,
        max_seconds=seconds,
        width=width,
        height=height,
        fps=fps,
        camera=camera,
        shadows=shadows,
        overlay=overlay,
    )
    with RunStore.open(folder, read_only=True) as store:
        filmed = film(store, candidate, look, os.environ, to=to, task_dirs=task_dir or [])
    for text in describe(filmed):
        line(text)
