"""Films that are made beside a run: started and told, waited for but not long, and never at the run's cost."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

import eureka.ui.video.film_writer
from eureka.config import Films
from eureka.ui.video.film_writer import FilmWriter, update_films

pytestmark = pytest.mark.usefixtures("films_beside")
ENVIRONMENT = dict(os.environ)


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Stands for the interpreter: runs `script`, and keeps its arguments and process id in a file."""
    program = folder / "python"
    program.write_text(f'#!/bin/sh\necho "$$ $*" >> {folder}/started\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


def wait_for(path: Path, text: str = "") -> str:
    deadline = time.monotonic() + 20
    while not (path.exists() and text in path.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return path.read_text()


def is_alive(pid: str) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_one_process_is_started_and_told_of_every_generation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, f"while read -r line; do echo look >> {tmp_path}/told; done; sleep 0.2; exit 0")
    told: list[str] = []
    with FilmWriter(tmp_path, Films.all, ENVIRONMENT, told.append) as writer:
        before = time.monotonic()
        for _ in range(3):
            writer.start()
        assert time.monotonic() - before < 1.0
        wait_for(tmp_path / "told", "look\nlook\n")
        writer.finish()
    (started,) = (tmp_path / "started").read_text().splitlines()
    pid, *arguments = started.split()
    assert arguments == ["-P", "-m", "eureka.ui.video.filming", str(tmp_path), "all", "19"]
    assert not is_alive(pid)
    # Once more at the end: what the last trainings gave.
    assert (tmp_path / "told").read_text() == "look\n" * 3
    assert told == ["filming policies for the report (at most 10 s)"]


def test_the_end_of_a_run_does_not_wait_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "sleep 60 & exec sleep 60")
    monkeypatch.setattr(eureka.ui.video.film_writer, "WAIT_S", 0.3)
    before = time.monotonic()
    told: list[str] = []
    update_films(tmp_path, Films.best, ENVIRONMENT, told.append)
    assert time.monotonic() - before < 5.0
    assert told[-1] == f"the rest is not filmed: eureka report {tmp_path} --films does it, some seconds a policy"
    assert not is_alive(wait_for(tmp_path / "started").split()[0])


def test_an_interrupted_run_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "exec sleep 60")
    writer = FilmWriter(tmp_path, Films.all, ENVIRONMENT, print)
    writer.start()
    pid = wait_for(tmp_path / "started", "\n").split()[0]
    with pytest.raises(KeyboardInterrupt), writer:
        raise KeyboardInterrupt
    assert not is_alive(pid)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo first >&2; echo 'nothing here can draw' >&2; exit 1", "nothing here can draw"),
        ("kill -9 $$", "killed by signal 9"),
    ],
)
def test_a_failure_is_told_once_and_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    stand_in(tmp_path, monkeypatch, script)
    told: list[str] = []
    with FilmWriter(tmp_path, Films.all, ENVIRONMENT, told.append) as writer:
        writer.start()
        pid = wait_for(tmp_path / "started", "\n").split()[0]
        while is_alive(pid) and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
            time.sleep(0.01)
        for _ in range(3):
            writer.start()
        writer.finish()
    assert told == [f"no films in the report: {reason}"]
    assert len((tmp_path / "started").read_text().splitlines()) == 1


def test_a_process_that_cannot_be_started_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing here"))
    told: list[str] = []
    update_films(tmp_path, Films.all, ENVIRONMENT, told.append)
    assert len(told) == 1
    assert "No such file" in told[0]


def test_a_run_that_wants_no_films_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "exit 0")
    update_films(tmp_path, Films.none, ENVIRONMENT, print)
    assert not (tmp_path / "started").exists()
