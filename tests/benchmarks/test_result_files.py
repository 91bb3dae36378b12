"""What a benchmark measures goes to `outputs/`, and into what is committed only where that is asked for."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import result_files


def results_of(*arguments: str) -> Path:
    parser = argparse.ArgumentParser()
    result_files.add_results_option(parser)
    folder: Path = parser.parse_args(arguments).results
    return folder


def test_only_record_touches_what_is_committed() -> None:
    assert results_of() == Path("outputs/benchmarks")
    assert results_of("--results", "mine") == Path("mine")
    assert results_of("--record") == Path(result_files.__file__).parent / "results"


def test_what_was_measured_is_shown_before_what_is_committed(tmp_path: Path) -> None:
    assert result_files.measured_or_committed(tmp_path, "race.json") == result_files.COMMITTED / "race.json"
    (tmp_path / "race.json").touch()
    assert result_files.measured_or_committed(tmp_path, "race.json") == tmp_path / "race.json"


@pytest.mark.parametrize("script", sorted(Path(result_files.__file__).parent.glob("*.py")), ids=lambda path: path.name)
def test_no_benchmark_writes_into_what_is_committed_by_itself(script: Path) -> None:
    if script.name != "result_files.py":
        assert '"results"' not in script.read_text(encoding="utf-8")
