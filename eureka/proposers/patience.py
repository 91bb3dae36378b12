"""Waiting for a busy provider, with one clock for all calls of a run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from threading import Event, Lock

from eureka.core.errors import ProposerError
from eureka.proposers.calls import CallFailed, Retry

_FIRST_WAIT_S = 2.0
_LONGEST_WAIT_S = 60.0


class Patience:
    """Waits between attempts until nothing has succeeded for `limit_s` seconds.

    The wait is the provider's Retry-After, else it equals the time since the first failure, between two seconds and a
    minute; while one call waits, no other is started. An unreachable server is only waited for if it has answered
    before.
    """

    def __init__(
        self, limit_s: float, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit_s = limit_s
        self._tell = tell
        self._clock = clock
        self._lock = Lock()
        self._answered = False
        self._failing_since: float | None = None
        self._not_before = 0.0

    def answered(self) -> None:
        """Record a successful call, which resets the clock."""
        with self._lock:
            self._answered = True
            self._failing_since = None

    def hold(self, closed: Event, longest_s: float | None = None) -> None:
        """Wait until the time that the provider asked for, for `longest_s` at most, or until `closed`."""
        end = self._clock() + longest_s if longest_s is not None else math.inf
        while not closed.is_set() and (left := min(self._not_before, end) - self._clock()) > 0:
            closed.wait(left)

    def wait_or_raise(self, failed: CallFailed, started: float) -> None:
        """Decide when the failed call that was made at `started` may be repeated; `hold` does the waiting.

        Raises:
            ProposerError: the failure is permanent, or the time limit is reached.
        """
        with self._lock:
            if failed.retry is Retry.NEVER or (failed.retry is Retry.IF_SEEN and not self._answered):
                raise failed.error
            if self._failing_since is None:
                self._failing_since = started
            now = self._clock()
            waited_s = now - self._failing_since
            wait_s = failed.retry_after_s or min(max(waited_s, _FIRST_WAIT_S), _LONGEST_WAIT_S)
            if waited_s + wait_s > self._limit_s:
                raise ProposerError(
                    f"{failed.error}; after {waited_s:.0f} s of waiting another {wait_s:.0f} s would go beyond "
                    f"llm.patience_s={self._limit_s:g}"
                )
            news = self._not_before <= now
            self._not_before = max(self._not_before, now + wait_s)
        if news:
            self._tell(f"{failed.error}; waiting {wait_s:.0f} s")
