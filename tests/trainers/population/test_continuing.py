"""A training in two parts is the training in one, bit for bit."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from eureka.core.training import Progress, TrainingResult
from eureka.trainers.base import TrainingEvent
from eureka.trainers.population.continuing import longest_start, training_key
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.pool import WorkerPool

pytestmark = pytest.mark.process

MakeJob = Callable[..., GroupJob]


@pytest.fixture
def jobs(make_job: MakeJob) -> list[GroupJob]:
    return [make_job(f"g01-c0{k + 1}", seed=k) for k in range(3)]


def longer(jobs: list[GroupJob], updates: int) -> list[GroupJob]:
    return [replace(job, schedule=replace(job.schedule, steps=updates * 8 * 16)) for job in jobs]


def trained(folder: Path, *parts: list[GroupJob]) -> list[list[TrainingEvent]]:
    """What training `parts` one after the other gives, by a backend of its own for each."""
    events = []
    for jobs in parts:
        backend = WorkerPool("cartpole", (), folder, dict(os.environ), workers=2)
        try:
            events.append(list(backend.train(jobs)))
        finally:
            backend.close()
    return events


def results(events: list[TrainingEvent]) -> dict[str, TrainingResult]:
    return {event.candidate_id: event for event in events if isinstance(event, TrainingResult)}


def test_two_parts_are_one(tmp_path: Path, jobs: list[GroupJob]) -> None:
    # The second part takes two of the three, and in another order.
    first, second = trained(tmp_path / "parts", longer(jobs, 5), longer([jobs[2], jobs[0]], 9))
    (whole,) = trained(tmp_path / "whole", longer(jobs, 9))
    assert len([event for event in second if isinstance(event, Progress)]) == 2 * (9 - 5)
    for identity, result in results(second).items():
        assert result.policy == results(whole)[identity].policy
        assert result.final_scores == results(whole)[identity].final_scores
        assert result.steps == results(whole)[identity].steps
        assert result.statistics == results(whole)[identity].statistics
        assert result.policy != results(first)[identity].policy
        # The evaluations of the first part are kept: at 2 (of 5, rounded to even), 5, 4 (of 9; past) and 9 updates.
        assert result.checkpoint_steps == (2 * 128, 5 * 128, 9 * 128)


def test_what_ends_early_and_is_carried_on_is_the_whole(tmp_path: Path, jobs: list[GroupJob]) -> None:
    """As a race has it: 11 updates with evaluations after 3, 6, 8 and 11, stopped at the first and at the second."""
    schedule = replace(jobs[0].schedule, steps=11 * 128, checkpoints=4)
    parts = [
        [replace(job, schedule=replace(schedule, ends_after=ends)) for job in some]
        for ends, some in ((1, jobs), (2, jobs[1:]), (None, jobs[2:]))
    ]
    first, _, last = trained(tmp_path / "parts", *parts)
    (whole,) = trained(tmp_path / "whole", [replace(job, schedule=schedule) for job in jobs])
    end = results(whole)[jobs[2].candidate_id]
    assert replace(results(last)[jobs[2].candidate_id], wall_s=end.wall_s) == end
    assert end.checkpoint_steps == tuple(updates * 128 for updates in (3, 6, 8, 11))
    for name, result in results(first).items():
        assert result.checkpoint_scores == results(whole)[name].checkpoint_scores[:1]
        assert result.metric == results(whole)[name].metric[:3]


def test_the_same_length_again_trains_nothing(tmp_path: Path, jobs: list[GroupJob]) -> None:
    once, again = trained(tmp_path, longer(jobs, 4), longer(jobs, 4))
    assert not [event for event in again if isinstance(event, Progress)]
    assert results(again) == results(once)


def test_only_the_length_may_differ(tmp_path: Path, jobs: list[GroupJob], schedule: Schedule) -> None:
    trained(tmp_path, longer(jobs[:1], 3))
    assert longest_start(tmp_path, jobs[0])[0] == 3
    assert longest_start(tmp_path, replace(jobs[0], candidate_id="g02-c01"))[0] == 3
    assert longest_start(tmp_path, longer(jobs[:1], 2)[0]) == (0, None)
    assert longest_start(tmp_path, replace(jobs[0], seed=7)) == (0, None)
    faster = replace(schedule, ppo=replace(schedule.ppo, learning_rate=2e-3))
    assert training_key(replace(jobs[0], schedule=faster)) != training_key(jobs[0])


def test_a_broken_file_costs_time_and_nothing_else(tmp_path: Path, jobs: list[GroupJob]) -> None:
    trained(tmp_path / "parts", longer(jobs, 3))
    for path in (tmp_path / "parts" / "trained").iterdir():
        path.write_bytes(path.read_bytes()[:1000])
    (second,) = trained(tmp_path / "parts", longer(jobs, 5))
    (whole,) = trained(tmp_path / "whole", longer(jobs, 5))
    assert {k: r.policy for k, r in results(second).items()} == {k: r.policy for k, r in results(whole).items()}
