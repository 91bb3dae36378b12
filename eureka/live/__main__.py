"""`python -m eureka.live DIR`: a run's page beside the run, served with the lowest priority. Prints its address first.

It ends when its standard input does, and so with the process that started it, however that ends.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from threading import Thread

from eureka.errors import EurekaError
from eureka.live.server import Watch, watch

LOWEST_PRIORITY = 19


def main(folder: str) -> None:
    """Serve; ends the process with 1 and one line on stderr where that cannot be."""
    os.nice(LOWEST_PRIORITY)
    try:
        with watch(Path(folder)) as ready:
            sys.stdout.write(f"{ready.address}\n")
            sys.stdout.flush()
            Thread(target=_stop_at_end_of_input, args=(ready,), daemon=True).start()
            ready.run()
    except EurekaError as error:
        sys.exit(" ".join(str(error).split()))


def _stop_at_end_of_input(ready: Watch) -> None:
    sys.stdin.buffer.read()
    ready.server.should_exit = True


if __name__ == "__main__":
    main(sys.argv[1])
