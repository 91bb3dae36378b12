"""How many calls may be under way at once, which is lowered where a server lets calls wait for one another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Event

_LOOK_S = 0.5


class Gate:
    """Lets so many calls through at a time.

    A server that works on one call keeps the others silent. Such a silence says nothing about the call itself, so a
    call that timed out before its first word, while others got words, is made again behind fewer others.

    Args:
        tell: is given a sentence whenever fewer calls are let through.
    """

    def __init__(self, limit: int, tell: Callable[[str], None]) -> None:
        self._limit = limit
        self._active = 0
        self._tell = tell
        self._changed = Condition()
        self._heard = 0.0

    @contextmanager
    def passed(self, closed: Event) -> Iterator[None]:
        """Wait for a place, or until `closed`; it is free again at the end."""
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
        """A piece of some answer has arrived."""
        self._heard = time.monotonic()

    def was_queued(self, started: float) -> bool:
        """Whether a call that was made at `started` and got no word was waiting behind others, which did get some.

        Then one call fewer is let through from now on.
        """
        with self._changed:
            if self._heard <= started or self._limit == 1:
                return False
            self._limit -= 1
            limit = self._limit
        calls = "call" if limit == 1 else "calls"
        self._tell(f"the server lets calls wait for one another: from now on {limit} {calls} at a time")
        return True
