"""`eureka run --watch`: the page of a run, served by a process of its own beside it, so that no training waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from eureka.core.processes import Child, module_command

STOP_S = 20.0
"""How long the server may take to show the run's end to those who look, and to end itself."""


@contextmanager
def watched(folder: Path, environment: Mapping[str, str], tell: Callable[[str], None]) -> Iterator[None]:
    """Serve the page of the run in `folder` while the context lasts; a failure is told, and goes no further.

    Args:
        environment: of the process; without keys.
        tell: is told the page's address as soon as it can be opened.
    """
    command = module_command("eureka.ui.web", str(folder.resolve()))
    with Child(command, environment, stdin=True, stdout=True) as server:
        teller = Thread(target=_tell_address, args=(server, folder, tell), name="eureka-watch", daemon=True)
        teller.start()
        try:
            yield
        finally:
            server.close_stdin()
            server.wait(STOP_S)
            server.end()
            teller.join()


def _tell_address(server: Child, folder: Path, tell: Callable[[str], None]) -> None:
    address = server.stdout.readline().strip()
    if address:
        tell(f"watch it at {address} (while the run goes on; then by `eureka watch {folder}`)")
    elif server.wait() and (said := server.last_line()):
        tell(f"warning: the page is not served: {said}")
