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
KILLS, FEWEST_KILLS = 10, 5


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


def run_killed(folder: Path, moments: random.Random, duration_s: float) -> int:
    """A run that is killed at random moments up to `KILLS` times and resumed each time; how often it was killed."""
    kills = 0
    command = ["run", *SETTINGS, f"output={folder}"]
    while True:
        process = eureka(*command)
        try:
            assert process.wait(timeout=moments.uniform(0.1, 0.5) * duration_s if kills < KILLS else None) == 0
            return kills
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
        if (folder / "run.db").exists():
            command = ["resume", str(folder)]


@pytest.mark.wide
@pytest.mark.timeout(1200)
def test_ten_kills_change_nothing(tmp_path: Path) -> None:
    undisturbed = tmp_path / "undisturbed"
    started = time.monotonic()
    assert eureka("run", *SETTINGS, f"output={undisturbed}").wait() == 0
    duration_s = time.monotonic() - started
    moments = random.Random(0)
    # The machine may have been busier than it is now: then the moments come too late.
    for folder in (tmp_path / f"disturbed{number}" for number in range(5)):
        if run_killed(folder, moments, duration_s) >= FEWEST_KILLS:
            break
        duration_s /= 2
    else:
        pytest.fail("a run is over before it can be killed often enough")
    assert story(folder) == story(undisturbed)
    assert len(story(folder)[0]) == 8  # type: ignore[arg-type]
