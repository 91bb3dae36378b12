"""SIGKILL at random moments of a real run, `resume` each time: the same run as undisturbed."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from eureka.evaluation import read_comparison
from eureka.store import RunStore

pytestmark = pytest.mark.process

SETTINGS = [
    "task=cartpole",
    "search.generations=2",
    "search.samples=4",
    "train.steps=12000",
    "train.workers=2",
    "evaluation.seeds=2",
    "evaluation.cache=false",
    "report.films=none",
    "seed=3",
]
KILLS = 10


def eureka(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "eureka", *arguments], stdout=subprocess.DEVNULL)


def story(folder: Path) -> tuple[object, ...]:
    """Everything of a run that must not depend on when it was stopped."""
    with RunStore.open(folder, read_only=True) as store:
        assert store.is_finished
        completions = {
            identity: [answer.text for answer in answers] for identity, answers in store.completions().items()
        }
        results = [(r.candidate_id, r.seed, r.final_scores, r.metric, r.policy) for r in store.results()]
        evaluations = [(r.candidate_id, r.seed, r.final_scores, r.policy) for r in store.evaluations()]
        return completions, results, evaluations, read_comparison(folder), store.finished_generations()


@pytest.mark.wide
@pytest.mark.timeout(600)
def test_ten_kills_change_nothing(tmp_path: Path) -> None:
    undisturbed = tmp_path / "undisturbed"
    started = time.monotonic()
    assert eureka("run", *SETTINGS, f"output={undisturbed}").wait() == 0
    duration = time.monotonic() - started
    folder = tmp_path / "disturbed"
    moments = random.Random(0)
    kills = 0
    command = ["run", *SETTINGS, f"output={folder}"]
    while True:
        process = eureka(*command)
        try:
            code = process.wait(timeout=moments.uniform(0.1, 0.5) * duration if kills < KILLS else None)
            assert code == 0
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
        if (folder / "run.db").exists():
            command = ["resume", str(folder)]
    assert kills >= 5
    assert story(folder) == story(undisturbed)
    assert len(story(folder)[0]) == 8  # type: ignore[arg-type]
