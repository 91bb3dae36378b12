"""Worlds on a device, and training there, with MuJoCo Warp's CPU device in place of a CUDA device."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import torch

pytest.importorskip("mujoco_warp", reason="needs mujoco-warp and warp-lang: pip install -e '.[gpu]'")

import warp as wp

from eureka.core.training import TrainingResult
from eureka.physics import Engine
from eureka.tasks import Task, load_task
from eureka.tasks.info import Push, Randomisation
from eureka.trainers.population.device_worlds import REFILL_EVERY, DeviceWorlds
from eureka.trainers.population.evaluate import evaluate
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.pool import WorkerPool
from eureka.trainers.population.population import Population, stream

pytestmark = [pytest.mark.warp, pytest.mark.timeout(900)]

MakeJob = Callable[..., GroupJob]
WARP = Engine("warp")


@pytest.fixture(scope="module")
def cartpole() -> Task:
    return load_task("cartpole")


def make(task: Task, groups: int = 2, num_envs: int = 4) -> DeviceWorlds:
    return DeviceWorlds(task, [stream(seed, 1) for seed in range(groups)], num_envs, WARP, desynchronise=False)


def test_restarts_take_the_groups_start_states_in_turn(cartpole: Task) -> None:
    worlds = make(cartpole)
    starts = worlds._pool["qpos"].clone()
    assert torch.equal(worlds.sim.qpos, starts.flatten(0, 1))  # all of the pool
    worlds.step(torch.zeros(8, 1))
    moved = worlds.sim.qpos.clone()
    done = torch.tensor([0, 1, 0, 1, 0, 0, 0, 1], dtype=torch.bool)
    worlds.restart(done)
    # Used up, so from the first again: two of group 0, one of group 1.
    assert torch.equal(worlds.sim.qpos[done], torch.stack([starts[0, 0], starts[0, 1], starts[1, 0]]))
    assert torch.equal(worlds.sim.qpos[~done], moved[~done])
    assert worlds.clock.tolist() == [1, 0, 1, 0, 1, 1, 1, 0]
    assert torch.equal(worlds.observation[:, :2], worlds.sim.qpos)
    worlds.prepare(REFILL_EVERY)
    assert torch.equal(worlds._pool["qpos"], starts)
    worlds.prepare(1)
    assert not torch.equal(worlds._pool["qpos"], starts)
    assert torch.equal(worlds.sim.qpos[~done], moved[~done])


def test_a_group_starts_alike_in_any_company(cartpole: Task) -> None:
    company = make(cartpole)
    alone = DeviceWorlds(cartpole, [stream(1, 1)], 4, WARP, desynchronise=False)
    assert torch.equal(company.sim.qpos[4:], alone.sim.qpos)


def test_every_episode_has_its_own_model_and_pushes_move_the_base(cartpole: Task) -> None:
    task = load_task("cartpole")
    # A cart is no free body, but the first two velocities may be changed all the same.
    push = Push(speed_m_s=0.5, every_s=task.control_timestep_s * 2)
    task.info = replace(task.info, randomisation=Randomisation({"body_mass": (0.5, 2.0)}, push))
    worlds = make(task, num_envs=50)
    masses = worlds.factors["body_mass"].clone()
    assert 0.5 <= float(masses.min()) < 0.7
    assert 1.8 < float(masses.max()) <= 2.0
    done = torch.zeros(100, dtype=torch.bool)
    done[[3, 70]] = True
    worlds.restart(done)
    changed = worlds.factors["body_mass"] != masses
    assert torch.equal(changed, done)
    pole = task.model.body("pole").id
    own = wp.to_torch(worlds.sim._model.body_mass)
    assert torch.allclose(own[:, pole], float(task.model.body_mass[pole]) * worlds.factors["body_mass"])
    inverse = wp.to_torch(worlds.sim._model.dof_invweight0)[:, 0] * worlds.factors["body_mass"]
    assert torch.allclose(inverse, torch.tensor(float(task.model.dof_invweight0[0])), rtol=1e-3)  # as light as it is
    before = worlds.sim.qvel.clone()
    worlds._push()
    struck = (worlds.sim.qvel - before).square().sum(dim=1).sqrt()
    assert 30 < int((struck > 0.49).sum()) < 70  # half of them, in the mean
    assert int((struck > 1e-6).sum()) == int((struck > 0.49).sum())
    state = worlds.state_dict()
    other = make(task, num_envs=50)
    other.load_state_dict(state)
    for both in (worlds, other):
        both.step(torch.zeros(100, 1))
    assert torch.equal(worlds.sim.qpos, other.sim.qpos)


def test_training_learns_and_carries_on_where_it_was(cartpole: Task, upright_graph: str, schedule: Schedule) -> None:
    longer = replace(schedule, num_envs=16, steps=16 * 16 * 8)
    jobs = [GroupJob("g01-c01", upright_graph, seed, longer) for seed in range(2)]
    whole, first, second = (Population(cartpole, jobs, engine=WARP) for _ in range(3))
    while not whole.finished:
        whole.advance()
    for _ in range(4):
        first.advance()
    second.load_state_dict(first.state_dict())
    while not second.finished:
        second.advance()
    for one, other in zip(whole.results(), second.results(), strict=True):
        assert one.policy == other.policy
        assert one.final_scores == other.final_scores
        assert one.metric == other.metric
    assert sum(r.metric[-1] for r in whole.results()) > 1.2 * sum(r.metric[1] for r in whole.results())


def test_a_policy_scores_alike_under_both_engines(cartpole: Task, upright_graph: str, schedule: Schedule) -> None:
    """An unfinished policy, whose poles fall after different times; a fall is a matter of hundredths of a second."""
    population = Population(cartpole, [GroupJob("g01-c01", upright_graph, 0, schedule)])
    while not population.finished:
        population.advance()
    policies = population._policies()
    c, warp = (evaluate(cartpole, policies, [stream(5, 9)], 32, engine) for engine in (Engine(), WARP))
    assert c.std() > 0.01
    assert float(warp.mean()) == pytest.approx(float(c.mean()), rel=0.05)
    assert warp.flatten().sort().values.tolist() == pytest.approx(c.flatten().sort().values.tolist(), rel=0.25)


def test_groups_are_split_over_devices(make_job: MakeJob, tmp_path: Path) -> None:
    jobs = [make_job(f"g01-c0{k}", k) for k in range(3)]
    with closing(WorkerPool("cartpole", (), tmp_path, dict(os.environ), 8, 600, [WARP, WARP])) as backend:
        events = list(backend.train(jobs))
        assert len(backend.worker_pids()) == 2
    results = [event for event in events if isinstance(event, TrainingResult)]
    assert sorted(result.candidate_id for result in results) == [job.candidate_id for job in jobs]
