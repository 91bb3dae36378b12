"""Paths as callers give them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

Folders = str | Path | Sequence[str | Path]
"""Folders as an argument: one, or several in a sequence."""


def path_list(folders: Folders) -> list[Path]:
    """The folders of such an argument, in order."""
    return [Path(folders)] if isinstance(folders, str | Path) else [Path(folder) for folder in folders]
