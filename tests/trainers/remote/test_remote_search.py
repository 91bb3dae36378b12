"""A whole small search in another interpreter, killed and resumed, and its reward handed over: against a stand-in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from simulator_helpers import environment

from eureka.evaluation import Role, read_comparison
from eureka.store import RunStore

pytest.importorskip("rsl_rl")
pytestmark = pytest.mark.process

PYTHON = f"mjlab.python={sys.executable}"
KEYS = (
    "env=mjlab:Mjlab-Point",
    PYTHON,
    "llm=program_search",
    "search.init=human",
    "search.generations=2",
    "search.samples=2",
    "search.finalists=1",
    "train.steps=128",
    "train.num_envs=4",
    "train.checkpoints=2",
    "train.eval_episodes=2",
    "evaluation.seeds=1",
)


def eureka(*arguments: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "eureka", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=variables)


@pytest.mark.timeout(900)
def test_two_generations_killed_and_resumed(tmp_path: Path) -> None:
    variables = environment(XDG_CACHE_HOME=str(tmp_path / "cache"), PYTHONUNBUFFERED="1")
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "eureka", "run", *KEYS, f"output={folder}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables, start_new_session=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if "seed 0:" in line:
                os.killpg(child.pid, signal.SIGKILL)
                break
    with RunStore.open(folder, read_only=True) as store:
        before = {(result.candidate_id, result.seed): result.final_scores for result in store.results()}
        assert "so it is return" in store.facts().trainer
        # The search starts from the task's own table, term by term.
        assert next(iter(before)) == ("g01-c00", 0)
        assert "2.0 * term_distance" in (store.candidate_folder("g01-c00") / "source.py").read_text()
    # What names a program is not taken from a folder that may be anybody's: it is given again.
    other = {**variables, "XDG_STATE_HOME": str(tmp_path / "elsewhere")}
    refused = eureka("resume", str(folder), variables=other)
    assert refused.returncode != 0
    assert "mjlab.python=" in refused.stderr
    done = eureka("resume", str(folder), PYTHON, variables=variables)
    assert done.returncode == 0, done.stdout + done.stderr
    with RunStore.open(folder, read_only=True) as store:
        assert store.is_finished
        after = {(result.candidate_id, result.seed): result.final_scores for result in store.results()}
    assert before.items() <= after.items()
    comparison = read_comparison(folder)
    assert comparison is not None
    assert [method.role for method in comparison.methods] == [Role.BEST, Role.HUMAN]
    package = tmp_path / "package"
    written = eureka("export", str(folder), "--to", "mjlab", "--output", str(package), variables=variables)
    assert written.returncode == 0, written.stderr
    assert "train Mjlab-Point-Eureka" in written.stdout
    assert (package / "eureka_mjlab_point" / "reward.py").is_file()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "env=mjlab:Mjlab-Point"], "env=mjlab:Mjlab-Point: add mjlab.python=PATH"),
        (["run", "env=isaaclab:Isaac-Point-v0", "isaaclab.python=nowhere"], "nowhere is no program"),
        (["doctor", "mjlab=3"], "eureka doctor takes mjlab.python=PATH, isaaclab.python=PATH, maniskill.python=PATH"),
    ],
)
def test_one_sentence_for_what_is_wrong(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    variables = environment(XDG_CACHE_HOME=str(tmp_path))
    failed = eureka(*arguments, variables=variables)
    assert failed.returncode != 0
    (line,) = failed.stderr.strip().splitlines()
    assert sentence in line


def test_doctor_asks_the_other_interpreter(tmp_path: Path) -> None:
    done = eureka("doctor", PYTHON, variables=environment(XDG_CACHE_HOME=str(tmp_path)))
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("mjlab.python")]
    assert "; mjlab 1.6.0; rsl_rl " in line
