"""Filming in a process of its own: it can be slow, stall or crash without anybody else noticing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from eureka.errors import VideoError
from eureka.serialize import DecodeError, dumps, loads
from eureka.video.gl import find_gl, gl_environment, last_words
from eureka.video.job import Video, VideoJob


def render_in_process(
    job: VideoJob,
    to: Path,
    environment: Mapping[str, str],
    *,
    gl: str | None = None,
    niceness: int = 0,
    timeout_s: float = 1800.0,
) -> Video:
    """Film `job` into the mp4 `to`, with a poster frame `to.with_suffix(".jpg")`; waits until it is done.

    Args:
        environment: environment variables, of which the child is given what it needs to draw and no keys.
        gl: what `find_gl` gave, where it was asked before.
        niceness: 19 for the lowest priority, so that trainings go first.
        timeout_s: the child is ended after that long.

    Raises:
        RenderingUnavailable: nothing on this machine can draw.
        VideoError: anything else that went wrong; neither file is then there, or both are as they were.
    """
    backend = gl or find_gl(environment)
    try:
        child = subprocess.run(
            [sys.executable, "-P", "-m", "eureka.video", str(to.resolve()), str(niceness)],
            env=gl_environment(environment, backend),
            input=dumps(job),
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
            cwd=to.resolve().parent,
        )
    except subprocess.TimeoutExpired as error:
        raise VideoError(f"{to}: the video was not finished within {timeout_s:.0f} s, so it was given up") from error
    except OSError as error:
        raise VideoError(f"{to}: the video cannot be made: {error}") from error
    if child.returncode != 0:
        raise VideoError(f"{to}: the video cannot be made: {last_words(child.returncode, child.stderr)}")
    try:
        return loads(Video, child.stdout)
    except DecodeError as error:
        raise VideoError(f"{to}: the child that films said nothing that can be read: {error}") from error
