"""Films that are made beside a run: waited for but not long, and never at the run's cost."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from records import finish

import eureka.ui.video.queue
from eureka.app.configs import compose_config
from eureka.config import Films, to_yaml
from eureka.core.training import TrainingResult
from eureka.core.types import Candidate, Completion
from eureka.store import RunStore
from eureka.ui.video.film import read_note
from eureka.ui.video.queue import FilmQueue, update_films

pytestmark = pytest.mark.usefixtures("films_beside")
ENVIRONMENT = dict(os.environ)
BEST = Path("best/rollout.mp4")


@pytest.fixture
def run(tmp_path: Path, make_result: Callable[..., TrainingResult]) -> Iterator[RunStore]:
    """A run with one candidate."""
    with RunStore.create(tmp_path / "run", to_yaml(compose_config(["task=cartpole"], []))) as store:
        store.record_completion(Completion("g01-c01", "", "model"))
        store.record_candidate(Candidate("g01-c01", "", ("pole_angle",)))
        store.record_result(make_result("g01-c01", (1.0,)))
        finish(store, 1, "g01-c01")
        yield store


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Stands for the interpreter: runs `script`, and keeps its process id and arguments in a file."""
    program = folder / "python"
    program.write_text(f'#!/bin/sh\necho "$$ $*" >> {folder}/started\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


def started(folder: Path) -> list[list[str]]:
    """Process id and arguments of everything that was started; waits for the first."""
    deadline = time.monotonic() + 20
    path = folder / "started"
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return [line.split() for line in path.read_text().splitlines()]


def is_alive(pid: str) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.process
def test_the_end_of_a_run_does_not_wait_for_long(
    run: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, "sleep 60 & exec sleep 60")
    monkeypatch.setattr(eureka.ui.video.queue, "WAIT_S", 0.3)
    before = time.monotonic()
    said: list[str] = []
    update_films(run, Films.best, ENVIRONMENT, said.append)
    assert time.monotonic() - before < 5.0
    assert said == [
        "filming policies for the report (at most 0 s)",
        f"the rest is not filmed: eureka report {run.folder} --films does it, some seconds a policy",
    ]
    (pid, *arguments), *_ = started(tmp_path)
    assert arguments == ["-P", "-m", "eureka.ui.video", "19"]
    assert not is_alive(pid)
    assert read_note(run.folder, BEST) is None, "a film that was given up is none that cannot be made"


@pytest.mark.process
def test_an_interrupted_run_leaves_no_process(run: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "exec sleep 60")
    queue = FilmQueue(run, Films.all, ENVIRONMENT, print)
    queue.film_report()
    pid = started(tmp_path)[0][0]
    with pytest.raises(KeyboardInterrupt), queue:
        raise KeyboardInterrupt
    assert not is_alive(pid)


@pytest.mark.process
def test_a_process_that_dies_costs_one_film(run: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "kill -9 $$")
    for _ in range(2):
        said: list[str] = []
        update_films(run, Films.all, ENVIRONMENT, said.append)
        assert said in ([], ["filming policies for the report (at most 10 s)"])
    note = read_note(run.folder, BEST)
    assert note is not None
    assert note.error == "the video cannot be made: killed by signal 9"
    assert len(started(tmp_path)) == 2, "of two films, each tried once"


@pytest.mark.process
def test_what_cannot_draw_is_said_once(run: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reply = '{"video":null,"error":"nothing here can draw","can_draw":false}'
    stand_in(tmp_path, monkeypatch, f"read -r line; echo '{reply}'")
    said: list[str] = []
    with FilmQueue(run, Films.all, ENVIRONMENT, said.append) as queue:
        for _ in range(3):
            queue.film_report()
        queue.finish()
        queue.film_report()
    assert [text for text in said if "at most" not in text] == ["no films: nothing here can draw"]
    assert (run.folder / "no_films.txt").read_text() == "nothing here can draw"
    assert len(started(tmp_path)) == 1


@pytest.mark.process
def test_a_process_that_cannot_be_started_is_said(
    run: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing here"))
    said: list[str] = []
    update_films(run, Films.all, ENVIRONMENT, said.append)
    (failure,) = [text for text in said if "at most" not in text]
    assert failure.startswith("no films: the process that films cannot be started: ")
    assert "No such file" in failure


def test_a_run_that_wants_no_films_starts_nothing(
    run: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, "exit 0")
    update_films(run, Films.none, ENVIRONMENT, print)
    assert not (tmp_path / "started").exists()
