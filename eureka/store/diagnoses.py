"""The diagnoses of a reward from before its training, in the candidate's folder: `diagnoses.json`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from eureka.core.diagnosis import Diagnosis
from eureka.core.errors import StoreError
from eureka.core.serialize import DecodeError, loads
from eureka.store.files import read_text, store_errors

FILE = "diagnoses.json"


@dataclass(frozen=True)
class Diagnoses:
    """The diagnoses of one reward, the most important first; `graph` is the `graph_mark` of the reward."""

    graph: str
    diagnoses: tuple[Diagnosis, ...]


def graph_mark(graph: str) -> str:
    """A short hash of a reward's graph, which differs between attempts with different rewards."""
    return hashlib.sha256(graph.encode()).hexdigest()[:16]


def read_diagnoses(candidate_folder: Path, graph: str, *, within: Path) -> tuple[Diagnosis, ...]:
    """The diagnoses of a candidate's reward from before its training; empty if there are none.

    Args:
        within: the run folder: nothing behind a link in it is read.

    Raises:
        StoreError: the file cannot be read.
    """
    path = candidate_folder / FILE
    if not path.is_file():
        return ()
    with store_errors(f"read {FILE}", candidate_folder):
        text = read_text(path, within=within)
    try:
        found = loads(Diagnoses, text)
    except DecodeError as error:
        raise StoreError(f"{path}: was changed by hand: {error}; delete it") from error
    return found.diagnoses if found.graph == graph_mark(graph) else ()
