"""`python -m eureka.ui.web DIR`: serves the page of a running search, with a lower priority.

Prints its address first.

It ends when its standard input ends, and so with the parent process, however that ends; open pages are shown the run's
end first.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from threading import Event, Thread

from eureka.core.processes import errors_end_process, lower_priority
from eureka.ui.web.server import WebServer, serving

LOWER_PRIORITY = 5
"""Above 0, so that trainings take precedence; not the lowest priority, at which a page took minutes on busy cores."""
FAREWELL_S = 15.0
"""Seconds for open pages to show the run's end."""
QUIET_S = 2.0
"""The server stops after this long without a request."""


def main(folder: str) -> None:
    """Serve the pages; exits with 1 and one line on stderr if that is not possible."""
    lower_priority(LOWER_PRIORITY)
    ended = Event()
    with errors_end_process(), serving(Path(folder), ended=ended.is_set) as ready:
        sys.stdout.write(f"{ready.address}\n")
        sys.stdout.flush()
        Thread(target=_stop_at_end_of_input, args=(ready, ended), daemon=True).start()
        ready.run()


def _stop_at_end_of_input(ready: WebServer, ended: Event) -> None:
    sys.stdin.buffer.read()
    ended.set()
    state = ready.server.server_state
    answered = time.monotonic()
    deadline = answered + FAREWELL_S
    # An open page that learns of the end fetches the run once more, so wait until requests have stopped.
    while state.connections and time.monotonic() < min(deadline, answered + QUIET_S):
        if state.tasks:
            answered = time.monotonic()
        time.sleep(0.1)
    ready.server.should_exit = True


if __name__ == "__main__":
    main(sys.argv[1])
