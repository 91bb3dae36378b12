"""Runs side by side and one after the other: their folders, being stopped, going on, the table, loading."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_run import write_synthetic_run

import eureka
import eureka.app.multirun
from eureka.app.build import run_folder
from eureka.app.cli import main
from eureka.app.multirun import remaining_budget
from eureka.app.stopping import Terminated, termination_interrupts
from eureka.config import RunConfig
from eureka.core.errors import BudgetReached, StoreError
from eureka.proposers.openai import OpenAIConfig
from eureka.store import RunStore, runs_in

TINY = [
    *("task=cartpole", "llm=program_search", "search.generations=1", "search.samples=2", "search.finalists=1"),
    *("train.steps=2000", "train.checkpoints=1", "train.eval_episodes=2", "train.workers=1", "evaluation.seeds=0"),
    "report.films=none",
]


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished runs of one task."""
    folder = tmp_path_factory.mktemp("outputs")
    for name in ("first", "second"):
        write_synthetic_run(folder / "ant" / name, generations=2, samples=4, updates=20).close()
    return folder


# ---- folders -----------------------------------------------------------------------------------------------------


def test_runs_that_start_at_once_get_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    barrier = threading.Barrier(4)

    def start(_: int) -> Path:
        with run_folder(RunConfig(task="ant")) as folder:
            barrier.wait()
            (folder / "config.yaml").write_text("")
        return folder

    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(start, range(4)))
    assert len(set(folders)) == 4
    assert all(folder.parent == Path("outputs/ant") for folder in folders)
    with run_folder(RunConfig(task="ant")) as unused:
        pass
    assert not unused.exists()


def test_runs_below_folders(outputs: Path, tmp_path: Path) -> None:
    first, second = outputs / "ant" / "first", outputs / "ant" / "second"
    assert runs_in([outputs]) == [first, second]
    assert runs_in([second, outputs]) == [second, first]
    with pytest.raises(StoreError, match=r"no run folder and none below it \(no run\.db\)"):
        runs_in([tmp_path])


# ---- being stopped -----------------------------------------------------------------------------------------------


def test_a_termination_is_an_interrupt() -> None:
    def stopped() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        except Terminated:
            sys.exit(130)

    with pytest.raises(SystemExit) as caught, termination_interrupts():
        stopped()
    assert caught.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.process
def test_sent_again_a_line_goes_on_and_then_has_nothing_to_do(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "eureka", "run", *TINY, "output=run", "--continue"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": tmp_path}
    with subprocess.Popen(line, **pipes) as process:  # type: ignore[call-overload]
        for text in process.stdout:
            if "run folder" in text:
                process.send_signal(signal.SIGTERM)
                break
        assert process.wait(60) == 143
        assert "interrupted: `eureka resume run` goes on" in process.stderr.read()
    again = subprocess.run(line, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "best reward: g01-c0" in again.stdout
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "this run has finished" in done.stdout
    other = subprocess.run([*line, "seed=7"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert other.returncode == 2
    assert "run: holds a run with seed=0, and this one has seed=7: give it another output=" in other.stderr


def test_going_on_needs_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("run", "task=cartpole", "llm=program_search", "--continue") == 2
    assert "--continue needs output=DIR" in capsys.readouterr().err


# ---- several at once ---------------------------------------------------------------------------------------------


def test_commands_take_a_folder_of_runs(
    outputs: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ended("resume", str(outputs)) == 0
    assert capsys.readouterr().out.count("this run has finished") == 2
    assert ended("report", str(outputs)) == 0
    assert capsys.readouterr().out.count("wrote ") == 2
    assert ended("report", str(outputs), "--to", "page.html") == 2
    assert "holds 2 runs, and --to names one page" in capsys.readouterr().err
    assert ended("compare", str(outputs)) == 0
    assert (tmp_path / "comparison.html").is_file()


def test_the_table(outputs: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = [f"--{kind}={tmp_path / f'table.{kind}'}" for kind in ("csv", "latex", "json")]
    assert ended("table", str(outputs), *files) == 0
    shown = capsys.readouterr().out
    assert "what the searches found" in shown
    assert "count once" in shown
    assert {path.name for path in tmp_path.iterdir()} == {"table.csv", "table.latex", "table.json"}
    assert ended("table", str(tmp_path)) == 1
    assert "no run folder and none below it" in capsys.readouterr().err


def test_a_cap_counts_the_sweep() -> None:
    config = RunConfig(task="ant", llm=OpenAIConfig(model="m", max_usd=5.0))
    assert remaining_budget(config, 0.0) is None
    assert remaining_budget(config, 2.0) == 3.0
    with pytest.raises(BudgetReached, match=r"have spent \$5, and llm\.max_usd=5 counts all of a sweep"):
        remaining_budget(config, 5.0)
    each = replace(config, llm=OpenAIConfig(model="m", max_usd=5.0, max_usd_per_run=1.0))
    assert remaining_budget(each, 9.0) is None
    assert OpenAIConfig(max_usd=5.0, max_usd_per_run=1.0).usd_cap == 1.0
    assert OpenAIConfig(max_usd=5.0).usd_cap == 5.0


def test_runs_as_tables_of_pandas(outputs: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frames = eureka.load(str(outputs)).to_pandas()
    assert isinstance(frames.candidates, pandas.DataFrame)
    with RunStore.open(outputs / "ant" / "first", read_only=True) as store:
        results = store.results()
    mine = frames.trainings[frames.trainings.run == str(outputs / "ant" / "first")]
    assert list(mine.score) == [result.score for result in results]
    assert set(frames.candidates.run) == {str(outputs / "ant" / name) for name in ("first", "second")}
    assert len(frames.candidates) == 16
    first = frames.curves[frames.curves.run == str(outputs / "ant" / "first")]
    points = first[(first.candidate == results[0].candidate_id) & (first.seed == results[0].seed)]
    assert list(points[points.quantity == "metric"].value) == list(results[0].metric)
    assert set(frames.evaluations.role) == {"best", "human", "sparse"}
