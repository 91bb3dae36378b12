"""Enforces the caps on money, tokens and time: the maximum cost of a call is reserved before it is sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition

from eureka.core.costs import Spent, Usage
from eureka.core.errors import BudgetReached


@dataclass(frozen=True)
class Caps:
    """Caps on what a run may spend on answers; None is no cap. Seconds are the time spent waiting for answers."""

    usd: float | None = None
    tokens: int | None = None
    seconds: float | None = None


class Reservation:
    """One call's share of the caps, see `Ledger.reserved`."""

    def __init__(self, bound: Spent) -> None:
        self.bound = bound
        self.charge: Spent | None = None

    def settle(self, usage: Usage) -> None:
        """Charge an answered call: its usage, or its bound if the provider does not report the usage."""
        if usage.input_tokens is None or usage.output_tokens is None:
            self.charge = self.bound
        else:
            self.charge = Spent(usage.input_tokens + usage.output_tokens, usage.usd or 0.0)

    def release(self) -> None:
        """Release the reservation of a refused call, which costs nothing."""
        self.charge = Spent()


class Ledger:
    """The spending and reservations of a run. Shared by all calls of all its providers; safe to use from many threads.

    Args:
        earlier: spending of the run before this process.
    """

    def __init__(self, caps: Caps, earlier: Spent | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.caps = caps
        self._spent = earlier or Spent()
        self._unrecorded = Spent()
        self._reserved: list[Reservation] = []
        self._changed = Condition()
        self._clock = clock
        self._waiting_since: float | None = None

    @property
    def spent(self) -> Spent:
        """The total spending, including the time of a wait in progress."""
        with self._changed:
            return self._spent + Spent(seconds=self._current_wait())

    @property
    def unrecorded(self) -> Spent:
        """Unrecorded costs of this process: seconds of waiting, and the possible cost of calls whose answers did not
        arrive completely.
        """
        with self._changed:
            in_flight = [reservation.bound for reservation in self._reserved if reservation.charge is None]
            return sum(in_flight, self._unrecorded)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Run the clock of `caps.seconds` within the context, while answers are waited for."""
        self._waiting_since = self._clock()
        try:
            yield
        finally:
            with self._changed:
                waited = Spent(seconds=self._current_wait())
                self._spent += waited
                self._unrecorded += waited
                self._waiting_since = None

    def seconds_left(self) -> float | None:
        """The seconds left until `caps.seconds` is reached; None without that cap."""
        return None if self.caps.seconds is None else self.caps.seconds - self.spent.seconds

    def require_time(self) -> None:
        """Raise BudgetReached if no time is left."""
        left = self.seconds_left()
        if left is not None and left <= 0:
            raise BudgetReached(
                f"llm.max_seconds={self.caps.seconds:g} is reached: {self.spent.seconds:.0f} s were spent waiting for "
                "answers; what was bought is kept: resume with a higher llm.max_seconds"
            )

    @contextmanager
    def reserved(self, tokens: int, usd: float | None) -> Iterator[Reservation]:
        """Within the context, reserve `tokens` and `usd` (None: unknown) for a call, as its maximum cost.

        Waits for calls in flight if only their reservations leave too little. A call that is neither settled nor
        released is charged in full: it may have been billed.

        Raises:
            BudgetReached: the caps do not allow the call.
        """
        reservation = Reservation(Spent(tokens, usd or 0.0))
        with self._changed:
            while not self._fits(reservation.bound, [r.bound for r in self._reserved]):
                if not self._fits(reservation.bound, []):
                    raise BudgetReached(self._refusal(reservation.bound))
                self._changed.wait()
            self._reserved.append(reservation)
        try:
            yield reservation
        finally:
            with self._changed:
                self._reserved.remove(reservation)
                if reservation.charge is None:
                    self._unrecorded += reservation.bound
                self._spent += reservation.charge if reservation.charge is not None else reservation.bound
                self._changed.notify_all()

    def _fits(self, bound: Spent, in_flight: list[Spent]) -> bool:
        total = sum(in_flight, self._spent) + bound
        fits_usd = self.caps.usd is None or bound.usd == 0 or total.usd <= self.caps.usd
        return fits_usd and (self.caps.tokens is None or total.tokens <= self.caps.tokens)

    def _refusal(self, bound: Spent) -> str:
        if self.caps.tokens is not None and self._spent.tokens + bound.tokens > self.caps.tokens:
            cap, spent, need = "llm.max_tokens", f"{self._spent.tokens:,} tokens", f"{bound.tokens:,}"
            limit = f"{self.caps.tokens:,}"
        else:
            cap, spent, need = "llm.max_usd", f"${self._spent.usd:.2f}", f"${bound.usd:.2f}"
            limit = f"${self.caps.usd:g}"
        return (
            f"{cap} is reached: {spent} of {limit} are spent, and one more answer can take {need}; what was bought is "
            f"kept: resume with a higher {cap}"
        )

    def _current_wait(self) -> float:
        return 0.0 if self._waiting_since is None else self._clock() - self._waiting_since
