"""The hot loop on torch's meta device: it mixes no tensor with the CPU's, and asks for no value, which would wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import mujoco
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from eureka.core.errors import TaskError
from eureka.physics import Engine, Snapshot
from eureka.reward.trace.trusted import trace_trusted
from eureka.tasks import find_tasks, load_task
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.population import Population
from eureka.trainers.population.recording import record
from eureka.trainers.population.rollout import Rollout

GROUPS, HORIZON, NUM_ENVS = 2, 3, 4
META = torch.device("meta")


class ValuelessSim:
    """A simulator whose tensors have shapes and a device, and no values."""

    def __init__(self, model: mujoco.MjModel, num_envs: int, outputs: tuple[str, ...]) -> None:
        self.num_envs = num_envs
        self.qpos, self.qvel = torch.zeros(num_envs, model.nq), torch.zeros(num_envs, model.nv)
        self.ctrl = torch.zeros(num_envs, model.nu)
        data = mujoco.MjData(model)
        self._outputs = {name: torch.zeros(num_envs, *getattr(data, name).shape) for name in outputs}

    def output(self, name: str) -> torch.Tensor:
        return self._outputs[name].clone()

    def step(self, substeps: int) -> None:
        self.qpos.add_(self.ctrl.sum(dim=1, keepdim=True))

    def reset_masked(self, mask: torch.Tensor, qpos: torch.Tensor, qvel: torch.Tensor, *_: torch.Tensor | None) -> None:
        self.qpos.copy_(torch.where(mask[:, None], qpos, self.qpos))
        self.qvel.copy_(torch.where(mask[:, None], qvel, self.qvel))

    def set_model_masked(self, mask: torch.Tensor, fields: Mapping[str, torch.Tensor]) -> None:
        pass

    def scale_model_masked(self, mask: torch.Tensor, factors: Mapping[str, torch.Tensor]) -> None:
        raise AssertionError("none of these tasks is randomised")

    def diverged(self) -> torch.Tensor:
        return torch.zeros(self.num_envs, dtype=torch.bool)

    def select(self, env_ids: torch.Tensor) -> Snapshot:
        raise AssertionError("worlds by index would have to be waited for")


class ValuelessEngine(Engine):
    def device_simulator(self, model: mujoco.MjModel, num_envs: int, outputs: Any, *_: Any, **__: Any) -> Any:
        return ValuelessSim(model, num_envs, outputs)

    def generator(self, seed: int) -> torch.Generator:
        return torch.Generator()


class NothingFromTheHost(TorchDispatchMode):
    """The meta device takes copies from the CPU without a word; on a real one each would have to be waited for."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        tensors = [
            leaf for leaf in tree_leaves((args, kwargs, result)) if isinstance(leaf, torch.Tensor) and leaf.dim()
        ]
        assert len({tensor.device for tensor in tensors}) < 2, f"{func} mixes devices"
        return result


def test_the_meta_device_notices() -> None:
    """What the tests below rest on."""
    there = torch.zeros(3, device=META)
    with pytest.raises(RuntimeError):
        bool(there.any())
    with pytest.raises(RuntimeError):
        there + torch.ones(3)
    with pytest.raises((RuntimeError, NotImplementedError)):
        there.nonzero()
    with pytest.raises(AssertionError, match="mixes devices"), NothingFromTheHost():
        torch.ones(3, device="cpu").to(META)


@pytest.mark.process
@pytest.mark.parametrize("name", sorted(find_tasks()))
def test_an_update_stays_on_the_device_and_never_waits(name: str) -> None:
    """A rollout of all groups, their rewards with what is recorded of them, and all passes of PPO."""
    if name.endswith("_hand"):
        pytest.skip("new targets are drawn in its steps, and the meta device has no random numbers")
    try:
        task = load_task(name)
        states = record(task).state
    except TaskError as error:
        pytest.skip(str(error))
    graph = trace_trusted(lambda values: task.human_reward(task.State(**values)), task.fields, states)
    ppo = replace(task.info.ppo, horizon=HORIZON, hidden=(8,), epochs=1, minibatches=1)
    schedule = Schedule(NUM_ENVS, 10 * NUM_ENVS * HORIZON, 1, 1, ppo)
    jobs = [GroupJob(f"g01-c0{seed + 1}", graph, seed, schedule) for seed in range(GROUPS)]
    engine = ValuelessEngine("warp", "meta")
    population = Population(task, jobs, engine=engine)
    reward = population._rewards[0]

    def collected() -> tuple[Rollout, torch.Tensor, torch.Tensor]:
        rollout, recent = population._collecting()
        scaled, measured = population._rewarding(rollout, recent)
        population._learning(rollout, scaled)
        return rollout, scaled, measured

    with engine.scope():
        collected()  # constants are taken along once
        with torch.no_grad(), NothingFromTheHost():
            rollout, scaled, measured = collected()
    made = [*rollout.state.values(), scaled, measured, population.moments.mean, *population.optimiser.parameters]
    assert all(value.device == META for value in made)
    assert scaled.shape == (GROUPS, HORIZON, NUM_ENVS)
    values = len(reward.components) + 2  # the total, and the metric
    assert measured.shape == (GROUPS * (2 + values - 1 + 1 + values * (values + 4)),)
