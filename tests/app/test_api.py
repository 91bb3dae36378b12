"""A search from Python, inside of a program that uses Hydra itself."""

from __future__ import annotations

import html
import io
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hydra import initialize
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra

import eureka
from eureka.app.configs import from_yaml
from eureka.app.session import SearchSession
from eureka.core.errors import ConfigError, StoreError
from eureka.evaluation import Role
from eureka.sandbox.libc import prctl
from eureka.store import RunStore
from eureka.ui.console.output import Mode, mode

pytestmark = pytest.mark.process

_GET_DUMPABLE = 3
TINY: dict[str, Any] = {
    "llm": "program_search",
    "search": {"generations": 1, "samples": 2, "finalists": 1},
    "train": {"steps": 2000, "eval_episodes": 2, "checkpoints": 1},
    "evaluation": {"seeds": 2},
}


@dataclass
class Privacy:
    """What was seen of this process and those below it while a search ran, every 20 ms."""

    dumpable: list[int] = field(default_factory=list)
    core_bytes: set[int] = field(default_factory=set)
    num_children: int = 0
    key_in_a_child: bool = False

    @contextmanager
    def watched(self, folder: Path, key: str) -> Iterator[None]:
        ended = threading.Event()

        def look() -> None:
            while not ended.wait(0.02):
                if (folder / "run.db").exists():
                    self.dumpable.append(prctl(_GET_DUMPABLE))
                    self.core_bytes.add(resource.getrlimit(resource.RLIMIT_CORE)[0])
                    children = _below("self")
                    self.num_children = max(self.num_children, len(children))
                    self.key_in_a_child |= any(key in _environment(child) for child in children)

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _below(pid: str) -> list[str]:
    """The processes that a process started, and theirs."""
    with suppress(OSError):  # it has ended
        texts = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
        return [each for text in texts for child in text.split() for each in (child, *_below(child))]
    return []


def _environment(pid: str) -> str:
    with suppress(OSError):  # it has ended, or lets nobody look
        return Path(f"/proc/{pid}/environ").read_text(errors="replace")
    return ""


PRIVACY = Privacy()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[eureka.FinishedRun, str]:
    """A tiny run and what it printed, made while the caller has a Hydra of its own and a key is set."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    os.environ["OPENAI_API_KEY"] = "sk-of-the-caller"
    printed = io.StringIO()
    try:
        with initialize(version_base=None, config_path=None):
            own = GlobalHydra.instance(), ConfigStore.instance()
            with redirect_stdout(printed), PRIVACY.watched(folder, "sk-of-the-caller"):
                run = eureka.evolve("cartpole", ["seed=5"], quiet=True, seed=3, output=folder, **TINY)
            assert (GlobalHydra.instance(), ConfigStore.instance()) == own
            assert GlobalHydra.instance().is_initialized()
        assert os.environ["OPENAI_API_KEY"] == "sk-of-the-caller"
    finally:
        del os.environ["OPENAI_API_KEY"]
    return run, printed.getvalue()


def test_it_gives_the_run(finished: tuple[eureka.FinishedRun, str]) -> None:
    run, printed = finished
    assert printed == ""
    assert run.task == "cartpole"
    assert run.best in ("g01-c01", "g01-c02")
    assert f"Candidate: {run.best}" in run.reward
    assert run.reward_path == run.folder / "best" / "reward.py"
    assert run.policy_path.stat().st_size > 0
    with RunStore.open(run.folder, read_only=True) as store:
        config = from_yaml(store.config_yaml)
        assert store.is_finished
    # Overrides win over keys; mappings reach the parts of the config.
    assert (config.seed, config.search.samples, config.train.steps) == (5, 2, 2000)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are private on Linux")
def test_this_process_is_private_while_it_searches_and_as_before_when_it_has(
    finished: tuple[eureka.FinishedRun, str],
) -> None:
    # From the first record on; the last look may come when the search has just returned.
    assert len(PRIVACY.dumpable) > 10
    assert set(PRIVACY.dumpable[:-2]) == {0}
    assert prctl(_GET_DUMPABLE) == 1
    assert 0 in PRIVACY.core_bytes
    assert PRIVACY.num_children > 1
    assert not PRIVACY.key_in_a_child


def test_the_table_has_every_training(finished: tuple[eureka.FinishedRun, str]) -> None:
    run, _ = finished
    assert run.comparison is not None
    best = run.comparison.method(Role.BEST)
    assert best is not None
    assert best.seeds == (1000, 1001)
    lines = run.table.splitlines()
    assert lines[0] == "cartpole: score of every training (s)"
    assert lines[1].split() == ["seed", "1000", "1001"]
    assert lines[2].startswith(f"best ({run.best})")
    assert "for 2,048 control steps, as in the search; " in run.table
    assert run._repr_html_() == f"<pre>{html.escape(str(run))}</pre>"
    assert str(replace(run, comparison=None)) == f"best reward: {run.best}, as a module: {run.reward_path}"
    assert replace(run, comparison=None).table == ""


def test_what_is_wrong_is_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"search.sample=2.*did you mean search.samples"):
        eureka.evolve(task="cartpole", search={"sample": 2}, quiet=True)
    assert mode() is Mode.NORMAL
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="exists already"):
        eureka.evolve(task="cartpole", llm="program_search", output=tmp_path, quiet=True)


def test_an_interrupted_run_says_how_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(self: SearchSession, store: RunStore, *, watch: bool) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SearchSession, "search", interrupt)
    folder = tmp_path / "run"
    values: dict[str, Any] = {"output": folder, "search.hint": None, "evaluation.cache": False}
    with pytest.raises(KeyboardInterrupt):
        # One override and one folder need no list.
        eureka.evolve("cartpole", "seed=4", task_dirs=str(tmp_path), llm="program_search", **values)
    assert capsys.readouterr().err == f"interrupted: `eureka resume {folder} --task-dir {tmp_path}` goes on\n"
    with RunStore.open(folder, read_only=True) as store:
        config = from_yaml(store.config_yaml)
    assert (config.search.hint, config.evaluation.cache, config.seed) == (None, False, 4)


def test_importing_eureka_is_light() -> None:
    program = (
        "import sys, eureka\n"
        "print(eureka.__version__, any(name in sys.modules for name in ('torch', 'hydra', 'numpy')))\n"
        "print(eureka.evolve.__module__)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == f"{eureka.__version__} False\neureka.api\n"
    with pytest.raises(AttributeError, match="module 'eureka' has no attribute 'evolv'"):
        _ = eureka.evolv  # type: ignore[attr-defined]
