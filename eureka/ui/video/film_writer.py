"""Makes a run's films beside the run: in a process of its own with the lowest priority, so that no training waits."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from eureka.config import Films
from eureka.core.interpreter import module_command
from eureka.core.priority import LOWEST_PRIORITY, last_words

WAIT_S = 10.0
"""How long the end of a run waits for films; those that are missing then can be made at any time."""
END_S = 5.0
"""How long a process that is told to end may take."""


class FilmWriter:
    """Has the films of a run made; a failure is told once and goes no further.

    As a context it ends the filming, wherever it is then.

    Args:
        folder: the run's.
        films: which of them.
        environment: of the process; without keys.
        tell: is told what goes on, in one line.
        task_dirs: where else to look for the task.
    """

    def __init__(
        self,
        folder: Path,
        films: Films,
        environment: Mapping[str, str],
        tell: Callable[[str], None],
        task_dirs: Sequence[Path] = (),
    ) -> None:
        self._folder = folder
        self._films = films
        self._environment = dict(environment)
        self._tell = tell
        self._task_dirs = [str(directory.resolve()) for directory in task_dirs]
        self._process: subprocess.Popen[bytes] | None = None
        self._is_over = films is Films.none
        self._said = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 (it lives as long as this)

    def start(self) -> None:
        """Have what is missing filmed; one that films already looks again."""
        if self._is_over:
            return
        if self._process is None:
            self._begin()
            return
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self._settle()

    def finish(self) -> None:
        """Have what is missing filmed, and wait for that, at most `WAIT_S` seconds and until the user interrupts."""
        self.start()
        if self._process is None or self._process.poll() is not None:
            self._settle()
            return
        assert self._process.stdin is not None
        self._tell(f"filming policies for the report (at most {WAIT_S:.0f} s)")
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            self._process.wait(WAIT_S)
        if self._process.poll() is None:
            again = " ".join(f"--task-dir {shlex.quote(directory)}" for directory in self._task_dirs)
            command = f"eureka report {self._folder} --films {again}".rstrip()
            self._tell(f"the rest is not filmed: {command} does it, some seconds a policy")
        self._settle()

    def _begin(self) -> None:
        program = module_command("eureka.ui.video.filming", str(self._folder.resolve()), self._films)
        try:
            self._process = subprocess.Popen(
                [*program, str(LOWEST_PRIORITY), *self._task_dirs],
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                # Out of reach of the terminal's Ctrl-C, and with a priority of its own as a session.
                start_new_session=True,
            )
        except OSError as error:
            self._fail(str(error))

    def _settle(self) -> None:
        """End the process where it still runs, else tell of its failure."""
        process, self._process = self._process, None
        self._is_over = True
        if process is None:
            return
        if process.poll() is None:
            _end(process)
        elif process.returncode != 0:
            self._said.seek(0)
            self._fail(last_words(process.returncode, self._said.read()))
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.close()

    def _fail(self, reason: str) -> None:
        self._is_over = True
        self._tell(f"no films in the report: {reason}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._settle()
        self._said.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process with its children, after a moment to leave nothing behind."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def update_films(
    folder: Path,
    films: Films,
    environment: Mapping[str, str],
    tell: Callable[[str], None],
    task_dirs: Sequence[Path] = (),
) -> None:
    """Make the films that a run lacks as it stands now, for at most `WAIT_S` seconds."""
    with FilmWriter(folder, films, environment, tell, task_dirs) as writer:
        writer.finish()
