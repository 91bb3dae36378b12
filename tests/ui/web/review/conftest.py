"""Runs that wait for a person, without a training or a film."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread

import pytest
from loop_fakes import build_run

import eureka.ui.web.review.reviewer
from eureka.app.configs import compose_config
from eureka.config import to_yaml
from eureka.core.training import TrainingResult
from eureka.search.loop import evolve
from eureka.store import RunFacts, RunStore
from eureka.ui.web.review.answers import newest_review
from eureka.ui.web.review.reviewer import PersonReviewer

FACTS = RunFacts(had_metric_access=False, proposer="a fake", metric_unit="s")


@dataclass
class WaitingRun:
    """A search of three generations of two in a thread of its own; its parent by the metric is always sample 2."""

    folder: Path
    thread: Thread
    told: list[str] = field(default_factory=list)

    def finish(self) -> None:
        self.thread.join(20)
        assert not self.thread.is_alive()

    def wait_for_review(self, generation: int) -> None:
        while (review := newest_review(self.folder)) is None or review.generation < generation:
            self.thread.join(0.02)
            assert self.thread.is_alive()


def no_film(generation: int, names: Sequence[str]) -> None:
    """Stands in for what has films made."""


@pytest.fixture
def polls_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eureka.ui.web.review.reviewer, "POLL_S", 0.02)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new run, nothing in it yet."""
    path = tmp_path / "run"
    facts = replace(FACTS, sentence="Keep the pole <b>upright</b>.")
    RunStore.create(path, to_yaml(compose_config(["task=cartpole"])), facts).close()
    return path


@pytest.fixture
def searching(make_result: Callable[..., TrainingResult]) -> Callable[..., object]:
    """`with searching(folder) as run:` is a search that asks a person after each generation."""

    @contextmanager
    def search(folder: Path, timeout_s: float | None = 60.0, generations: int = 2) -> Iterator[WaitingRun]:
        told: list[str] = []
        reviewer = PersonReviewer(folder, asks=True, timeout_s=timeout_s, say=told.append, film=no_film)
        run = build_run(folder, make_result, reviewer=reviewer, generations=generations)

        def work() -> None:
            with run.store:
                evolve(run)

        thread = Thread(target=work, daemon=True)
        thread.start()
        yield WaitingRun(folder, thread, told)
        thread.join(20)
        assert not thread.is_alive()

    return search
