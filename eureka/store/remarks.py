"""What the analysis of a reward remarked before it was trained, as kept beside the candidate: `remarks.json`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from eureka.core.errors import StoreError
from eureka.core.serialize import DecodeError, loads
from eureka.store.files import store_errors

FILE = "remarks.json"


@dataclass(frozen=True)
class Remark:
    """One remarkable thing; `line` is the source's, where one is to blame. A warning may spoil a reward."""

    is_warning: bool
    text: str
    line: int | None

    @property
    def sentence(self) -> str:
        """For the page."""
        where = f" (line {self.line})" if self.line else ""
        return f"{self.text.replace('`', '')}{where}"


@dataclass(frozen=True)
class Remarks:
    """All about one reward, the most important first; `graph` is `graph_mark` of the reward."""

    graph: str
    remarks: tuple[Remark, ...]


def graph_mark(graph: str) -> str:
    """Tells rewards apart: that of a repaired answer is another."""
    return hashlib.sha256(graph.encode()).hexdigest()[:16]


def read_remarks(candidate_folder: Path, graph: str) -> tuple[Remark, ...]:
    """What was remarked of a candidate's reward; nothing where it was not looked at.

    Raises:
        StoreError: the file cannot be read.
    """
    path = candidate_folder / FILE
    if not path.is_file():
        return ()
    with store_errors(f"read {FILE}", candidate_folder):
        text = path.read_text(encoding="utf-8")
    try:
        found = loads(Remarks, text)
    except DecodeError as error:
        raise StoreError(f"{path}: was changed by hand: {error}; delete it") from error
    return found.remarks if found.graph == graph_mark(graph) else ()
