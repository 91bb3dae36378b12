"""Run folders whose records were changed by hand: each command gives its result or a sentence, and nothing else."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hostile_run import write_hostile_run

from eureka.app.comparing import best_reward
from eureka.app.exporting import export_run
from eureka.core.errors import EurekaError
from eureka.search.outcomes import outcomes
from eureka.store import RunStore
from eureka.ui.report import render_comparison, render_report

Change = Callable[[dict[str, Any]], object]

CHANGES: dict[str, tuple[str, Change]] = {
    "no scores": ("result", lambda record: record.update(final_scores=[])),
    "scores that are none": ("result", lambda record: record.update(final_scores=["NaN", "Infinity", "-Infinity"])),
    "steps beyond counting": ("result", lambda record: record.update(steps=[10**30] * len(record["steps"]))),
    "negative steps": ("result", lambda record: record.update(steps=[-5] * len(record["steps"]))),
    "curves of other lengths": ("result", lambda record: record.update(metric=[], total=[1.0])),
    "a seed beyond counting": ("result", lambda record: record.update(seed=10**400)),
    "a path for an id": ("result", lambda record: record.update(candidate_id="../../etc/passwd")),
    "an id that turns its direction": ("candidate", lambda record: record.update(id="g01-c01\u202e")),
    "a source that no parser takes": ("candidate", lambda record: record.update(source="x = " + "(" * 5000)),
    "a graph that is none": ("reward", lambda record: record.update(graph="{" * 100_000)),
    "a best that nobody wrote": ("selection", lambda record: record.update(best="g99-c99")),
    "a generation beyond counting": ("selection", lambda record: record.update(generation=10**9)),
}


@pytest.mark.parametrize(("table", "change"), CHANGES.values(), ids=CHANGES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_changed_record(tmp_path: Path, table: str, change: Change) -> None:
    write_hostile_run(tmp_path / "run").close()
    connection = sqlite3.connect(tmp_path / "run" / "run.db")
    for (body,) in connection.execute(f"SELECT body FROM {table}").fetchall():
        record = json.loads(body)
        change(record)
        connection.execute(f"UPDATE {table} SET body = ? WHERE body = ?", (json.dumps(record), body))
    connection.commit()
    connection.close()
    readers: list[Callable[[RunStore], object]] = [
        render_report,
        lambda store: render_comparison([store, store]),
        lambda store: export_run(store, None),
        best_reward,
        outcomes,
    ]
    for read in readers:
        with RunStore.open(tmp_path / "run", read_only=True) as store:
            try:
                read(store)
            except EurekaError as error:
                assert len(str(error)) < 2000  # noqa: PT017 - either is right
