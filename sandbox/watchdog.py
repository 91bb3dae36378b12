"""Layer: a watchdog on resident memory and threads, run by the zygote outside the child.

RLIMIT_AS limits the memory that a process maps; this limits the memory that it uses, and the threads, whose kernel
stacks are not counted by any limit. The machine's own out-of-memory killer is told to choose the child first.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar, NamedTuple

from eureka.sandbox.layer import Breach, GuardedLayer, LayerGuard, Scope
from eureka.sandbox.results import Limits

POLL_S = 0.025
"""Interval of checks in seconds. Filling memory takes about a second per GiB, so little is missed."""

_COUNTED = frozenset({"RssAnon", "RssShmem", "VmSwap", "VmPTE"})
_FIRST_VICTIM = "1000"


class ProcessUsage(NamedTuple):
    """Figures from /proc/PID/status: resident bytes that are not pages of files, and threads."""

    held_bytes: int
    threads: int


def parse_status(text: str) -> ProcessUsage:
    """The usage from the text of a /proc/PID/status; zero for a process that has ended."""
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
    """Optional: not available without /proc, as on systems other than Linux."""

    name: ClassVar[str] = "watchdog"
    mandatory: ClassVar[bool] = False
    remedy: ClassVar[str] = "mount /proc, and writable"

    def apply(self, scope: Scope) -> str:
        """Make this process the first choice of the out-of-memory killer, and check that its usage can be read."""
        parse_status(Path("/proc/self/status").read_text(encoding="utf-8"))
        Path("/proc/self/oom_score_adj").write_text(_FIRST_VICTIM, encoding="utf-8")
        held_gib, threads = scope.limits.resident_bytes / 2**30, scope.limits.threads
        return f"killed by the zygote above {held_gib:.1f} GiB of filled memory or {threads} threads"

    def guard(self, pid: int, limits: Limits) -> LayerGuard | None:
        """Watch the process; None if /proc does not show it."""
        try:
            return _Watch(pid, limits)
        except OSError:
            return None
