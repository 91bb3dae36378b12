"""One writer per run folder."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from eureka.core.errors import StoreError
from eureka.core.machine import lock_file

_held: set[Path] = set()


class FolderLock:
    """A lock on `folder/run.lock`, held until `release` or the end of the process, however that comes.

    A POSIX record lock: children that are forked do not inherit it, so a worker that outlives a killed run cannot
    block its resume. Such a lock does not exclude its own process, hence the set of the folders that are held here.
    """

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises:
            StoreError: a live process holds it.
            OSError: the file cannot be made.
        """
        self._folder = folder.resolve()
        if self._folder in _held:
            raise StoreError(f"{folder}: this process has the run open already; close it first")
        try:
            # What a link points to would be emptied: a run folder's lock is a file of its own.
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
        """Let another process write."""
        os.close(self._descriptor)
        _held.discard(self._folder)


def _is_a_link(folder: Path) -> StoreError:
    return StoreError(f"{folder}: run.lock is a link: delete it, and look at where this folder is from")
