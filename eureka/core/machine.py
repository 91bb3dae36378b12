"""Functions that differ between operating systems: cores of this process, memory, limits, file locks.

Linux supports all of it. macOS has no CPU affinity, and its limits of address space are unusable. Windows has neither
`resource` nor `fcntl`, but `msvcrt`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

resource: ModuleType | None
fcntl: ModuleType | None
msvcrt: ModuleType | None
_FAR = 1 << 30
"""Offset of the byte that is locked on Windows. A locked byte cannot be read there, so it lies beyond the end of any
file."""
try:
    import resource
except ImportError:
    resource = None
try:
    import fcntl
except ImportError:
    fcntl = None
try:
    import msvcrt
except ImportError:
    msvcrt = None


def usable_cores() -> int:
    """The number of cores that this process may use; if the system does not report it, those of the machine."""
    of_process: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(of_process(0)) if of_process is not None else os.cpu_count() or 1


def memory_bytes() -> int | None:
    """The machine's memory in bytes; None if the system does not report it."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def peak_bytes() -> int:
    """The peak memory of this process in bytes; 0 if the system does not report it."""
    if resource is None:
        return 0
    peak = int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return peak if sys.platform == "darwin" else peak * 1024


@contextmanager
def no_core_files() -> Iterator[None]:
    """Disable core files of this process and its children within the context."""
    if resource is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def lock_file(descriptor: int) -> None:
    """Take a lock on a file until the process ends: a POSIX record lock on all of it, or on Windows on one byte far
    beyond its end.

    Raises:
        OSError: another process holds it.
    """
    if fcntl is not None:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    elif msvcrt is not None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
