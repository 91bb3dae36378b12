"""Runs to watch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from loop_fakes import build_run

from eureka.core.training import TrainingResult
from eureka.search.loop import evolve
from eureka.search.run import Run
from eureka.store import RunFacts, RunStore

CONFIG = "task: cartpole\nsearch:\n  generations: 3\n  samples: 2\n"
FACTS = RunFacts(had_metric_access=False, sandbox_layers={"seccomp": "on"}, proposer="a fake", metric_unit="s")


@pytest.fixture
def opened(make_result: Callable[..., TrainingResult]) -> Callable[[Path, int], Run]:
    """`opened(folder, 2)` is a run of two generations, ready to go on from where it is."""

    def at(folder: Path, generations: int) -> Run:
        if not folder.exists():
            RunStore.create(folder, CONFIG, FACTS).close()
        return build_run(folder, make_result, generations=generations)

    return at


@pytest.fixture
def grow(opened: Callable[[Path, int], Run]) -> Callable[[Path, int], None]:
    """`grow(folder, 2)` searches until two generations are done, and closes the run."""

    def to(folder: Path, generations: int) -> None:
        run = opened(folder, generations)
        with run.store:
            evolve(run)

    return to
