"""Detects whether a run has changed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from eureka.core.errors import StoreError
from eureka.store import DATABASE

_FILMS = ("*/*.mp4", "*/*/*.mp4")


def version(folder: Path) -> str:
    """A text that changes whenever the run records or films something; empty if there is no run.

    It is derived from sizes and times of the database, its write-ahead log and films, so it needs no lock.
    """
    parts = []
    for name in (DATABASE, f"{DATABASE}-wal"):
        try:
            status = (folder / name).stat()
        except FileNotFoundError:
            parts.append("0")
        else:
            parts.append(f"{status.st_mtime_ns:x}.{status.st_size:x}")
    if parts[0] == "0":
        return ""
    films = sorted(f"{film} {film.stat().st_mtime_ns}" for pattern in _FILMS for film in folder.glob(pattern))
    return "-".join([*parts, hashlib.sha256("\n".join(films).encode()).hexdigest()[:8]])


def require_folder(root: Path) -> None:
    """Raise StoreError if there is nothing to watch."""
    if not root.is_dir():
        raise StoreError(f"{root}: no such folder; name a run folder, or one of runs such as outputs")
