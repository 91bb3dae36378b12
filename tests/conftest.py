"""What every test shares, and the kinds of tests.

    unit      no marker: starts no process and trains nothing; all of them together take about a minute (`make quick`)
    process   `@pytest.mark.process`: starts a process, or trains, or searches in small (`make test` runs it too)
    wide      `@pytest.mark.wide`: takes long, or needs what not every machine has (`make test-wide`); what is marked
              `gpu` or `warp` is wide as well

A unit test that starts a process or trains fails, and says which marker it lacks. Parts of a parametrised test are
marked by `pytest.param(..., marks=pytest.mark.wide)`, a whole file by `pytestmark`.
"""

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch

from eureka.core.training import ComponentStatistics, TrainingResult
from eureka.physics.engine import missing_packages
from eureka.trainers.population.population import Population
from eureka.ui.video.queue import FilmQueue

# No test may ask a paid model, whatever is set where the tests run.
for _variable in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_BASE_URL", "OPENAI_BASE_URL"):
    os.environ.pop(_variable, None)

# Warp's compiled kernels take minutes to make: they stay from run to run.
_CACHES = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
os.environ.setdefault("WARP_CACHE_PATH", os.path.join(_CACHES, "warp"))

# What is kept from run to run is kept from test to test only.
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="eureka-tests-")
atexit.register(shutil.rmtree, os.environ["XDG_CACHE_HOME"], ignore_errors=True)
os.environ["XDG_STATE_HOME"] = os.environ["XDG_CACHE_HOME"]  # which runs are the user's own

# Films of a run take longer than the runs of the tests: made only where a test asks for `films_beside`.
_FILM_REPORT = FilmQueue.film_report
FilmQueue.film_report = lambda self: None  # type: ignore[method-assign]

# A shell that starts the tests in the background has them ignore Ctrl-C, and so would every run that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

_RESERVED = ((subprocess.Popen, "__init__"), (os, "fork"), (Population, "advance"))
"""What a unit test may not call: it starts a process or trains."""


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """What steps with MuJoCo Warp, or needs a GPU, is wide, and is skipped where the packages for it are missing."""
    missing = missing_packages()
    for item in items:
        if any(item.iter_markers("gpu")) or any(item.iter_markers("warp")):
            item.add_marker(pytest.mark.wide)
            if missing is not None:
                item.add_marker(pytest.mark.skip(reason=missing))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Hold unit tests to what they are, with all of their fixtures."""
    with pytest.MonkeyPatch.context() as patch:
        if not any(item.get_closest_marker(kind) for kind in ("process", "wide")):
            for owner, name in _RESERVED:
                patch.setattr(owner, name, _refuse)
        return (yield)


def _refuse(*_: Any, **__: Any) -> None:
    pytest.fail("a unit test starts no process and trains nothing: mark this one with @pytest.mark.process")


# One thread: the trainer's own layout, and no quarrel between the tests' processes.
torch.set_num_threads(1)


@pytest.fixture
def films_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs within the test's process have their films made again."""
    monkeypatch.setattr(FilmQueue, "film_report", _FILM_REPORT)


@pytest.fixture
def make_result() -> Callable[..., TrainingResult]:
    """A training result with the given evaluation scores and a metric curve."""

    def make(
        identity: str,
        scores: tuple[float, ...],
        *,
        seed: int = 0,
        metric: tuple[float, ...] = (0.0, 1.0),
        components: tuple[str, ...] = ("a",),
    ) -> TrainingResult:
        updates = len(metric)
        statistics = ComponentStatistics(
            mean=0.5,
            minimum=-1.0,
            maximum=2.0,
            std=0.25,
            variance_share=0.75,
            active_fraction=0.9,
            metric_correlation=0.1 * (seed + 1),
        )
        return TrainingResult(
            candidate_id=identity,
            seed=seed,
            steps=tuple(100 * (i + 1) for i in range(updates)),
            metric=metric,
            episode_length=tuple(float(10 + i) for i in range(updates)),
            total=tuple(float(i) for i in range(updates)),
            components={name: tuple(float(i + seed) for i in range(updates)) for name in components},
            statistics=dict.fromkeys(components, statistics),
            final_scores=scores,
            checkpoint_scores=(*scores[:1], sum(scores) / len(scores)),
            policy=b"policy",
        )

    return make
