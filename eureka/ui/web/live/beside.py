"""`eureka run --watch`: the page of a run, served by a process of its own beside it, so that no training waits."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import IO

from eureka.core.interpreter import module_command

STOP_S = 20.0
"""How long the server may take to show the run's end to those who look, and to end itself."""


@contextmanager
def watched(folder: Path, environment: Mapping[str, str], tell: Callable[[str], None]) -> Iterator[None]:
    """Serve the page of the run in `folder` while the context lasts; a failure is told, and goes no further.

    Args:
        environment: of the process; without keys.
        tell: is told the page's address as soon as it can be opened.
    """
    process = subprocess.Popen(
        module_command("eureka.ui.web.live", str(folder.resolve())),
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    told = (process.stdout, process.stderr, folder, tell)
    teller = Thread(target=_tell_address, args=told, name="eureka-watch", daemon=True)
    teller.start()
    try:
        yield
    finally:
        process.stdin.close()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        teller.join()
        process.stdout.close()
        process.stderr.close()


def _tell_address(stdout: IO[str], stderr: IO[str], folder: Path, tell: Callable[[str], None]) -> None:
    address = stdout.readline().strip()
    if address:
        tell(f"watch it at {address} (while the run goes on; then by `eureka watch {folder}`)")
    elif reason := stderr.read().strip().splitlines():
        tell(f"warning: the page is not served: {reason[-1]}")
