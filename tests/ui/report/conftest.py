"""Runs to report on: made up in several sizes, and a real one of Cartpole."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from synthetic_run import write_synthetic_run

from eureka.store import RunStore

REAL_RUN = [
    *("task=cartpole", "search.generations=2", "search.samples=2", "search.confirmation_seeds=0", "seed=3"),
    *("train.steps=4000", "train.eval_episodes=2", "evaluation.seeds=2", "evaluation.cache=false"),
    "report.films=none",
]


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunStore]:
    """Two generations of five: has rejected, repaired and hacked candidates, and a comparison."""
    with write_synthetic_run(tmp_path_factory.mktemp("small") / "run", 2, 8, updates=40) as store:
        yield store


@pytest.fixture(scope="session")
def large_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunStore]:
    """Five generations of sixteen, as long as an Ant search on a CPU."""
    with write_synthetic_run(tmp_path_factory.mktemp("large") / "run") as store:
        yield store


@pytest.fixture(scope="session")
def real_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished Cartpole run, written by the command line."""
    folder = tmp_path_factory.mktemp("real") / "run"
    subprocess.run(
        [sys.executable, "-m", "eureka", "run", *REAL_RUN, f"output={folder}"],
        check=True,
        capture_output=True,
        env={name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")},
    )
    return folder


@pytest.fixture(scope="session")
def filmed_run(real_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the run with its films, and its report with them."""
    folder = tmp_path_factory.mktemp("filmed") / "run"
    shutil.copytree(real_run, folder)
    command = [sys.executable, "-m", "eureka", "report", str(folder), "--films"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if (folder / "no_films.txt").exists():
        pytest.skip(done.stderr)
    assert (done.returncode, done.stderr) == (0, "")
    return folder
