"""A run that is stopped from outside: Ctrl-C, and SIGTERM as queues of clusters send it before they kill."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM
"""What a process ends with after each, as shells have it: 130 and 143."""


class Terminated(KeyboardInterrupt):
    """SIGTERM came: what is done is what an interrupt does."""


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """While it lasts SIGTERM raises `Terminated` in the main thread; a second one, while that is heard, is ignored.

    What then exits as interrupted exits as terminated.
    """
    terminated = False
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal terminated
        del number, frame
        terminated = True
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except SystemExit as ended:
        if terminated and ended.code == INTERRUPTED:
            raise SystemExit(TERMINATED) from ended
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
