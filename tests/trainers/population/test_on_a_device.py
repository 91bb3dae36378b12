"""The hot loop on torch's meta device: it mixes no tensor with the CPU's, and asks for no value, which would wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mujoco
import pytest
import torch
from shipped_tasks import every_task, skip_without_model
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from eureka.physics import Engine, Snapshot
from eureka.tasks import load_task
from eureka.trainers.population.device_worlds import DeviceWorlds
from eureka.trainers.population.episodes import EpisodeTracker
from eureka.trainers.population.networks import StackedAdam, StackedMLP
from eureka.trainers.population.normalise import RunningMoments
from eureka.trainers.population.ppo import GroupRates, ReturnScale, prepare, update
from eureka.trainers.population.rollout import collect
from eureka.trainers.statistics import measure

GROUPS, HORIZON, NUM_ENVS = 2, 3, 4
META = torch.device("meta")


class ValuelessSim:
    """A simulator whose tensors have shapes and a device, and no values."""

    def __init__(self, model: mujoco.MjModel, num_envs: int, outputs: tuple[str, ...]) -> None:
        self.num_envs = num_envs
        self.qpos, self.qvel = torch.zeros(num_envs, model.nq), torch.zeros(num_envs, model.nv)
        self.ctrl = torch.zeros(num_envs, model.nu)
        self.mocap_pos = torch.zeros(num_envs, model.nmocap, 3)
        self.mocap_quat = torch.zeros(num_envs, model.nmocap, 4)
        data = mujoco.MjData(model)
        self._outputs = {name: torch.zeros(num_envs, *getattr(data, name).shape) for name in outputs}

    def output(self, name: str) -> torch.Tensor:
        return self._outputs[name].clone()

    def step(self, substeps: int) -> None:
        self.qpos.add_(self.ctrl.sum(dim=1, keepdim=True))

    def reset_masked(self, mask: torch.Tensor, qpos: torch.Tensor, qvel: torch.Tensor, *_: torch.Tensor | None) -> None:
        self.qpos.copy_(torch.where(mask[:, None], qpos, self.qpos))
        self.qvel.copy_(torch.where(mask[:, None], qvel, self.qvel))

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


@pytest.mark.parametrize("name", every_task(("cartpole", "swingup", "hopper", "ant", "humanoid")))
def test_rollout_and_update_stay_on_the_device_and_never_wait(name: str) -> None:
    skip_without_model(name)
    if name.endswith("_hand"):
        pytest.skip("it draws new targets in its steps, and the meta device has no random numbers")
    task = load_task(name)
    generators = [torch.Generator().manual_seed(seed) for seed in range(GROUPS)]
    with ValuelessEngine("warp", "meta").scope():
        worlds = DeviceWorlds(task, generators, NUM_ENVS, ValuelessEngine("warp", "meta"), fields=())
        size, actions = worlds.observation.shape[1], task.num_actions
        policy = StackedMLP((size, 8, actions), "relu", extra=actions)
        critic = StackedMLP((size, 8, 1), "relu")
        networks = [torch.zeros(GROUPS, net.num_parameters) for net in (policy, critic)]
        optimiser = StackedAdam(networks)
        rates = GroupRates.stack([task.info.ppo] * GROUPS)
        moments, scale = RunningMoments(GROUPS, size), ReturnScale(GROUPS, NUM_ENVS)
        tracker = EpisodeTracker(task.metric, worlds.limit, GROUPS, NUM_ENVS)
        worlds.step(torch.zeros(GROUPS * NUM_ENVS, actions))  # constants are taken along once
        with torch.no_grad(), NothingFromTheHost():
            noise = torch.randn(GROUPS, HORIZON, NUM_ENVS, actions)
            fields = [spec.name for spec in task.fields]
            now = moments.offset_and_scale()
            rollout = collect(worlds, policy, networks[0], now, noise, fields, tracker)
            reward = scale(rollout.metric, rollout.terminated | rollout.truncated, rates.gamma)
            batch = prepare(rollout, reward, critic, networks[1], now, rates)
            moments.update(rollout.raw_observation.flatten(1, 2))
            orders = torch.zeros(task.info.ppo.epochs, HORIZON * NUM_ENVS, dtype=torch.int64)
            update(batch, policy, critic, optimiser, rates, task.info.ppo, orders)
            measured = measure([rollout.metric.flatten(), reward.flatten()], ~rollout.diverged.flatten())
    made = [*rollout.state.values(), batch.advantage, batch.target, moments.mean, *optimiser.parameters]
    assert all(value.device == META for value in made)
    assert batch.observation.shape == (GROUPS, HORIZON * NUM_ENVS, size)
    assert measured.device == META
