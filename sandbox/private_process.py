"""Protects what this process holds (the keys of language models) from other processes and core files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from eureka.core.machine import no_core_files
from eureka.sandbox.libc import prctl

_GET_DUMPABLE, _SET_DUMPABLE = 3, 4


@contextmanager
def private_process() -> Iterator[None]:
    """No core file and no reading of this process's memory while the context lasts; then all is as it was.

    On Linux it is not dumpable: no other process of the user may attach to it or read its memory. A program that it
    starts by exec is dumpable again, and inherits that it leaves no core file.
    """
    was_dumpable = sys.platform == "linux" and prctl(_GET_DUMPABLE) == 1
    if was_dumpable:
        prctl(_SET_DUMPABLE, 0)
    try:
        with no_core_files():
            yield
    finally:
        if was_dumpable:
            prctl(_SET_DUMPABLE, 1)
