"""A group trains bitwise the same alone, in company, after a checkpoint, and when others leave."""

import io
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from eureka.core.training import TrainingResult
from eureka.core.types import Rejected, Stage
from eureka.tasks import Task, load_task
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.networks import StackedMLP
from eureka.trainers.population.policy import Policies, load_policy
from eureka.trainers.population.population import Population

pytestmark = pytest.mark.process

MakeJob = Callable[..., GroupJob]


@pytest.fixture(scope="module")
def cartpole() -> Task:
    return load_task("cartpole")


def run(population: Population, updates: int | None = None) -> list[Rejected]:
    rejected = []
    for _ in range(updates or population.num_updates):
        rejected += [event for event in population.advance() if isinstance(event, Rejected)]
    return rejected


def same(one: TrainingResult, other: TrainingResult) -> bool:
    parts = (
        "candidate_id",
        "seed",
        "steps",
        "metric",
        "episode_length",
        "total",
        "components",
        "final_scores",
        "policy",
    )
    return all(getattr(one, part) == getattr(other, part) for part in parts)


def parameters_of(population: Population, group: int) -> list[torch.Tensor]:
    return [p[group].detach().clone() for p in population.optimiser.parameters]


def test_alone_and_in_company_of_eight(cartpole: Task, make_job: MakeJob) -> None:
    jobs = [make_job(f"g01-c0{k + 1}", seed=k) for k in range(8)]
    company = Population(cartpole, jobs)
    run(company)
    for k in (0, 5):
        alone = Population(cartpole, [jobs[k]])
        run(alone)
        assert same(alone.results()[0], company.results()[k])
    assert len({result.policy for result in company.results()}) == 8


@pytest.mark.wide
def test_ant_is_bitwise_the_same_for_twenty_updates(make_job: MakeJob) -> None:
    """The real thing: Ant's own network and rollouts, candidate k alone and in a population of 8."""
    ant = load_task("ant")
    schedule = Schedule(ant.info.num_envs, 20 * ant.info.num_envs * ant.info.ppo.horizon, 1, 2, ant.info.ppo)
    text = make_job("x", 0).graph.replace("pole_angle", "forward_velocity")
    jobs = [GroupJob(f"g01-c0{k + 1}", text, k % 3, schedule) for k in range(8)]
    company, alone = Population(ant, jobs), Population(ant, [jobs[6]])
    for _ in range(20):
        company.advance()
        alone.advance()
        for mine, theirs in zip(parameters_of(alone, 0), parameters_of(company, 6), strict=True):
            assert torch.equal(mine, theirs)
    assert torch.equal(alone.worlds.sim.qpos, company.worlds.sim.qpos.unflatten(0, (8, -1))[6])


def test_rates_may_differ_within_a_population(cartpole: Task, make_job: MakeJob, schedule: Schedule) -> None:
    fast = replace(schedule, ppo=replace(schedule.ppo, learning_rate=5e-3, clip=0.1))
    jobs = [make_job("g01-c01", 0), replace(make_job("g01-c02", 0), schedule=fast)]
    company, alone = Population(cartpole, jobs), Population(cartpole, jobs[1:])
    run(company), run(alone)
    assert same(company.results()[1], alone.results()[0])
    assert company.results()[0].policy != company.results()[1].policy
    with pytest.raises(ValueError, match="must share their schedule"):
        Population(cartpole, [jobs[0], replace(jobs[1], schedule=replace(schedule, num_envs=4))])


def test_goes_on_from_a_checkpoint_exactly(cartpole: Task, make_job: MakeJob) -> None:
    jobs = [make_job("g01-c01", 0), make_job("g01-c02", 3)]
    undisturbed = Population(cartpole, jobs)
    run(undisturbed)
    first = Population(cartpole, jobs)
    run(first, 7)
    second = Population(cartpole, jobs)
    second.load_state_dict(first.state_dict())
    run(second, undisturbed.num_updates - 7)
    assert second.finished
    for one, other in zip(undisturbed.results(), second.results(), strict=True):
        assert same(one, other)
        assert one.statistics == other.statistics


def test_a_group_that_is_not_finite_leaves_alone(cartpole: Task, make_job: MakeJob, exploding_graph: str) -> None:
    jobs = [make_job("g01-c01", 0), make_job("g01-c02", 1, exploding_graph), make_job("g01-c03", 2)]
    company, without = Population(cartpole, jobs), Population(cartpole, [jobs[0], jobs[2]])
    rejected = run(company)
    run(without)
    assert [(r.candidate_id, r.stage) for r in rejected] == [("g01-c02", Stage.TRAIN)]
    assert "component `slope` became NaN or infinite" in rejected[0].reason
    for one, other in zip(company.results(), without.results(), strict=True):
        assert same(one, other)


def test_everyone_leaves(cartpole: Task, make_job: MakeJob, exploding_graph: str) -> None:
    population = Population(cartpole, [make_job("g01-c01", 0, exploding_graph)])
    rejected = []
    while not population.finished:
        rejected += population.advance()
    assert [type(event) for event in rejected].count(Rejected) == 1
    assert population.results() == []


def test_balancing_is_learned(cartpole: Task, upright_graph: str) -> None:
    schedule = Schedule(16, 24_000, 3, 5, cartpole.info.ppo)
    population = Population(cartpole, [GroupJob("g01-c01", upright_graph, seed, schedule) for seed in range(3)])
    run(population)
    # The limit of 500 steps of 0.04 s is 20 s upright; an untrained policy falls within 2 s.
    assert sorted(result.score for result in population.results())[1] > 15.0
    assert all(len(result.checkpoint_scores) == 3 for result in population.results())


def test_the_noise_of_actions_is_the_saved_policys(cartpole: Task, make_job: MakeJob) -> None:
    """The last of its parameters, one for each action, is the logarithm of its standard deviation."""
    population = Population(cartpole, [make_job("g01-c01", 0), make_job("g01-c02", 1)])
    run(population)
    for result in population.results():
        parameters = torch.load(io.BytesIO(result.policy), weights_only=True)["parameters"]
        assert result.action_std == pytest.approx(math.exp(parameters[-1]))
        assert result.action_std != pytest.approx(cartpole.info.ppo.initial_std, rel=1e-6)


def test_the_noise_of_several_actions_is_their_mean() -> None:
    network = StackedMLP((3, 4, 2), "elu", extra=2)
    rows = torch.zeros(2, network.num_parameters)
    rows[:, -2:] = torch.tensor([[0.2, 0.4], [0.5, 0.7]]).log()
    policies = Policies(network, rows, torch.zeros(2, 1, 3), torch.ones(2, 1, 3))
    assert policies.action_std().tolist() == pytest.approx([0.3, 0.6])


def test_saved_policy_acts_like_the_trained_one(cartpole: Task, make_job: MakeJob) -> None:
    population = Population(cartpole, [make_job("g01-c01", 0), make_job("g01-c02", 1)])
    run(population, 3)
    observation = torch.randn(2, 64, 4, generator=torch.Generator().manual_seed(0))
    acting = population._policies()
    loaded = load_policy(acting.dump(1))
    assert torch.equal(loaded(observation[1:]), acting(observation)[1:])
    assert float(loaded(1e3 * observation[1:]).abs().max()) <= 1.0
