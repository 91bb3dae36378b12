"""Child processes: what they are given, how they end, and what is said of one that died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from eureka.core import processes
from eureka.core.errors import StoreError
from eureka.core.processes import (
    Child,
    child_environment,
    errors_end_process,
    module_command,
    python_command,
    waited_s,
)

pytestmark = pytest.mark.process

AUTOGROUP = Path("/proc/self/autogroup")
LOWER = (
    "import os, eureka.core.processes as p; p.lower_priority(7); print(os.nice(0), open('/proc/self/autogroup').read())"
)
IGNORES_SIGTERM = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
print(child or "", flush=True)
time.sleep(60)
"""


def shell(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


def is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel does not weigh sessions")
@pytest.mark.parametrize("own_session", [True, False])
def test_a_session_of_its_own_goes_last_as_a_whole_and_nobody_elses_does(own_session: bool) -> None:
    before = AUTOGROUP.read_text()  # empty where a container weighs what was started with it as one
    with Child(python_command("-c", LOWER), os.environ, stdout=True, own_session=own_session) as child:
        niceness, *group = child.stdout.read().split()
        assert child.reason() == "ended with status 0"
    assert int(niceness) == os.nice(0) + 7  # the tests may have been started with `nice`
    assert group[-1:] == ["7"] if own_session else group == before.split()
    assert AUTOGROUP.read_text() == before


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo anything >&2; kill -9 $$", "killed by signal 9"),
        ("echo first >&2; echo last >&2; exit 3", "last"),
        ("echo ' ' >&2; exit 3", "ended with status 3"),
    ],
)
def test_the_reason_of_an_end(script: str, reason: str) -> None:
    with Child(shell(script), {}) as child:
        assert child.wait(20.0)
        assert child.reason() == reason


def test_a_log_is_appended_to(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for word in ("one", "two"):
        with Child(shell(f"echo {word} >&2"), {}, log=log) as child:
            child.wait()
            assert child.last_line() == word
    assert log.read_text() == "one\ntwo\n"


def test_the_last_line_of_one_that_still_writes_disturbs_nothing() -> None:
    with Child(
        shell("echo one >&2; echo; read -r go; echo two >&2; echo three >&2"), {}, stdin=True, stdout=True
    ) as child:
        child.stdout.readline()
        assert child.last_line() == "one"
        assert child.send("go")
        assert child.reason() == "three"


def test_lines_are_exchanged_until_one_ends() -> None:
    with Child(shell("read -r line; echo got $line"), {"PATH": os.environ["PATH"]}, stdin=True, stdout=True) as child:
        assert child.returncode is None
        assert child.send("this")
        assert child.stdout.readline() == "got this\n"
        assert child.wait(20.0)
        assert not child.send("more")
        child.close_stdin()


def test_a_clock_runs_while_one_is_waited_for() -> None:
    with Child(["sleep", "60"], os.environ) as child:
        assert not child.wait(0.05)
        child.end()
        assert child.returncode == -signal.SIGKILL
    assert not is_alive(child.pid)


def test_one_that_ignores_a_signal_is_killed_with_its_children() -> None:
    with Child(python_command("-c", IGNORES_SIGTERM), os.environ, stdout=True) as child:
        grandchild = int(child.stdout.readline().strip() or child.stdout.readline())
        assert is_alive(grandchild)
        child.end(grace_s=0.2)
        assert child.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 20
    while is_alive(grandchild):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_that_is_told_to_end_may_end_in_its_own_way() -> None:
    with Child(shell("trap 'exit 7' TERM; echo; while :; do sleep 0.01; done"), os.environ, stdout=True) as child:
        child.stdout.readline()
        child.end(grace_s=20.0)
        assert child.returncode == 7


def test_what_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing here"):
        Child([str(tmp_path / "nothing here")], {})


def test_a_relative_interpreter_is_found_from_another_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", os.path.relpath(sys.executable))
    command = module_command("this", "unused")
    assert command[1:] == ["-P", "-m", "this", "unused"]
    (tmp_path / "below" / "deeper").mkdir(parents=True)
    said = subprocess.run(command, cwd=tmp_path / "below" / "deeper", capture_output=True, text=True, check=True)
    assert "Beautiful is better than ugly" in said.stdout


def test_a_child_is_given_no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    given = child_environment(
        {
            "PATH": "/bin",
            "OPENAI_API_KEY": "secret",
            "LC_ALL": "C",
            "PYTHONPATH": "here::/there",
            "OMP_NUM_THREADS": "9",
        }
    )
    assert given == {
        "PATH": "/bin",
        "LC_ALL": "C",
        "PYTHONPATH": f"{tmp_path / 'here'}:/there",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


def test_an_error_of_ours_ends_a_child_with_one_line() -> None:
    with pytest.raises(SystemExit, match=r"^two lines$"), errors_end_process():
        raise StoreError("two\n  lines")


def test_a_child_that_says_nothing_is_silent_until_it_is_heard_again() -> None:
    with Child(shell("sleep 60"), child_environment(os.environ)) as child:
        assert not child.is_silent(60.0)
        time.sleep(0.2)
        assert child.is_silent(0.1)
        child.heard()
        assert not child.is_silent(0.1)


def test_the_time_for_which_a_child_waits_for_a_processor_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    with Child(shell("sleep 60"), child_environment(os.environ)) as child:
        time.sleep(0.4)
        monkeypatch.setattr(processes, "waited_s", lambda pid: 0.2)
        assert child.is_silent(0.1)
        monkeypatch.setattr(processes, "waited_s", lambda pid: 0.35)
        assert not child.is_silent(0.1)


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="this system does not tell who waited")
def test_what_shares_a_processor_waits_for_it() -> None:
    (first, *_) = os.sched_getaffinity(0)
    busy = f"import os; os.sched_setaffinity(0, [{first}])\nwhile True: pass"
    environment = child_environment(os.environ)
    with Child(python_command("-c", busy), environment) as one, Child(python_command("-c", busy), environment) as other:
        until = time.monotonic() + 30.0
        while min(waited_s(one.pid), waited_s(other.pid)) < 0.3 and time.monotonic() < until:
            time.sleep(0.1)
        assert min(waited_s(one.pid), waited_s(other.pid)) >= 0.3
    assert waited_s(one.pid) == 0.0  # it is gone
