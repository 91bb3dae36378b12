"""`eureka run --watch`: serves the run's page in a separate process, so that trainings are not delayed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from eureka.core.processes import Child, module_command

STOP_S = 20.0
"""Seconds for the server to show the run's end on open pages, and to stop."""


@contextmanager
def live_page(folder: Path, environment: Mapping[str, str], say: Callable[[str], None]) -> Iterator[None]:
    """Serve the page of the run in `folder` within the context. A failure is reported and does not affect the run.

    Args:
        environment: environment variables of the process; without keys.
        say: called with the page's address as soon as it can be opened, or with the error.
    """
    command = module_command("eureka.ui.web", str(folder.resolve()))
    with Child(command, environment, stdin=True, stdout=True) as server:
        announcer = Thread(target=_announce_address, args=(server, folder, say), name="eureka-watch", daemon=True)
        announcer.start()
        try:
            yield
        finally:
            server.close_stdin()
            server.wait(STOP_S)
            server.end()
            announcer.join()


def _announce_address(server: Child, folder: Path, say: Callable[[str], None]) -> None:
    address = server.stdout.readline().strip()
    if address:
        say(f"watch it at {address} (while the run goes on; then by `eureka watch {folder}`)")
    elif server.wait() and (said := server.last_line()):
        say(f"warning: the page is not served: {said}")
