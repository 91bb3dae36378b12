"""Stopping a run from outside: Ctrl-C, and SIGTERM, which cluster schedulers send before they kill a job."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM
"""Exit codes after each signal, as in shells: 130 and 143."""


class Terminated(KeyboardInterrupt):
    """Raised on SIGTERM; handled in the same way as an interrupt."""


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """Within the context, SIGTERM raises `Terminated` in the main thread; a second one is ignored meanwhile.

    An exit with the code for an interrupt is changed to the code for SIGTERM.
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
