"""Leaders that are trained again before the next generation builds on them; expected values are worked out by hand."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fake_trainer import FakeTrainer
from loop_fakes import FakeObserver, Make, Stopped, build_run, prompt_of

from eureka.core.training import TrainingJob
from eureka.search.loop import evolve
from eureka.search.run import Run
from eureka.store import RunStore
from eureka.trainers.base import TrainingEvent

SCORES: Mapping[tuple[str, int], float] = {
    # One lucky seed, and what the reward is worth.
    ("g01-c01", 7): 9.0,
    ("g01-c01", 8): 0.0,
    ("g01-c02", 7): 5.0,
    ("g01-c02", 8): 6.0,
    ("g01-c02", 108): 6.0,
}
"""All other trainings score 1."""


@dataclass
class ScoredBySeed(FakeTrainer):
    """Trains every candidate with the score that `SCORES` has for its seed."""

    make: Make
    trained: list[tuple[str, int]] = field(default_factory=list)

    def train(self, jobs: Sequence[TrainingJob], folder: Path) -> Iterator[TrainingEvent]:
        for job in jobs:
            self.trained.append((job.candidate_id, job.seed))
            score = SCORES.get((job.candidate_id, job.seed), 1.0)
            yield self.make(job.candidate_id, (score,), seed=job.seed)


def retraining_run(folder: Path, trainer: FakeTrainer, make_result: Make, **changes: object) -> Run:
    settings = {"trainer": trainer, "seed_stride": 100, "retrained": 2, **changes}
    return build_run(folder, make_result, **settings)


def parent_in(store: RunStore, generation: int) -> str | None:
    prompt = prompt_of(store, generation)
    return prompt.facts.reflection.candidate_id if prompt and prompt.facts and prompt.facts.reflection else None


def test_a_lucky_leader_falls_back_before_it_becomes_a_parent(tmp_path: Path, make_result: Make) -> None:
    trainer = ScoredBySeed(make_result)
    run = retraining_run(tmp_path / "run", trainer, make_result)
    with run.store:
        best = evolve(run)
        # The leader has 9 by one seed and 4.5 by two; the other has 5.5.
        assert [parent_in(run.store, generation) for generation in (2, 3)] == ["g01-c02", "g01-c02"]
    assert best.candidate.id == "g01-c02"
    of_generation = [
        [("g01-c01", 7), ("g01-c02", 7)],
        [("g01-c01", 8), ("g01-c02", 8)],
        [("g02-c01", 107), ("g02-c02", 107)],
        [("g01-c01", 108), ("g01-c02", 108)],
        # The last generation has finalists instead.
        [("g03-c01", 207), ("g03-c02", 207)],
    ]
    assert trainer.trained == [job for jobs in of_generation for job in jobs]


def test_without_it_the_lucky_one_is_the_parent(tmp_path: Path, make_result: Make) -> None:
    run = retraining_run(tmp_path / "run", ScoredBySeed(make_result), make_result, retrained=0)
    with run.store:
        evolve(run)
        assert parent_in(run.store, 2) == "g01-c01"


def test_a_run_that_is_stopped_anywhere_trains_the_same(tmp_path: Path, make_result: Make) -> None:
    whole = ScoredBySeed(make_result)
    run = retraining_run(tmp_path / "whole", whole, make_result, confirmation_seeds=1, finalists=2)
    with run.store:
        evolve(run)
    resumed = ScoredBySeed(make_result)
    for stops in range(200):
        observe = FakeObserver(stop_after=stops)
        run = retraining_run(
            tmp_path / "killed", resumed, make_result, observe=observe, confirmation_seeds=1, finalists=2
        )
        with run.store, suppress(Stopped):
            evolve(run)
            break
    else:
        pytest.fail("the run never ended")
    assert sorted(resumed.trained) == sorted(whole.trained)
    assert len(set(resumed.trained)) == len(resumed.trained)
