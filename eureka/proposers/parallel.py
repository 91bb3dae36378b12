"""Runs single calls in parallel: the first alone until its answer begins, then the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Signals:
    """Signals to the calls of one round: start no further call, and abort calls in flight."""

    closed: Event = field(default_factory=Event)
    unwanted: Event = field(default_factory=Event)


Ask = Callable[[str, Callable[[], None], Signals], T]
"""Asks for one id: `ask(id, begun, signals)` calls `begun` when the answer begins."""

_BEGUN = object()


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def run_calls(ids: Sequence[str], ask: Ask[T], concurrency: int) -> Iterator[T]:
    """`ask` for every id, at most `concurrency` at a time; each answer is yielded as it arrives.

    The first runs alone until its answer begins, so that the provider's cache of the common prefix is warm for the
    others. If a call raises, no further one starts; those in flight are awaited and yielded, then the first error is
    raised. If the caller closes the iterator, calls in flight are aborted.
    """
    pending = list(reversed(ids))
    lock = Lock()
    signals = Signals()
    results: SimpleQueue[object] = SimpleQueue()

    def work() -> None:
        while not signals.closed.is_set():
            with lock:
                if not pending:
                    break
                name = pending.pop()
            try:
                results.put((ask(name, lambda: results.put(_BEGUN), signals),))
            except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
                signals.closed.set()
                results.put(_Failed(error))
        results.put(None)

    def start() -> None:
        # Daemon threads: an interrupted program must not wait at its exit for a provider that does not answer.
        Thread(target=work, name="eureka-llm", daemon=True).start()

    errors: list[BaseException] = []
    running = 0
    if ids:
        start()
        running = 1
    more = min(concurrency, len(ids)) - 1
    try:
        while running:
            result = results.get()
            if isinstance(result, _Failed):
                errors.append(result.error)
            elif isinstance(result, tuple):
                yield result[0]
            elif result is None:
                running -= 1
            if more > 0 and not signals.closed.is_set() and (result is _BEGUN or isinstance(result, tuple)):
                for _ in range(more):
                    start()
                running += more
                more = 0
    finally:
        signals.closed.set()
        signals.unwanted.set()
    if errors:
        raise errors[0]
