"""Run folders of somebody else's: none decides by itself which code is imported or how code is confined."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import SMALL, RunHere, run_cli

from eureka.store import RunStore

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run that names a task folder inside itself, whose env.py says that it was imported."""
    place = tmp_path_factory.mktemp("received")
    small = [*SMALL, "search.generations=1", "search.samples=1", "train.steps=500", "evaluation.seeds=0"]
    assert run_cli("run", *small, "output=run", cwd=place).returncode == 0
    task = place / "run" / "tasks" / "cartpole"
    task.mkdir(parents=True)
    (task / "task.yaml").touch()
    (task / "env.py").write_text(f"from pathlib import Path\nPath({str(place / 'imported')!r}).touch()\n")
    with RunStore.open(place / "run") as store:
        store._database.set_value("fact", "task_dirs", json.dumps([str(place / "run" / "tasks"), "run/tasks"]))
        store._database.set_value("meta", "finished", "no")
    return place


@pytest.mark.parametrize("command", [["resume"], ["evaluate", "--seeds", "1"], ["play"], ["report", "--films"]])
def test_a_run_folder_names_no_code(received: Path, command: list[str], run_here: RunHere) -> None:
    name, *options = command
    result = run_here(name, "run", *options, cwd=received)
    assert result.returncode == 2
    own = received / "run" / "tasks"
    assert result.stderr == (
        f"error: run: this run used the task folders {own}, run/tasks, whose env.py are code: give --task-dir {own} "
        "--task-dir run/tasks again if you trust them\n"
    )
    assert not (received / "imported").exists()


@pytest.mark.parametrize("command", [["export", "run"], ["report", "run"], ["compare", "run", "run"]])
def test_what_only_reads_a_run_folder_needs_no_task(received: Path, command: list[str], run_here: RunHere) -> None:
    result = run_here(*command, cwd=received)
    assert result.returncode == 0, result.stderr
    if command[0] == "export":
        assert result.stdout == (received / "run" / "best" / "reward.py").read_text()
    assert not (received / "imported").exists()


def test_what_is_said_of_confinement_is_what_is_in_force(tmp_path: Path, run_here: RunHere) -> None:
    small = [*SMALL, "search.generations=1", "search.samples=1", "train.steps=500", "evaluation.seeds=0"]
    assert run_here("run", *small, "sandbox=unsafe", "output=run", cwd=tmp_path).returncode == 0
    with RunStore.open(tmp_path / "run") as store:
        store._database.set_value("fact", "sandbox layers", "seccomp on; landlock on")
        store._database.set_value("meta", "finished", "no")
        identity = store.facts().run_id
        store._database.set_value("fact", "run id", "0" * 32)  # somebody else's
    refused = run_here("resume", "run", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert (
        "its config has sandbox=unsafe, which a run folder may not decide: give sandbox=unsafe again" in refused.stderr
    )
    told = run_here("resume", "run", "sandbox=unsafe", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "seccomp off" in told.stdout
    assert "seccomp on" not in told.stdout
    assert "UNSAFE: generated code ran without confinement" in told.stdout
    with RunStore.open(tmp_path / "run") as store:
        store._database.set_value("fact", "run id", identity)
        store._database.set_value("fact", "resumed with", "[]")
        store._database.set_value("meta", "finished", "no")
    own = run_here("resume", "run", cwd=tmp_path)
    assert own.returncode == 0, own.stderr
    assert "UNSAFE: generated code ran without confinement" in own.stdout
