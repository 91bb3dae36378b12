"""Layer: a watchdog on memory that is really held and on threads, kept by the zygote from outside the child.

RLIMIT_AS bounds what a process maps; this bounds what it fills, and the threads, whose stacks in the kernel no limit
counts. What is left for the machine's own out-of-memory killer finds the child first.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar, NamedTuple

from eureka.sandbox.layer import Breach, GuardedLayer, LayerGuard, Scope
from eureka.sandbox.results import Limits

POLL_S = 0.025
"""How often a child is looked at. Filling memory takes about a second a GiB, so that little is overlooked."""

_COUNTED = frozenset({"RssAnon", "RssShmem", "VmSwap", "VmPTE"})
_FIRST_VICTIM = "1000"


class ProcessUsage(NamedTuple):
    """What /proc/PID/status says: bytes held that are not pages of files, and threads."""

    held_bytes: int
    threads: int


def parse_status(text: str) -> ProcessUsage:
    """The usage in the text of a /proc/PID/status; of a process that has ended, nothing."""
    fields = dict(line.split(":", 1) for line in text.splitlines())
    held = sum(int(fields[name].split()[0]) << 10 for name in _COUNTED & fields.keys())
    return ProcessUsage(held_bytes=held, threads=int(fields["Threads"]))


class _Watch(LayerGuard):
    """Keeps the child's status file open: where /proc is hidden it can be opened only before the child is confined."""

    def __init__(self, pid: int, limits: Limits) -> None:
        inherited = parse_status(Path("/proc/self/status").read_text(encoding="utf-8")).held_bytes
        self._most = ProcessUsage(held_bytes=inherited + limits.resident_bytes, threads=limits.threads)
        self._status = os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC)

    def breach(self) -> Breach | None:
        try:
            usage = parse_status(os.pread(self._status, 1 << 14, 0).decode("utf-8", errors="replace"))
        except ProcessLookupError:
            return None
        if usage.held_bytes > self._most.held_bytes:
            return "memory"
        return "threads" if usage.threads > self._most.threads else None

    def patience_s(self) -> float:
        return POLL_S

    def close(self) -> None:
        os.close(self._status)


class Watchdog(GuardedLayer):
    """Optional: without /proc, as on systems other than Linux, it cannot be had."""

    name: ClassVar[str] = "watchdog"
    mandatory: ClassVar[bool] = False
    remedy: ClassVar[str] = "mount /proc, and writable"

    def apply(self, scope: Scope) -> str:
        """Offer this process first to the kernel where memory runs out, and see that its usage can be read."""
        parse_status(Path("/proc/self/status").read_text(encoding="utf-8"))
        Path("/proc/self/oom_score_adj").write_text(_FIRST_VICTIM, encoding="utf-8")
        held_gib, threads = scope.limits.resident_bytes / 2**30, scope.limits.threads
        return f"killed by the zygote above {held_gib:.1f} GiB of filled memory or {threads} threads"

    def guard(self, pid: int, limits: Limits) -> LayerGuard | None:
        """Watches the process; None where /proc does not show it."""
        try:
            return _Watch(pid, limits)
        except OSError:
            return None
