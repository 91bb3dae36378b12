"""SIGKILL at random moments of a run that Stable-Baselines3 trains: what was recorded stays, and nothing is done twice.

Such a run is not bitwise the same as an undisturbed one, because environments begin new episodes when it is carried on.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from eureka.store import RunStore

pytest.importorskip("stable_baselines3")
pytestmark = pytest.mark.process

SETTINGS = (
    "env=CartPole-v1",
    "description=balance the pole",
    "llm=program_search",
    "search.generations=2",
    "search.samples=3",
    "search.finalists=2",
    "search.confirmation_seeds=1",
    "train.steps=3072",
    "train.eval_episodes=2",
    "evaluation.seeds=1",
    "evaluation.cache=false",
    "report.films=none",
)
KILLS = 10

Scores = dict[tuple[str, int], tuple[int, tuple[float, ...]]]


def recorded(folder: Path) -> tuple[Scores, dict[str, list[str]]]:
    """The results by candidate and seed with their steps, and the answers."""
    with RunStore.open(folder, read_only=True) as store:
        results = list(store.results())
        found = {(each.candidate_id, each.seed): (each.trained_steps, each.final_scores) for each in results}
        assert len(found) == len(results)
        return found, {name: [each.text for each in answers] for name, answers in store.completions().items()}


def wait_for_result(process: subprocess.Popen[bytes], folder: Path, known: int) -> bool:
    """Until one more training than `known` has a result; False where the process ends before."""
    while process.poll() is None:
        if (folder / "run.db").exists() and len(recorded(folder)[0]) > known:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.wide
@pytest.mark.timeout(3600)
def test_ten_kills_lose_nothing_that_was_recorded(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = ["run", *SETTINGS, f"output={folder}"]
    moments = random.Random(0)
    kills, after_results, results, answers = 0, 0, Scores(), dict[str, list[str]]()
    while True:
        process = subprocess.Popen([sys.executable, "-m", "eureka", *command], stdout=subprocess.DEVNULL)
        if kills == KILLS:
            assert process.wait() == 0
            break
        # Every other kill falls soon after a training has ended, the rest at any time.
        ended = wait_for_result(process, folder, len(results)) if kills % 2 else False
        time.sleep(moments.uniform(0, 1 if ended else 6))
        if process.poll() is not None:
            assert process.returncode == 0
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        after_results += ended
        if (folder / "run.db").exists():
            command = ["resume", str(folder)]
            now, said = recorded(folder)
            for key, (steps, scores) in results.items():
                assert now[key] == (steps, scores) or now[key][0] > steps, key  # the race trained it on
            assert all(said[name] == texts for name, texts in answers.items())
            results, answers = now, said
    assert kills >= 5
    assert after_results >= 2
    results, answers = recorded(folder)
    assert len(answers) == 6
    assert all(len(texts) == 1 for texts in answers.values())
    with RunStore.open(folder, read_only=True) as store:
        assert store.is_finished
