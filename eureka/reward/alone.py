"""No threads beside the one that a candidate runs in: what another thread does is seen by no recorder."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from eureka.reward.explain import TraceFailure

_alone: set[int] = set()
_hooked = False


@contextmanager
def alone() -> Iterator[None]:
    """While it lasts, this thread cannot start another one."""
    global _hooked
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    here = threading.get_ident()
    _alone.add(here)
    try:
        yield
    finally:
        _alone.discard(here)


def _hook(event: str, _: object) -> None:
    if event == "_thread.start_new_thread" and threading.get_ident() in _alone:
        raise TraceFailure("it starts a thread", "Compute the reward in plain torch, in one function.")
