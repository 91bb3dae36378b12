"""Which runs there are below a folder, and whether one has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from eureka.core.errors import StoreError

DATABASE = "run.db"
_PATTERNS = (f"*/{DATABASE}", f"*/*/{DATABASE}", f"*/*/*/{DATABASE}")
"""Where runs are below a folder: `outputs/<task>/<date>_<time>`, or of several such folders."""
_FILMS = ("*/*.mp4", "*/*/*.mp4")


def is_run(folder: Path) -> bool:
    """Whether `folder` is itself a run folder."""
    return (folder / DATABASE).is_file()


def find_runs(root: Path) -> Mapping[str, Path]:
    """Run folders by the name that addresses them, the newest first; `root` itself where it is one.

    A name is the path below `root` with `~` for its slashes: `ant~2026-11-21_10-00-00`. What a link leads out of `root`
    is not shown.
    """
    if is_run(root):
        return {root.resolve().name or "run": root}
    top = root.resolve()
    databases = [path for pattern in _PATTERNS for path in root.glob(pattern) if path.resolve().is_relative_to(top)]
    folders = sorted((path.parent for path in databases), key=lambda folder: folder.name, reverse=True)
    return {"~".join(folder.relative_to(root).parts): folder for folder in folders}


def version(folder: Path) -> str:
    """A text that differs as soon as the run has recorded or filmed something more; empty where there is no run.

    It is made of the sizes and times of the database and its write-ahead log, so that it takes no lock, and of films.
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
    """Raises StoreError where there is nothing to watch."""
    if not root.is_dir():
        raise StoreError(f"{root}: no such folder; name a run folder, or one of runs such as outputs")
