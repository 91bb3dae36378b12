"""Trainings that start from a policy that was trained before."""

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from eureka.core.errors import TrainingError
from eureka.core.training import TrainingResult
from eureka.tasks import Task, load_task
from eureka.trainers.population.continuing import training_key
from eureka.trainers.population.group import GroupJob
from eureka.trainers.population.policy import load_policy
from eureka.trainers.population.population import Population

MakeJob = Callable[..., GroupJob]


@pytest.fixture(scope="module")
def task() -> Task:
    return load_task("cartpole")


def trained(task: Task, jobs: list[GroupJob]) -> list[TrainingResult]:
    population = Population(task, jobs)
    while not population.finished:
        population.advance()
    return population.results()


def short(job: GroupJob, updates: int) -> GroupJob:
    return replace(job, schedule=replace(job.schedule, steps=updates * 8 * 16, checkpoints=1, eval_episodes=2))


@pytest.mark.process
def test_the_policy_is_taken_over_and_trained_on(task: Task, make_job: MakeJob) -> None:
    (first,) = trained(task, [short(make_job("g01-c01", seed=0), 3)])
    second = Population(task, [replace(short(make_job("g02-c01", seed=5), 2), init=first.policy)])
    observation = torch.randn(1, 6, 4, generator=torch.Generator().manual_seed(0))
    before = load_policy(first.policy)
    # The normaliser is kept as mean and 1 / deviation in float32.
    torch.testing.assert_close(second._policies()(observation), before(observation), rtol=1e-5, atol=1e-6)
    fresh = Population(task, [short(make_job("g02-c01", seed=5), 2)])
    assert torch.equal(second.optimiser.parameters[1], fresh.optimiser.parameters[1])  # the critic is a new one
    second.advance()
    assert not torch.equal(second.optimiser.parameters[0].detach(), before.parameters)


@pytest.mark.process
def test_it_is_the_same_alone_and_in_company(task: Task, make_job: MakeJob) -> None:
    starts = [result.policy for result in trained(task, [short(make_job(f"g01-c0{k}", seed=k), 2) for k in (1, 2)])]
    jobs = [replace(short(make_job(f"g02-c0{k}", seed=k), 2), init=start) for k, start in enumerate(starts)]
    together = trained(task, jobs)
    alone = [result for job in jobs for result in trained(task, [job])]
    assert [result.policy for result in together] == [result.policy for result in alone]


def test_what_a_training_started_from_is_part_of_what_it_is(make_job: MakeJob) -> None:
    job = make_job("g01-c01", seed=0)
    assert training_key(job) != training_key(replace(job, init=b"one"))
    assert training_key(replace(job, init=b"one")) != training_key(replace(job, init=b"two"))


@pytest.mark.process
def test_a_population_starts_from_policies_or_from_scratch(task: Task, make_job: MakeJob) -> None:
    (first,) = trained(task, [short(make_job("g01-c01", seed=0), 1)])
    job = short(make_job("g01-c02", seed=0), 1)
    with pytest.raises(ValueError, match="all start from policies, or all from scratch"):
        Population(task, [job, replace(job, seed=1, init=first.policy)])
    ppo = replace(job.schedule.ppo, hidden=(8,))
    other = replace(job, schedule=replace(job.schedule, ppo=ppo), init=first.policy)
    with pytest.raises(TrainingError, match=r"g01-c02 starts from a policy of another network"):
        Population(task, [other])


def saved(**changes: object) -> bytes:
    """A policy of 3 observations, one layer of 4 and 2 actions with their deviations, but for some changes."""
    whole = {"format": 1, "sizes": [3, 4, 2], "activation": "relu", "extra": 2, "parameters": torch.zeros(28)}
    whole |= {"offset": torch.zeros(1, 3), "scale": torch.ones(1, 3)}
    buffer = io.BytesIO()
    torch.save({**whole, **changes}, buffer)
    return buffer.getvalue()


def test_a_policy_of_the_right_shape_is_read() -> None:
    """(3 + 1) * 4 + (4 + 1) * 2 + 2 parameters."""
    assert load_policy(saved()).parameters.shape == (1, 28)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"nothing of the kind", b"hello\n", b"}q(", b"\x80\x02X\xff\xff"),
        *(saved(parameters=torch.zeros(27)), saved(parameters=[0.0] * 28), saved(offset=torch.zeros(3))),
        *(saved(sizes=None), saved(sizes=[3, -4, 2]), saved(extra="two"), saved(activation="gelu"), saved(more=1)),
    ],
)
def test_a_file_that_is_no_policy_is_refused(data: bytes) -> None:
    with pytest.raises(TrainingError, match="the file is not a policy"):
        load_policy(data)
