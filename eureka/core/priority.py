"""What the processes beside a run have in common: trainings go first, and what one died of is one line."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

LOWEST_PRIORITY = 19


def go_last(niceness: int = LOWEST_PRIORITY) -> None:
    """Let the trainings go before this process.

    Where Linux weighs sessions (`sched_autogroup_enabled`) niceness counts within one only, and every worker of a
    training is one. So a process that was started as a session of its own gives that the niceness too.
    """
    os.nice(niceness)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # another system, or a container that may not say it: niceness alone
            Path("/proc/self/autogroup").write_text(str(niceness), encoding="ascii")


def last_words(returncode: int, stderr: str) -> str:
    """Why a child ended: the signal that killed it, or its last line."""
    if returncode < 0:
        return f"killed by signal {-returncode}"
    return (stderr.strip().splitlines() or [f"ended with status {returncode}"])[-1]
