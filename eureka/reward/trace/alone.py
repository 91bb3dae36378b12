"""Restricts a candidate to one thread, since a recorder does not see other threads."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from eureka.reward.trace.explain import TraceFailure

_alone: set[int] = set()
_guarded: list[str] = []


@contextmanager
def alone() -> Iterator[None]:
    """Within the context, this thread cannot start another one; only for processes of candidates."""
    if not _guarded:
        # The guards stay installed; they do not affect other threads.
        _guarded.append("threads")
        for owner, name in ((threading.Thread, "start"), (_thread, "start_new_thread")):
            setattr(owner, name, _unless_alone(getattr(owner, name)))
    here = threading.get_ident()
    _alone.add(here)
    try:
        yield
    finally:
        _alone.discard(here)


def _unless_alone(start: Callable[..., Any]) -> Callable[..., Any]:
    def started(*args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() in _alone:
            raise TraceFailure("it starts a thread", "Compute the reward in plain torch, in one function.")
        return start(*args, **kwargs)

    return started
