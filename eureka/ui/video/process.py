"""The process that draws: it can be slow, stall or crash without anybody else noticing, and is started anew."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Timer
from types import TracebackType
from typing import Self

from eureka.core.errors import RenderingUnavailable, VideoError
from eureka.core.interpreter import module_command
from eureka.core.priority import last_words
from eureka.core.serialize import DecodeError, dumps, loads
from eureka.ui.video.film import FilmJob, Video
from eureka.ui.video.gl import drawing_environment

TIMEOUT_S = 1800.0


@dataclass(frozen=True)
class FilmRequest:
    """One line to the process that draws: a policy, and the path of the mp4."""

    job: FilmJob
    to: str


@dataclass(frozen=True)
class FilmReply:
    """Its answer, one line as well: the video, or why there is none; `can_draw` is false where there can be no other
    either."""

    video: Video | None
    error: str = ""
    can_draw: bool = True


class FilmProcess:
    """A child process that films one policy after the other. It is started at the first, and anew after its end.

    Args:
        environment: environment variables, of which the child is given what it needs to draw and no keys.
        niceness: 19 for the lowest priority, so that trainings go first.
        timeout_s: how long one film may take.

    Attributes:
        scratch: a folder for what is filmed, which is deleted in the end.
        is_closed: whether it was ended; nothing is filmed any more.
    """

    def __init__(self, environment: Mapping[str, str], *, niceness: int = 0, timeout_s: float = TIMEOUT_S) -> None:
        self.is_closed = False
        self._scratch = tempfile.TemporaryDirectory(prefix="eureka-films-")
        self.scratch = Path(self._scratch.name)
        self._said = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 (it lives as long as this)
        self._environment = drawing_environment(environment)
        self._niceness = niceness
        self._timeout_s = timeout_s
        self._child: subprocess.Popen[str] | None = None
        self._lock = Lock()

    def film(self, job: FilmJob, to: Path) -> Video:
        """Film `job` into the mp4 `to`, with a poster frame `to.with_suffix(".jpg")`; waits until it is done.

        Raises:
            RenderingUnavailable: nothing on this machine can draw.
            VideoError: anything else that went wrong. Neither file is then there, or both are as they were.
        """
        child = self._child or self._start()
        assert child.stdin is not None
        assert child.stdout is not None
        is_late = Event()
        timer = Timer(self._timeout_s, _give_up, (child, is_late))
        timer.start()
        try:
            # A child that has ended may have said something before.
            with suppress(BrokenPipeError):
                child.stdin.write(f"{dumps(FilmRequest(job, str(to.resolve())))}\n")
                child.stdin.flush()
            line = child.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            _end(child)
            self._child = None
            if is_late.is_set():
                raise VideoError(f"the video was not finished within {self._timeout_s:.0f} s, so it was given up")
            self._said.seek(0)
            raise VideoError(f"the video cannot be made: {last_words(child.returncode, self._said.read())}")
        try:
            reply = loads(FilmReply, line)
        except DecodeError as error:
            raise VideoError(f"the process that films said nothing that can be read: {error}") from error
        if not reply.can_draw:
            raise RenderingUnavailable(reply.error)
        if reply.video is None:
            raise VideoError(f"the video cannot be made: {reply.error}")
        return reply.video

    def _start(self) -> subprocess.Popen[str]:
        self._said.seek(0)
        self._said.truncate()
        with self._lock:
            if self.is_closed:
                raise VideoError("the video cannot be made: filming was ended")
            try:
                self._child = subprocess.Popen(
                    module_command("eureka.ui.video", str(self._niceness)),
                    env=self._environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._said,
                    text=True,
                    cwd=self.scratch,
                    # Out of reach of the terminal's Ctrl-C, and with a priority of its own as a session.
                    start_new_session=True,
                )
            except OSError as error:
                raise RenderingUnavailable(f"the process that films cannot be started: {error}") from error
        return self._child

    def close(self) -> None:
        """End the child, whatever it does. Another thread that waits for a film is told that there is none."""
        with self._lock:
            self.is_closed = True
            if self._child is not None:
                _kill(self._child)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if self._child is not None:
            _end(self._child)
        self._said.close()
        self._scratch.cleanup()


def _give_up(child: subprocess.Popen[str], is_late: Event) -> None:
    is_late.set()
    _kill(child)


def _kill(child: subprocess.Popen[str]) -> None:
    """Kill a child with those that it started to try out OpenGL."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _end(child: subprocess.Popen[str]) -> None:
    _kill(child)
    child.wait()
    for pipe in (child.stdin, child.stdout):
        with suppress(BrokenPipeError):
            pipe.close()  # type: ignore[union-attr]
