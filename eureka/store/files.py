"""Atomic writing of files, bounded reading, and host errors as one sentence."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eureka.core.errors import StoreError

MAX_TEXT_BYTES = 16 << 20
MAX_POLICY_BYTES = 256 << 20

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` through a temporary file in the same folder, so that readers never see an incomplete file.

    The temporary file is new and has a random name: an existing link in the folder is never followed.

    Raises:
        OSError: for example because the disk is full or the folder is read-only; `path` is then unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = temporary_name(path)
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def read_bounded(path: Path, most: int, *, first: int | None = None, within: Path | None = None) -> bytes:
    """The content of a file in a possibly untrusted run folder: a plain file of at most `most` bytes.

    Args:
        first: maximum number of bytes to read.
        within: the run folder, for content that is displayed: links out of it are not followed, since they would show
            other files of this machine.

    Raises:
        OSError: the file cannot be read, is larger, or is not a plain file (reading a pipe could block).
    """
    # realpath also handles links in a loop, for which Path.resolve raises RuntimeError before Python 3.13.
    if within is not None and Path(os.path.realpath(path)) != Path(os.path.realpath(within)) / path.relative_to(within):
        raise OSError(errno.ELOOP, "it lies behind a link, and what it leads to is not of this run: delete it")
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no plain file")
        if status.st_size > most:
            raise OSError(errno.EFBIG, f"it has {status.st_size:,} bytes, and at most {most:,} are read")
        return file.read(most if first is None else first)


def read_text(path: Path, *, within: Path | None = None) -> str:
    """The text of a small file in a run folder; invalid UTF-8 becomes replacement characters.

    Raises:
        OSError: see `read_bounded`.
    """
    return read_bounded(path, MAX_TEXT_BYTES, within=within).decode(errors="replace")


def without_links(folder: Path) -> Path:
    """The folder, which need not exist, after checking that neither it nor anything in it is a link.

    Raises:
        StoreError: there is a link, behind which nothing must be written or removed.
    """
    linked = next((path for path in (folder, *folder.rglob("*")) if path.is_symlink()), None)
    if linked is not None:
        raise StoreError(f"{linked}: is a link, and nothing is written or removed behind one: delete it")
    return folder


def temporary_name(path: Path) -> Path:
    """A random name in the folder of `path`, for the file that is renamed to `path` once it is complete."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")


def sync_folder(folder: Path) -> None:
    """Make changes of names in `folder` durable against a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def store_errors(action: str, folder: Path) -> Iterator[None]:
    """Convert errors of the disk and of SQLite to a StoreError; `action` is a phrase such as "write best/reward.py"."""
    try:
        yield
    except OSError as error:
        raise StoreError(_sentence(action, folder, error.strerror or str(error), _advice(error.errno))) from error
    except sqlite3.Error as error:
        raise StoreError(_sentence(action, folder, str(error), _sqlite_advice(error))) from error


def _sentence(action: str, folder: Path, reason: str, advice: str) -> str:
    return (
        f"{folder}: cannot {action}: {reason} ({_free_space(folder)}); nothing finished is lost: {advice}, "
        f"then `eureka resume {folder}` goes on"
    )


def _advice(number: int | None) -> str:
    if number in _NO_ROOM:
        return "make room"
    if number in _NOT_ALLOWED:
        return "make the folder readable and writable"
    return "mend the cause"


def _sqlite_advice(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return "make room"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return "make the folder readable and writable"
    return "mend the cause"


def _free_space(folder: Path) -> str:
    existing = next((parent for parent in (folder, *folder.absolute().parents) if parent.exists()), Path("/"))
    return f"{shutil.disk_usage(existing).free / 2**20:,.0f} MiB free there"
