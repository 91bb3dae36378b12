"""The process that renders films. If it stalls or a driver crashes it, one film is lost, and the next one restarts
it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Timer
from typing import Self

from eureka.core.errors import RenderingUnavailable, VideoError
from eureka.core.processes import Child, module_command
from eureka.core.serialize import DecodeError, dumps, loads
from eureka.ui.video.film import FilmJob, Video
from eureka.ui.video.gl import drawing_environment

TIMEOUT_S = 1800.0
END_S = 5.0
"""Seconds that a child may take to end after closing its output."""


@dataclass(frozen=True)
class FilmRequest:
    """A request to the process, as one line of JSON: a policy, and the path of the mp4."""

    job: FilmJob
    to: str


@dataclass(frozen=True)
class FilmReply:
    """The reply of the process, as one line of JSON: the video, or the error.

    `can_draw` is False if nothing can be rendered on this machine, so that further requests are pointless.
    """

    video: Video | None
    error: str = ""
    can_draw: bool = True


class FilmProcess:
    """A child process that films one policy after another. It starts with the first film, and again after it has died.

    Args:
        environment: environment variables, of which the child gets only those needed for rendering, and no keys.
        niceness: 19 for the lowest priority, so that trainings take precedence.
        timeout_s: time limit in seconds of one film.

    Attributes:
        scratch: a temporary folder for finished films; deleted at the end.
        is_closed: whether `end` was called; every later film fails.
    """

    def __init__(self, environment: Mapping[str, str], *, niceness: int = 0, timeout_s: float = TIMEOUT_S) -> None:
        self.is_closed = False
        self._scratch = tempfile.TemporaryDirectory(prefix="eureka-films-")
        self.scratch = Path(self._scratch.name)
        self._environment = drawing_environment(environment)
        self._niceness = niceness
        self._timeout_s = timeout_s
        self._child: Child | None = None
        self._lock = Lock()

    def film(self, job: FilmJob, to: Path) -> Video:
        """Film `job` into the mp4 `to`, with a poster frame `to.with_suffix(".jpg")`; waits until it is done.

        Raises:
            RenderingUnavailable: rendering is not available on this machine.
            VideoError: any other failure. Then neither file is created or changed.
        """
        child = self._child or self._start()
        is_late = Event()
        timer = Timer(self._timeout_s, _give_up, (child, is_late))
        timer.start()
        try:
            # A child that has ended may have replied before.
            child.send(dumps(FilmRequest(job, str(to.resolve()))))
            line = child.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            child.wait(END_S)
            child.end()
            reason = child.reason()
            self._drop()
            if is_late.is_set():
                raise VideoError(f"the video was not finished within {self._timeout_s:.0f} s, so it was given up")
            raise VideoError(f"the video cannot be made: {reason}")
        try:
            reply = loads(FilmReply, line)
        except DecodeError as error:
            raise VideoError(f"the process that films said nothing that can be read: {error}") from error
        if not reply.can_draw:
            raise RenderingUnavailable(reply.error)
        if reply.video is None:
            raise VideoError(f"the video cannot be made: {reply.error}")
        return reply.video

    def _start(self) -> Child:
        command = module_command("eureka.ui.video", str(self._niceness))
        with self._lock:
            if self.is_closed:
                raise VideoError("the video cannot be made: filming was ended")
            try:
                self._child = Child(command, self._environment, folder=self.scratch, stdin=True, stdout=True)
            except OSError as error:
                raise RenderingUnavailable(f"the process that films cannot be started: {error}") from error
        return self._child

    def _drop(self) -> None:
        with self._lock:
            if self._child is not None:
                self._child.close()
            self._child = None

    def end(self) -> None:
        """Kill the child. A thread waiting in `film` gets a VideoError."""
        with self._lock:
            self.is_closed = True
            if self._child is not None:
                self._child.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.end()
        self._drop()
        self._scratch.cleanup()


def _give_up(child: Child, is_late: Event) -> None:
    is_late.set()
    child.end()
