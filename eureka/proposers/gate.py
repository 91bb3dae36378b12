"""Limits the number of concurrent calls, and lowers the limit if a server queues calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Event

_LOOK_S = 0.5


class Gate:
    """A semaphore for calls with an adaptive limit.

    A server that processes one call at a time sends nothing for the others. So a call that timed out before its first
    word, while others were answered, was queued: it is repeated with a lower limit.

    Args:
        tell: called with a sentence whenever the limit is lowered.
    """

    def __init__(self, limit: int, tell: Callable[[str], None]) -> None:
        self._limit = limit
        self._active = 0
        self._tell = tell
        self._changed = Condition()
        self._heard = 0.0

    @contextmanager
    def passed(self, closed: Event) -> Iterator[None]:
        """Hold a place within the context, after waiting for one, or until `closed`."""
        with self._changed:
            while self._active >= self._limit and not closed.is_set():
                self._changed.wait(_LOOK_S)
            self._active += 1
        try:
            yield
        finally:
            with self._changed:
                self._active -= 1
                self._changed.notify_all()

    def heard(self) -> None:
        """Record that a piece of some answer has arrived."""
        self._heard = time.monotonic()

    def was_queued(self, started: float) -> bool:
        """Whether a call made at `started` that got no answer was queued behind others that did.

        If so, the limit is lowered by one.
        """
        with self._changed:
            if self._heard <= started or self._limit == 1:
                return False
            self._limit -= 1
            limit = self._limit
        calls = "call" if limit == 1 else "calls"
        self._tell(f"the server lets calls wait for one another: from now on {limit} {calls} at a time")
        return True
