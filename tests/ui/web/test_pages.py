"""What is served: a run, a list of runs, and word of every change, whoever else has the run open."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from live_server import serving

from eureka.app.cli import main
from eureka.core.errors import EurekaError, StoreError
from eureka.search.loop import evolve
from eureka.search.run import Run
from eureka.store import RunStore, find_runs
from eureka.ui.web.live_page import live_page
from eureka.ui.web.pages import Page as PageOfRun
from eureka.ui.web.pages import Pages
from eureka.ui.web.runs import version
from eureka.ui.web.server import serving as bound

Grow = Callable[[Path, int], None]
Open = Callable[[Path, int], Run]


def next_data(lines: object) -> str:
    return next(line for line in lines if line.startswith("data: ")).removeprefix("data: ")  # type: ignore[attr-defined]


def test_runs_are_found_below_a_folder(tmp_path: Path, grow: Grow) -> None:
    for name in ("ant/2026-01-01", "ant/2026-02-01", "lone", "sweep/ant/2026-03-01"):
        grow(tmp_path / name, 1)
    (tmp_path / "ant" / "no run").mkdir()
    assert list(find_runs(tmp_path)) == ["lone", "sweep~ant~2026-03-01", "ant~2026-02-01", "ant~2026-01-01"]
    assert list(find_runs(tmp_path / "lone")) == ["lone"]
    assert find_runs(tmp_path / "ant" / "no run") == {}


def test_every_record_is_a_new_version(tmp_path: Path, opened: Open) -> None:
    folder = tmp_path / "run"
    assert version(folder) == ""
    run = opened(folder, 1)
    versions = []
    for step in range(6):
        run.store._database.set_value("fact", "step", str(step))
        versions.append(version(folder))
    run.store.close()
    versions.append(version(folder))
    assert len(set(versions)) == 7


def test_the_list_says_how_each_run_stands(tmp_path: Path, grow: Grow) -> None:
    grow(tmp_path / "ant" / "one", 1)
    (tmp_path / "ant" / "broken").mkdir()
    (tmp_path / "ant" / "broken" / "run.db").write_text("<b>no database</b>")
    with serving(tmp_path) as served:
        page = served.ask("/").body
        assert "2 runs" in page
        assert '<a href="runs/ant~one/">ant/one</a>' in page
        assert "1 of 3 generations" in page
        assert "cannot be read" in page
        report = served.ask("/runs/ant~one/")
        assert 'id="g01-c02"' in report.body
        assert report.headers["eureka-version"] == version(tmp_path / "ant" / "one")
        unreadable = served.ask("/runs/ant~broken/")
        assert unreadable.status == 503
        assert "run.db is damaged or not a database" in unreadable.body
        assert served.ask("/runs/ant~other/").status == 404
        grow(tmp_path / "ant" / "two", 1)
        assert "3 runs" in served.ask("/").body


def test_a_folder_that_hangs_takes_no_page_but_its_own(
    tmp_path: Path, grow: Grow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it is asked for: more requests than the server has threads wait for it."""
    grow(tmp_path / "slow", 1)
    grow(tmp_path / "good", 1)
    release, render = threading.Event(), Pages.run

    def run(pages: Pages, name: str, folder: Path) -> PageOfRun:
        if name == "slow":
            release.wait(60)
        return render(pages, name, folder)

    monkeypatch.setattr(Pages, "run", run)
    with serving(tmp_path) as served, ThreadPoolExecutor(60) as pool:
        waiting = [pool.submit(served.ask, "/runs/slow/") for _ in range(60)]
        time.sleep(0.5)
        assert served.ask("/runs/good/").status == 200
        assert not any(one.done() for one in waiting)
        release.set()
        assert {one.result().status for one in waiting} == {200}


def test_a_config_that_cannot_be_read_is_a_row_of_the_list(tmp_path: Path, grow: Grow) -> None:
    for name in ("good", "aliases"):
        grow(tmp_path / name, 1)
    with sqlite3.connect(tmp_path / "aliases" / "run.db") as database:
        database.execute("UPDATE meta SET value = ? WHERE key = 'config'", ("a: &a [1]\nb: [*a, *a]\n",))
    with serving(tmp_path) as served:
        page = served.ask("/").body
    assert "cannot be read" in page
    assert "1 of 3 generations" in page


