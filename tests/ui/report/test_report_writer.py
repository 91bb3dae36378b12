"""Reports that are written beside a run: after every generation, in a process of their own, and never at its cost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from loop_fakes import build_run

import eureka.ui.report.writer
from eureka.core.training import TrainingResult
from eureka.search.loop import evolve
from eureka.ui.report.writer import ReportWriter, update_report

pytestmark = pytest.mark.process

ENVIRONMENT = dict(os.environ)
Make = Callable[..., TrainingResult]


def slow_python(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Stands for the interpreter: runs `script`, and keeps its process id in a file."""
    program = folder / "python"
    program.write_text(f"#!/bin/sh\necho $$ >> {folder}/started\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    return folder / "started"


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_report_is_written_after_every_generation(tmp_path: Path, make_result: Make) -> None:
    told: list[str] = []
    seen: list[int] = []
    with build_run(tmp_path / "run", make_result).store as store:
        store.record_facts(replace(store.facts(), metric_unit="m/s"))
    with ReportWriter(tmp_path / "run", ENVIRONMENT, told.append) as writer:

        def after_generation() -> None:
            writer.start()
            wait_for(tmp_path / "run" / "report.html")
            seen.append((tmp_path / "run" / "report.html").read_text().count('class="candidate'))
            (tmp_path / "run" / "report.html").unlink()
            writer._settle(writer._process)  # type: ignore[arg-type]

        run = build_run(tmp_path / "run", make_result, after_generation=after_generation)
        with run.store:
            evolve(run)
    assert seen == [2, 4, 6]
    update_report(tmp_path / "run", ENVIRONMENT, told.append)
    assert told == [f"report: {tmp_path / 'run' / 'report.html'}"]


def test_starting_takes_no_time_and_one_report_at_a_time_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = slow_python(tmp_path, monkeypatch, "exec sleep 60")
    before = time.monotonic()
    writer = ReportWriter(tmp_path, ENVIRONMENT, print)
    for _ in range(3):
        writer.start()
    assert time.monotonic() - before < 1.0
    wait_for(started)
    with pytest.raises(KeyboardInterrupt), writer:
        raise KeyboardInterrupt
    (pid,) = started.read_text().split()
    assert not Path(f"/proc/{pid}").exists()


def test_a_failure_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    slow_python(tmp_path, monkeypatch, "echo first >&2; echo 'the disk is full' >&2; exit 1")
    with ReportWriter(tmp_path, ENVIRONMENT, told.append) as writer:
        writer.start()
        assert not writer.finish()
    assert told == ["warning: the report was not written: the disk is full"] * 2
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing here"))
    update_report(tmp_path, ENVIRONMENT, told.append)
    assert "No such file" in told[-1]


def test_a_failed_search_waits_for_its_last_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    slow_python(tmp_path, monkeypatch, "kill -9 $$")
    writer = ReportWriter(tmp_path, ENVIRONMENT, told.append)
    writer.start()
    with pytest.raises(RuntimeError), writer:
        raise RuntimeError
    assert told == ["warning: the report was not written: killed by signal 9"]


def test_one_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    slow_python(tmp_path, monkeypatch, "exec sleep 60")
    monkeypatch.setattr(eureka.ui.report.writer, "LAST_WAIT_S", 0.2)
    update_report(tmp_path, ENVIRONMENT, told.append)
    assert told == ["warning: the report was not written: it took more than 0 s"]


def test_the_process_has_the_lowest_priority_and_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    program = "import os, sys, eureka.ui.report.__main__ as m\ntry:\n m.main(sys.argv[1])\nfinally:\n print(os.nice(0))"
    shown = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)
    assert shown.returncode == 1
    assert shown.stdout == "19\n"
    assert shown.stderr.startswith(f"{tmp_path}: not a run folder")
    assert len(shown.stderr.splitlines()) == 1


def test_a_whole_run_leaves_a_report_with_its_comparison(real_run: Path) -> None:
    html = (real_run / "report.html").read_text()
    assert "finished" in html
    assert "human-written" in html
    assert "Keep the pole upright on the cart for as long as possible." in html


def test_a_run_without_its_report_is_as_good(real_run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(real_run, copy)
    (copy / "report.html").unlink()
    told: list[str] = []
    update_report(copy, ENVIRONMENT, told.append)
    assert (copy / "report.html").stat().st_size > 50_000
