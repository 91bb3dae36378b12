"""The lock that admits one writer per run folder."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from eureka.core.errors import StoreError
from eureka.core.machine import lock_file

_held: set[Path] = set()


class FolderLock:
    """A lock on `folder/run.lock`, held until `release` or the end of the process for whatever reason.

    It is a POSIX record lock: forked children do not inherit it, so a worker that outlives a killed run cannot block
    its resume. Such a lock does not exclude its own process, hence the set of locked folders here.
    """

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises:
            StoreError: another live process holds the lock. OSError: the file cannot be created.
        """
        self._folder = folder.resolve()
        if self._folder in _held:
            raise StoreError(f"{folder}: this process has the run open already; close it first")
        try:
            # The target of a link would be truncated, so a run folder's lock must be a plain file.
            self._descriptor = os.open(
                folder / "run.lock", os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644
            )
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            raise StoreError(
                f"{folder}: run.lock is a link: delete it, and look at where this folder is from"
            ) from error
        if os.fstat(self._descriptor).st_nlink > 1:
            os.close(self._descriptor)
            raise _is_a_link(folder)
        try:
            lock_file(self._descriptor)
        except OSError as error:
            holder = os.read(self._descriptor, 32).decode("ascii", errors="replace").strip()
            os.close(self._descriptor)
            raise StoreError(
                f"{folder}: process {holder or '(unknown)'} is writing this run; wait for it or stop it first"
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, f"{os.getpid()}\n".encode())
        _held.add(self._folder)

    def release(self) -> None:
        """Release the lock for other processes."""
        os.close(self._descriptor)
        _held.discard(self._folder)


def _is_a_link(folder: Path) -> StoreError:
    return StoreError(f"{folder}: run.lock is a link: delete it, and look at where this folder is from")
