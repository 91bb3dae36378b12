"""Filming in a process of its own: it can be slow, stall or crash without anybody else noticing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Event, Timer
from types import TracebackType
from typing import Self

from eureka.core.errors import VideoError
from eureka.core.processes import Child, module_command
from eureka.core.serialize import DecodeError, dumps, loads
from eureka.ui.video.gl import find_gl, gl_environment
from eureka.ui.video.job import Shot, Video, VideoJob, Wrap

TIMEOUT_S = 1800.0


class Studio:
    """A child process that films one policy after the other, so that its libraries are loaded once.

    Args:
        environment: environment variables, of which the child is given what it needs to draw and no keys.
        folder: where the child works; it exists.
        gl: what `find_gl` gave.
        niceness: 19 for the lowest priority, so that trainings go first.

    Raises:
        VideoError: the child cannot be started.
    """

    def __init__(self, environment: Mapping[str, str], folder: Path, *, gl: str, niceness: int = 0) -> None:
        command = module_command("eureka.ui.video", str(niceness))
        variables = gl_environment(environment, gl)
        try:
            self._child = Child(command, variables, folder=folder, stdin=True, stdout=True, own_session=False)
        except OSError as error:
            raise VideoError(f"the video cannot be made: {error}") from error

    def film(self, job: VideoJob, to: Path, *, timeout_s: float = TIMEOUT_S) -> Video:
        """Film `job` into the mp4 `to`, with a poster frame `to.with_suffix(".jpg")`; waits until it is done.

        Raises:
            VideoError: it went wrong; neither file is then there, or both are as they were. Where the child itself
                ended, as after `timeout_s`, all that follows fails too.
        """
        is_late = Event()
        timer = Timer(timeout_s, self._give_up, (is_late,))
        timer.start()
        try:
            # A child that has ended may have said something before.
            self._child.send(dumps(Shot(job, str(to.resolve()))))
            reply = self._child.stdout.readline()
        finally:
            timer.cancel()
        if not reply:
            self._child.wait()
            if is_late.is_set():
                raise VideoError(f"{to}: the video was not finished within {timeout_s:.0f} s, so it was given up")
            raise VideoError(f"{to}: the video cannot be made: {self._child.reason()}")
        try:
            wrap = loads(Wrap, reply)
        except DecodeError as error:
            raise VideoError(f"{to}: the child that films said nothing that can be read: {error}") from error
        if wrap.video is None:
            raise VideoError(f"{to}: the video cannot be made: {wrap.error}")
        return wrap.video

    def _give_up(self, is_late: Event) -> None:
        is_late.set()
        self._child.end()

    def close(self) -> None:
        """End the child, also one that has not come to its end."""
        self._child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def render_in_process(
    job: VideoJob,
    to: Path,
    environment: Mapping[str, str],
    *,
    gl: str | None = None,
    niceness: int = 0,
    timeout_s: float = TIMEOUT_S,
) -> Video:
    """Film `job` into the mp4 `to` in a `Studio` of its own.

    Args:
        gl: what `find_gl` gave, where it was asked before.

    Raises:
        RenderingUnavailable: nothing on this machine can draw.
        VideoError: anything else that went wrong; neither file is then there, or both are as they were.
    """
    with Studio(environment, to.resolve().parent, gl=gl or find_gl(environment), niceness=niceness) as studio:
        return studio.film(job, to, timeout_s=timeout_s)
