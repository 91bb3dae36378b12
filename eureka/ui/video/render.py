"""Renders a policy to an mp4. This needs an OpenGL, so it is best done in a child process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from eureka.config import PhysicsChoice
from eureka.core.pictures import Look, RenderedFrame
from eureka.ui.video.encode import Mp4Writer, save_poster, write_lines
from eureka.ui.video.film import FilmedEpisode, FilmJob, Video

HOLD_S = 0.5
"""Seconds for which the last picture of an episode is held, so that its end can be seen."""

POSTER_S = 1.0
"""Simulated time of the poster frame: not the start, which is the same for every policy."""


def film_policy(job: FilmJob, to: Path) -> Video:
    """Film `job` into the mp4 `to`, with a poster frame `to.with_suffix(".jpg")`.

    Renders in this process with the OpenGL that the environment variable MUJOCO_GL named before mujoco was imported;
    `eureka.ui.video.process.FilmProcess` does this in a child.

    Raises:
        VideoError: rendering is not available, the policy is of another task, or a file cannot be written.
        TaskError: the task does not exist or cannot be used.
    """
    # One world is stepped on the CPU, wherever the policy was trained.
    config = replace(job.config, physics=PhysicsChoice.c)
    if job.folder:
        sys.path.append(job.folder)
    # Imported here, since reading a report needs no trainer and none of its libraries.
    from eureka.trainers.registry import make_trainer

    with closing(make_trainer(config, [Path(folder) for folder in job.task_dirs], os.environ)) as trainer:
        spec = trainer.spec
        unit = spec.unit if spec.has_metric else None
        return write_film(trainer.render(job.policy, job.look, job.graph), to, job.look, spec.control_step_s, unit)


def write_film(
    frames: Iterator[RenderedFrame], to: Path, look: Look, control_step_s: float, unit: str | None = None
) -> Video:
    """Write the episodes that `frames` shows, and the poster.

    Args:
        control_step_s: simulated seconds of a control step.
        unit: unit of the task metric; None: an overlay shows no metric.

    Raises:
        VideoError: a file cannot be written, or the pictures cannot be encoded.
    """
    every = look.steps_between(control_step_s)
    fps = Fraction(1 / (control_step_s * every)).limit_denominator(1000)
    episodes: list[FilmedEpisode] = []
    poster = None
    with ExitStack() as open_files:
        writer = None
        for frame in frames:
            height, width = (side - side % 2 for side in frame.picture.shape[:2])
            if writer is None:
                writer = open_files.enter_context(Mp4Writer(to, width, height, fps, look.crf))
            picture = frame.picture[:height, :width]
            if look.overlay:
                picture = write_lines(picture, _lines(frame, len(episodes) + 1, look, control_step_s, unit))
            if poster is None and (frame.ended or frame.step * control_step_s >= POSTER_S):
                poster = picture
            for _ in range(1 + bool(frame.ended) * round(HOLD_S * fps)):
                writer.add(picture)
            if frame.ended:
                episodes.append(
                    FilmedEpisode(frame.step, frame.step * control_step_s, frame.metric or 0.0, frame.ended)
                )
        assert writer is not None
        assert poster is not None
        poster_path = to.with_suffix(".jpg")
        save_poster(poster, poster_path)
    return Video(str(to), str(poster_path), writer.frames, float(fps), tuple(episodes))


def _lines(frame: RenderedFrame, number: int, look: Look, control_step_s: float, unit: str | None) -> tuple[str, ...]:
    """The lines of an overlay."""
    lines = [f"episode {number}"] if look.episodes > 1 else []
    lines.append(f"step {frame.step}, {frame.step * control_step_s:.1f} s")
    if frame.metric is not None and unit is not None:
        lines.append(f"metric {frame.metric:.3g} {unit}")
    return (*lines, *frame.lines)
