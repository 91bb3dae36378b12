"""Layer: the wall clock, kept by the zygote, which no child can reach."""

from __future__ import annotations

import time
from typing import ClassVar

from eureka.sandbox.layer import Breach, GuardedLayer, LayerGuard, Scope
from eureka.sandbox.results import Limits


class _Deadline(LayerGuard):
    def __init__(self, wall_s: float) -> None:
        self._at = time.monotonic() + wall_s

    def breach(self) -> Breach | None:
        return "time" if time.monotonic() >= self._at else None

    def patience_s(self) -> float:
        return self._at - time.monotonic()


class Clock(GuardedLayer):
    """Limits wall time; sleeping, stopping and ignoring signals have no effect on it."""

    name: ClassVar[str] = "clock"
    mandatory: ClassVar[bool] = True
    remedy: ClassVar[str] = "start the child by a zygote"

    def apply(self, scope: Scope) -> str:
        """No effect in the child; returns a description of the zygote's part."""
        return f"killed by the zygote after {scope.limits.wall_s:g} s"

    def guard(self, pid: int, limits: Limits) -> LayerGuard:  # noqa: ARG002 - the interface's
        """Start the clock of a child."""
        return _Deadline(limits.wall_s)
