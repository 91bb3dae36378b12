"""Opening a run for its report and for the next prompts: what benchmarks/report.py measures reads no policy."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from synthetic_run import write_synthetic_run

from eureka.store import RunStore
from eureka.ui.report.reading import read_run

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import report


def test_no_policy_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with write_synthetic_run(tmp_path / "run", 2, 3) as store:

        def read_policy(store: RunStore, result: object) -> bytes:
            raise AssertionError(f"{store.folder}: a policy is read")

        monkeypatch.setattr(RunStore, "policy", read_policy)
        assert len(read_run(store).candidates) == 6
        assert report.next_prompts(store, 3, 3) > 1000
