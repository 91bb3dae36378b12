"""Reading and writing `evaluation.json` in a run folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from eureka.core.errors import StoreError
from eureka.core.serialize import DecodeError, dumps, loads
from eureka.evaluation.data import VERSION, Comparison
from eureka.store import RunStore
from eureka.store.files import read_text, store_errors

FILE = "evaluation.json"
_EARLIER_FILE = "comparison.json"
"""The file's former name, read if there is no other."""


def write_comparison(store: RunStore, comparison: Comparison) -> Comparison:
    """Write a comparison to the run folder, replacing an earlier one; returns it with the warning of an unconfined run,
    if any.

    Raises:
        StoreError: the folder cannot be written.
    """
    stamped = replace(comparison, unsafe=store.facts().unsafe)
    store.write_file(FILE, dumps(stamped))
    return stamped


def read_comparison(folder: Path) -> Comparison | None:
    """The comparison of a run, None if there is none.

    Raises:
        StoreError: the file is damaged, or has another version.
    """
    path = next((folder / name for name in (FILE, _EARLIER_FILE) if (folder / name).is_file()), None)
    if path is None:
        return None
    with store_errors(f"read {path.name}", folder):
        text = read_text(path, within=folder)
    try:
        found = json.loads(text).get("version")
        if found == VERSION:
            return loads(Comparison, text)
    except (DecodeError, ValueError, AttributeError, RecursionError) as error:
        raise StoreError(f"{path}: damaged, or changed by hand: {error}; `eureka evaluate` makes it anew") from error
    raise StoreError(f"{path}: has the form {found}, and this eureka reads {VERSION}; `eureka evaluate` makes it anew")
