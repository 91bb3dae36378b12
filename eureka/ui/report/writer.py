"""Writes a run's report during the run, in a process of its own at the lowest priority, so that trainings are not
delayed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from eureka.core.processes import Child, module_command

REPORT = "report.html"
"""The file name in a run folder."""
LAST_WAIT_S = 120.0
"""Seconds that the end of a run waits for its last report."""


class ReportWriter:
    """Starts the writing of `report.html`. A failure is reported and does not affect the run.

    Leaving the context waits for a report in progress; an interrupt ends it.

    Args:
        folder: the run folder.
        environment: environment variables of the process; without keys.
        warn: called with one line on a failure.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], warn: Callable[[str], None]) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._warn = warn
        self._process: Child | None = None

    def start(self) -> None:
        """Start a report of the current state of the run, unless one is being written."""
        if self._process is not None:
            if self._process.returncode is None:
                return
            self._settle(self._process)
        command = module_command("eureka.ui.report", str(self._folder.resolve()))
        try:
            self._process = Child(command, self._environment, folder=self._folder)
        except OSError as error:
            self._warn(f"warning: the report was not written: {error}")

    def finish(self) -> bool:
        """Write a report of the current state of the run, and wait for it; returns whether it exists."""
        if self._process is not None:
            self._settle(self._process)
        self.start()
        return self._process is not None and self._settle(self._process)

    def _settle(self, process: Child) -> bool:
        """Wait for the process to end, and report a failure. Returns whether the report was written."""
        self._process = None
        with process:
            reason = process.reason() if process.wait(LAST_WAIT_S) else f"it took more than {LAST_WAIT_S:.0f} s"
            is_written = process.returncode == 0
        if not is_written:
            self._warn(f"warning: the report was not written: {reason}")
        return is_written

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        # A failed search gets its report; after an interrupt the user does not want to wait for it.
        if kind is not None and not issubclass(kind, Exception):
            self._process.close()
            return
        self._settle(self._process)


def update_report(folder: Path, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Write the report of the current state of a run and print its path. A failure is printed, not raised."""
    with ReportWriter(folder, environment, say) as writer:
        if writer.finish():
            say(f"report: {folder / REPORT}")
