"""Writes a run's report while it runs: in a process of its own at the lowest priority, so that no training waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from eureka.core.processes import Child, module_command

REPORT = "report.html"
"""The file's name in a run folder."""
LAST_WAIT_S = 300.0
"""Seconds that the end of a run waits for its last report."""


class ReportWriter:
    """Starts the writing of `report.html`. A failure is reported and does not affect the run.

    Leaving the context waits for a report that is being written; an interrupt ends it.

    Args:
        folder: the run's.
        environment: of the process; without keys.
        warn: is given what went wrong, in one line.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], warn: Callable[[str], None]) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._warn = warn
        self._process: Child | None = None

    def start(self, *, last: bool = False) -> None:
        """Begin a report of the run as it stands. While one is being written another is not begun.

        Args:
            last: the run waits for it, and trains nothing meanwhile, so it does not give way to other processes.
        """
        if self._process is not None:
            if self._process.returncode is None:
                return
            self._settle(self._process)
        command = module_command("eureka.ui.report", str(self._folder.resolve()), *(["--last"] if last else []))
        try:
            self._process = Child(command, self._environment, folder=self._folder)
        except OSError as error:
            self._warn(f"warning: the report was not written: {error}")

    def finish(self) -> bool:
        """Write the report of the run as it stands now, and wait for it; whether it is there."""
        if self._process is not None:
            self._settle(self._process)
        self.start(last=True)
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
        # A failed search gets its report; an interrupted one does not wait for it.
        if kind is not None and not issubclass(kind, Exception):
            self._process.close()
            return
        self._settle(self._process)


def update_report(folder: Path, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Write the report of a run as it stands now and say where it is. A failure is reported, not raised."""
    with ReportWriter(folder, environment, say) as writer:
        if writer.finish():
            say(f"report: {folder / REPORT}")
