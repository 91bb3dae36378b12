"""Without what macOS and Windows lack: the commands that read work, and a run says what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from synthetic_run import write_synthetic_run

from eureka.core import machine
from eureka.core.errors import StoreError
from eureka.store.lock import FolderLock

WITHOUT = """
import os, sys
sys.modules["resource"] = sys.modules["fcntl"] = None
del os.sched_getaffinity
from eureka.app.cli import main
main(sys.argv[1:])
"""


def eureka(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_cores_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.usable_cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")
    assert machine.usable_cores() == os.cpu_count()
    monkeypatch.setattr(machine, "resource", None)
    assert machine.peak_bytes() == 0
    with machine.no_core_files():
        pass
    monkeypatch.delattr(os, "sysconf")
    assert machine.memory_bytes() is None


class Msvcrt:
    """Windows' locks on bytes, of other processes too, by file and place."""

    LK_NBLCK = 2

    def __init__(self) -> None:
        self.held: set[tuple[int, int]] = set()

    def locking(self, descriptor: int, mode: int, size: int) -> None:
        assert (mode, size) == (self.LK_NBLCK, 1)
        place = (os.fstat(descriptor).st_ino, os.lseek(descriptor, 0, os.SEEK_CUR))
        if place in self.held:
            raise PermissionError(13, "Permission denied")
        self.held.add(place)


def test_a_run_has_one_writer_on_windows_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    windows = Msvcrt()
    monkeypatch.setattr(machine, "fcntl", None)
    monkeypatch.setattr(machine, "msvcrt", windows)
    # Neither pread and pwrite nor O_NOFOLLOW are there.
    for name in ("pread", "pwrite", "O_NOFOLLOW"):
        monkeypatch.delattr(os, name)
    held = FolderLock(tmp_path)
    assert (tmp_path / "run.lock").read_text() == f"{os.getpid()}\n"
    # What is locked lies behind the text, which Windows could not read otherwise.
    ((_, place),) = windows.held
    assert place > len((tmp_path / "run.lock").read_text())
    held.release()
    # Our stand-in's lock is still held, as by another process.
    with pytest.raises(StoreError, match=rf"process {os.getpid()} is writing this run; wait for it or stop it first"):
        FolderLock(tmp_path)


@pytest.mark.process
def test_commands_that_read_work_without_them(tmp_path: Path) -> None:
    write_synthetic_run(tmp_path / "run", generations=2, samples=4, updates=20).close()
    for command in (["doctor"], ["report", "run"], ["compare", "run"], ["table", "run"], ["config", "llm"]):
        result = eureka(*command, cwd=tmp_path)
        assert result.returncode == 0, result.stderr


@pytest.mark.process
def test_an_unconfined_run_works_without_them(tmp_path: Path) -> None:
    small = ["task=cartpole", "llm=program_search", "search.generations=1", "search.samples=1", "search.finalists=1"]
    small += ["train.steps=2000", "train.checkpoints=1", "train.eval_episodes=1", "train.workers=1"]
    small += ["evaluation.seeds=0", "report.films=none", "output=run"]
    result = eureka("run", *small, "sandbox=unsafe", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    exported = eureka("export", "run", "--to", "reward.py", cwd=tmp_path)
    assert exported.returncode == 0, exported.stderr
    assert (tmp_path / "reward.py").read_text() == (tmp_path / "run" / "best" / "reward.py").read_text()


def test_another_system_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from eureka.core.errors import SandboxUnavailable
    from eureka.sandbox import Sandbox

    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SandboxUnavailable, match=r"confinement needs Linux, this is darwin.*docs/installation\.md"):
        Sandbox().start()
