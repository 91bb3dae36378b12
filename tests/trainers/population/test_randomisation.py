"""Domain randomisation: what differs between episodes is drawn per group, saved, and put back."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from eureka.tasks import Task, load_task
from eureka.tasks.info import Push, Randomisation
from eureka.trainers.population.group import GroupJob
from eureka.trainers.population.population import Population, stream
from eureka.trainers.population.worlds import Worlds

MakeJob = Callable[..., GroupJob]


def randomised(name: str, randomisation: Randomisation) -> Task:
    task = load_task(name)
    task.info = replace(task.info, randomisation=randomisation)
    return task


@pytest.fixture
def heavy_and_light() -> Task:
    return randomised("cartpole", Randomisation({"body_mass": (0.5, 2.0), "actuator_gear": (0.8, 1.2)}))


def test_every_episode_has_its_own_factors(heavy_and_light: Task) -> None:
    worlds = Worlds(heavy_and_light, [stream(0, 1), stream(1, 1)], 50)
    masses = worlds.factors["body_mass"].clone()
    assert 0.5 <= float(masses.min()) < 0.7
    assert 1.8 < float(masses.max()) <= 2.0
    done = torch.zeros(100, dtype=torch.bool)
    done[[3, 70]] = True
    worlds.restart(done)
    changed = worlds.factors["body_mass"] != masses
    assert torch.equal(changed, done)
    pole = worlds.task.model.body("pole").id
    own = worlds.sim._own["body_mass"]
    expected = worlds.task.model.body_mass[pole] * worlds.factors["body_mass"].double()
    torch.testing.assert_close(torch.from_numpy(own.values[:, pole]), expected)


@pytest.mark.process
def test_training_is_the_same_alone_and_after_a_checkpoint(heavy_and_light: Task, make_job: MakeJob) -> None:
    jobs = [make_job(f"g01-c0{k + 1}", seed=k) for k in range(3)]
    company, alone, first = (Population(heavy_and_light, some) for some in (jobs, jobs[1:2], jobs[1:2]))
    for population, updates in ((company, 12), (alone, 12), (first, 5)):
        for _ in range(updates):
            population.advance()
    second = Population(heavy_and_light, jobs[1:2])
    second.load_state_dict(first.state_dict())
    for _ in range(7):
        second.advance()
    assert alone.results()[0].policy == company.results()[1].policy == second.results()[0].policy
    plain = Population(load_task("cartpole"), jobs[1:2])
    for _ in range(12):
        plain.advance()
    assert plain.results()[0].policy != alone.results()[0].policy


def test_pushes_come_as_often_and_as_hard_as_said() -> None:
    # Once in 0.5 s of 0.05 s steps: a tenth of the worlds in every step, whatever the ant does.
    task = randomised("ant", Randomisation({}, Push(speed_m_s=40.0, every_s=0.5)))
    worlds = Worlds(task, [stream(0, 1)], 200, desynchronise=False)
    before = worlds.sim.qvel[:, :2].clone()
    worlds._push()
    change = (worlds.sim.qvel[:, :2] - before).norm(dim=1)
    struck = change > 0
    assert 8 <= int(struck.sum()) <= 35  # 20 expected, standard deviation 4.2
    torch.testing.assert_close(change[struck], torch.full_like(change[struck], 40.0), rtol=1e-6, atol=0)
