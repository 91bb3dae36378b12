"""Layer: resource limits. They bound memory, processor time and files, not sleep: that is the trusted clock's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar

from eureka.core.machine import resource
from eureka.sandbox.layer import Layer, Scope

MAX_DESCRIPTORS = 64


def mapped_bytes() -> int:
    """Address space of this process in bytes; 0 where the system does not say."""
    if sys.platform != "linux" or resource is None:
        return 0
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
    return pages * int(resource.getpagesize())


class ResourceLimits(Layer):
    """Soft and hard limits alike, so that the child cannot raise them again."""

    name: ClassVar[str] = "rlimits"
    mandatory: ClassVar[bool] = True
    remedy: ClassVar[str] = "mount /proc and allow setrlimit"
    always: ClassVar[bool] = True

    def apply(self, scope: Scope) -> str:
        """Set the limits; one second of grace separates the processor-time signal that can be caught from SIGKILL."""
        if resource is None:
            return "none: this system has no limits of a process; memory and time are watched from outside"
        limits = scope.limits
        space = mapped_bytes() + limits.memory_bytes
        for kind, soft, hard in (
            (resource.RLIMIT_AS, space, space),
            (resource.RLIMIT_CPU, limits.cpu_s, limits.cpu_s + 1),
            (resource.RLIMIT_FSIZE, 0, 0),
            (resource.RLIMIT_CORE, 0, 0),
            (resource.RLIMIT_NOFILE, MAX_DESCRIPTORS, MAX_DESCRIPTORS),
            (resource.RLIMIT_MEMLOCK, 0, 0),
        ):
            # macOS maps more than any limit from the start, and refuses to limit it.
            if kind != resource.RLIMIT_AS or sys.platform == "linux":
                lower(kind, soft, hard)
        return f"{limits.memory_bytes / 2**30:.1f} GiB more memory, {limits.cpu_s} s of processor time, no files"


def lower(kind: int, soft: int, hard: int | None = None) -> None:
    """Set a limit, never above the present hard one; without `hard` that stays."""
    assert resource is not None
    ceiling = resource.getrlimit(kind)[1]
    hard = ceiling if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(kind, (soft, hard))
