"""A temporary folder for files that environments and trainers make and do not remove, deleted when the process ends.

Maze environments leave a model file for every instance, for example, and Stable-Baselines3 a folder for every logger.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


@cache
def folder_of_leftovers() -> str:
    """This process's folder of leftovers, made at the first call; it stays if the process is killed."""
    folder = tempfile.mkdtemp(prefix="eureka-environments-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def leftovers_removed() -> Iterator[None]:
    """Within this context, temporary files of the process are made in its folder of leftovers."""
    folder, before = folder_of_leftovers(), tempfile.tempdir
    tempfile.tempdir = folder
    try:
        yield
    finally:
        tempfile.tempdir = before
