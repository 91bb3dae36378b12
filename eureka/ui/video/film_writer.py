"""Makes a run's films beside the run: in a process of its own with the lowest priority, so that no training waits."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from eureka.config import Films
from eureka.core.processes import LOWEST_PRIORITY, Child, module_command

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
        self._process: Child | None = None
        self._is_over = films is Films.none

    def start(self) -> None:
        """Have what is missing filmed; one that films already looks again."""
        if self._is_over:
            return
        if self._process is None:
            self._begin()
        elif not self._process.send(""):
            self._settle()

    def finish(self) -> None:
        """Have what is missing filmed, and wait for that, at most `WAIT_S` seconds and until the user interrupts."""
        self.start()
        if self._process is None or self._process.returncode is not None:
            self._settle()
            return
        self._tell(f"filming policies for the report (at most {WAIT_S:.0f} s)")
        self._process.close_stdin()
        with suppress(KeyboardInterrupt):
            self._process.wait(WAIT_S)
        if self._process.returncode is None:
            again = " ".join(f"--task-dir {shlex.quote(directory)}" for directory in self._task_dirs)
            command = f"eureka report {self._folder} --films {again}".rstrip()
            self._tell(f"the rest is not filmed: {command} does it, some seconds a policy")
        self._settle()

    def _begin(self) -> None:
        arguments = [str(self._folder.resolve()), self._films, str(LOWEST_PRIORITY), *self._task_dirs]
        command = module_command("eureka.ui.video.filming", *arguments)
        try:
            self._process = Child(command, self._environment, folder=self._folder, stdin=True)
        except OSError as error:
            self._fail(str(error))

    def _settle(self) -> None:
        """End the process where it still runs, else tell of its failure."""
        process, self._process = self._process, None
        self._is_over = True
        if process is None:
            return
        if process.returncode is None:
            process.end(END_S)
        elif process.returncode != 0:
            self._fail(process.reason())
        process.close()

    def _fail(self, reason: str) -> None:
        self._is_over = True
        self._tell(f"no films in the report: {reason}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._settle()


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