def test_an_empty_folder_waits_for_runs(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        assert "No runs yet" in served.ask("/").body


def test_a_run_alone_is_shown_at_once(tmp_path: Path, grow: Grow) -> None:
    grow(tmp_path / "run", 1)
    with serving(tmp_path / "run") as served:
        answer = served.ask("/")
        assert (answer.status, answer.headers["location"]) == (307, "runs/run/")
        assert 'const overview = ""' in served.ask("/runs/run/").body


def test_a_run_that_asks_links_to_its_review(tmp_path: Path, grow: Grow) -> None:
    grow(tmp_path / "silent", 1)
    RunStore.create(tmp_path / "asking", "task: cartpole\nsearch: {feedback: ask}\n").close()
    with serving(tmp_path) as served:
        assert 'const review = "";' in served.ask("/").body
        assert 'const review = "";' in served.ask("/runs/silent/").body
        assert 'const review = "review/";' in served.ask("/runs/asking/").body
        assert served.ask("/runs/asking/review/").status == 200


def test_a_change_is_said_once_and_after_a_lost_connection_too(tmp_path: Path, grow: Grow) -> None:
    folder = tmp_path / "ant" / "run"
    grow(folder, 1)
    first = version(folder)
    with serving(tmp_path) as served:
        with (
            served.events(f"/runs/ant~run/events?version={first}") as lines,
            served.events("/events?version=0") as listed,
        ):
            assert next(lines) == "retry: 2000"
            before = next_data(listed)
            grow(folder, 2)
            changed = next_data(lines)
            assert changed != first
            assert next_data(listed) != before
        while changed != version(folder):  # there may have been more than one
            changed = version(folder)
        grow(folder, 3)
        # A browser that lost the connection says what it has seen.
        with served.events(f"/runs/ant~run/events?version={first}", {"Last-Event-ID": changed}) as lines:
            assert next_data(lines) == version(folder)


def test_a_film_is_a_change(tmp_path: Path, grow: Grow) -> None:
    grow(tmp_path / "run", 1)
    before = version(tmp_path / "run")
    assert version(tmp_path / "run") == before
    (tmp_path / "run" / "generation_01" / "candidate_01" / "rollout.mp4").write_bytes(b"film")
    assert version(tmp_path / "run") != before


def test_a_page_is_rendered_once_for_each_version(tmp_path: Path, grow: Grow) -> None:
    grow(tmp_path / "run", 1)
    pages = Pages(tmp_path)
    first = pages.run("run", tmp_path / "run")
    assert pages.run("run", tmp_path / "run") is first
    assert pages.overview() is pages.overview()
    assert pages.cost_s("run") > 0
    assert pages.cost_s("other") == 0
    grow(tmp_path / "run", 2)
    assert pages.run("run", tmp_path / "run").version == version(tmp_path / "run") != first.version


def test_a_run_that_is_watched_closes_as_if_it_were_not(tmp_path: Path, opened: Open) -> None:
    """Pages and events while it is written, and afterwards one plain file: nobody holds the database."""
    folder = tmp_path / "run"
    with serving(tmp_path) as served:
        run = opened(folder, 3)
        with served.events("/runs/run/events") as lines:
            with run.store:
                evolve(run)
                next_data(lines)
                assert 'id="g03-c02"' in served.ask("/runs/run/").body
            assert not (folder / "run.db-wal").exists()
        RunStore.open(folder).close()


def test_what_cannot_be_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StoreError, match="no such folder; name a run folder"), bound(tmp_path / "none"):
        pass
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(EurekaError, match=rf"127\.0\.0\.1:{port} cannot be listened on"),
            bound(tmp_path, port=port),
        ):
            pass
    with pytest.raises(EurekaError, match="give another --host"), bound(tmp_path, "no.such.host.invalid"):
        pass
    with pytest.raises(SystemExit):
        main(["run", "task=cartpole", "--multirun", "--watch"])
    assert "--watch follows one run" in capsys.readouterr().err


def test_the_usual_port_or_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr("eureka.ui.web.server.USUAL_PORT", port)
        with bound(tmp_path) as ready:
            assert ready.address.startswith("http://127.0.0.1:")
            assert f":{port}/" not in ready.address
    with bound(tmp_path, "::1", 0) as ready:
        assert ready.address.startswith("http://[::1]:")


# ---- processes ---------------------------------------------------------------------------------------------------


@pytest.mark.process
def test_eureka_watch_serves_until_interrupted(tmp_path: Path, grow: Grow) -> None:
    grow(tmp_path / "run", 1)
    command = [sys.executable, "-m", "eureka", "watch", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        told = process.stdout.readline()
        assert told.startswith("watch it at http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


@pytest.mark.process
def test_ctrl_c_before_the_server_listens_to_it_is_heard(
    tmp_path: Path, grow: Grow, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(tmp_path / "run", 1)
    with bound(tmp_path / "run", port=0) as ready:
        loop_factory = ready.server.config.get_loop_factory()

        def interrupted() -> object:
            signal.raise_signal(signal.SIGINT)
            return loop_factory

        monkeypatch.setattr(ready.server.config, "get_loop_factory", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ready.run()
    gc.collect()  # a coroutine that was made and not awaited warns now, and a warning fails


@pytest.mark.process
def test_a_page_beside_a_run_ends_with_it(tmp_path: Path, grow: Grow) -> None:
    grow(tmp_path / "run", 1)
    told: list[str] = []
    with live_page(tmp_path / "run", os.environ, told.append):
        _wait_for(lambda: bool(told))
        host, port = told[0].split()[3].removeprefix("http://").partition("/")[0].split(":")
        socket.create_connection((host, int(port)), timeout=5).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


@pytest.mark.process
def test_a_page_that_cannot_be_served_is_told_and_no_more(tmp_path: Path) -> None:
    told: list[str] = []
    with live_page(tmp_path / "none", os.environ, told.append):
        _wait_for(lambda: bool(told))
    assert "warning: the page is not served: " in told[0]
    assert "no such folder" in told[0]


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
