"""Training from recordings is training: a recorder for the CPU stands in for CUDA graphs.

It notes every operation with its tensors, and does it again on the same tensors and into the same results: as a CUDA
graph does, which knows addresses alone. An operation that asks for a value cannot be recorded there, nor here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import mujoco
import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from eureka.physics import Engine, device_graphs
from eureka.tasks import Task, load_task
from eureka.tasks.info import Push, Randomisation
from eureka.trainers.population.evaluate import Evaluator
from eureka.trainers.population.group import GroupJob
from eureka.trainers.population.policy import Policies, policy_network
from eureka.trainers.population.population import Population, stream

pytestmark = pytest.mark.process

ASKS = {"aten._local_scalar_dense.default", "aten.nonzero.default", "aten.is_nonzero.default", "aten.equal.default"}


class Tape(TorchDispatchMode):
    """Everything that is done while it is open, and how what was there before looked."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Callable[[], object]] = []
        self._before: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if str(func) in ASKS:
            raise RuntimeError(f"{func} asks for a value")
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        for tensor in given:
            self._remember(tensor)
        result = func(*args, **kwargs)
        places = {tensor.untyped_storage().data_ptr() for tensor in given}
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self._remember(tensor)

        def again() -> None:
            for place, value in zip(tree_leaves(result), tree_leaves(func(*args, **kwargs)), strict=True):
                # Views and results in place are where they were.
                if isinstance(place, torch.Tensor) and place.untyped_storage().data_ptr() not in places:
                    place.copy_(value)

        self.steps.append(again)
        return result

    def _remember(self, tensor: torch.Tensor) -> None:
        whole = torch.empty(0, dtype=tensor.dtype).set_(tensor.untyped_storage())
        self._before.setdefault(whole.data_ptr(), (whole, whole.clone()))

    def undo(self) -> None:
        """A CUDA device does nothing while it records."""
        for whole, before in self._before.values():
            whole.copy_(before)


class Recordings:
    """A recorder as `device_graphs.record`, and what it has recorded."""

    def __init__(self) -> None:
        self.made: list[list[Callable[[], object]]] = []

    def __call__(
        self, work: Callable[[], object], device: torch.device, generators: Sequence[torch.Generator] = ()
    ) -> list[Callable[[], object]]:
        tape, states = Tape(), [generator.get_state() for generator in generators]
        token = device_graphs._cut.set(tape.steps.append)
        try:
            with tape:
                work()
        finally:
            device_graphs._cut.reset(token)
            tape.undo()
            for generator, state in zip(generators, states, strict=True):
                generator.set_state(state)
        self.made.append(tape.steps)
        return tape.steps


class CartSim:
    """A cart and a hand-made pole: a simulator for masks whose physics torch cannot record."""

    def __init__(self, model: mujoco.MjModel, num_envs: int) -> None:
        self.num_envs = num_envs
        self.qpos, self.qvel = torch.zeros(num_envs, model.nq), torch.zeros(num_envs, model.nv)
        self.mocap_pos, self.mocap_quat = torch.zeros(num_envs, 0, 3), torch.zeros(num_envs, 0, 4)
        self.ctrl = torch.zeros(num_envs, model.nu)
        self._diverged = torch.zeros(num_envs, dtype=torch.bool)

    def step(self, substeps: int) -> None:
        def physics() -> None:
            qpos, qvel, ctrl = self.qpos.numpy(), self.qvel.numpy(), self.ctrl.numpy()
            qvel[:, 0] += 0.1 * ctrl[:, 0]
            qvel[:, 1] += 0.2 * np.sin(qpos[:, 1]) - 0.05 * ctrl[:, 0]
            qpos += 0.05 * qvel

        device_graphs.launch(physics)
        self._diverged = self.qpos[:, 0].abs() > 0.1

    def reset_masked(self, mask: torch.Tensor, qpos: torch.Tensor, qvel: torch.Tensor, *_: None) -> None:
        self.qpos.copy_(torch.where(mask[:, None], qpos, self.qpos))
        self.qvel.copy_(torch.where(mask[:, None], qvel, self.qvel))

    def scale_model_masked(self, mask: torch.Tensor, factors: Mapping[str, torch.Tensor]) -> None:
        raise AssertionError("the cart's model is not randomised")

    def diverged(self) -> torch.Tensor:
        return self._diverged

    def overflows(self) -> int:
        return 0

    def scale_model(self, env_ids: torch.Tensor, factors: Mapping[str, torch.Tensor]) -> None:
        assert not factors

    def set_model(self, env_ids: torch.Tensor, fields: Mapping[str, torch.Tensor]) -> None:
        assert not fields

    def save(self) -> torch.Tensor:
        return torch.cat([self.qpos, self.qvel], dim=1)

    def load(self, state: torch.Tensor) -> None:
        self.qpos.copy_(state[:, : self.qpos.shape[1]])
        self.qvel.copy_(state[:, self.qpos.shape[1] :])


class CartEngine(Engine):
    def device_simulator(self, model: mujoco.MjModel, num_envs: int, *_: Any, **__: Any) -> Any:
        return CartSim(model, num_envs)


@pytest.fixture
def cartpole() -> Task:
    task = load_task("cartpole")
    push = Push(speed_m_s=0.1, every_s=task.control_timestep_s * 4)  # drawn in every step
    task.info = replace(task.info, randomisation=Randomisation({}, push), max_episode_steps=20)
    return task


def trained(task: Task, jobs: list[GroupJob], updates: int) -> Population:
    population = Population(task, jobs, engine=CartEngine("warp"))
    for _ in range(updates):
        population.advance()
    return population


@pytest.fixture
def recordings(monkeypatch: pytest.MonkeyPatch) -> Recordings:
    """Every value is waited for, as on a device, and nothing is recorded until the test says so."""
    monkeypatch.setattr(device_graphs, "reading_synchronises", lambda device: True)
    return Recordings()


def test_a_training_from_recordings_is_the_same(
    cartpole: Task, make_job: Callable[..., GroupJob], recordings: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [make_job(f"g01-c0{k + 1}", seed=k) for k in range(2)]
    launched = trained(cartpole, jobs, 7)
    monkeypatch.setattr(device_graphs, "recorder_for", lambda device: recordings)
    replayed = trained(cartpole, jobs, 7)
    assert len(recordings.made) >= 3  # collecting, rewarding, learning
    for one, other in zip(launched.optimiser.parameters, replayed.optimiser.parameters, strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(launched.optimiser.parameters[0][0], launched.optimiser.parameters[0][1])
    for mine, theirs in zip(launched.records, replayed.records, strict=True):
        assert mine.metric == theirs.metric
        assert mine.episode_length == theirs.episode_length
        assert mine.checkpoint_scores == theirs.checkpoint_scores
        assert mine.components.curves == theirs.components.curves
        assert mine.diverged == theirs.diverged > 0


def test_a_checkpoint_is_gone_on_from(
    cartpole: Task, make_job: Callable[..., GroupJob], recordings: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_graphs, "recorder_for", lambda device: recordings)
    jobs = [make_job("g01-c01", seed=0)]
    whole = trained(cartpole, jobs, 8)
    resumed = Population(cartpole, jobs, engine=CartEngine("warp"))
    resumed.load_state_dict(trained(cartpole, jobs, 4).state_dict())
    for _ in range(4):
        resumed.advance()
    assert torch.equal(whole.optimiser.parameters[0], resumed.optimiser.parameters[0])


@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_evaluations_use_their_recording_again(
    reduce: str, cartpole: Task, recordings: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mean is over all steps, so the rest after the recorded parts is made too, kernel by kernel."""
    metric = replace(cartpole.metric, reduce=reduce)
    monkeypatch.setattr(type(cartpole), "metric", property(lambda self: metric))
    monkeypatch.setattr(device_graphs, "recorder_for", lambda device: recordings)
    cartpole.info = replace(cartpole.info, max_episode_steps=100)  # three recorded parts and a rest
    network = policy_network(cartpole, cartpole.info.ppo)
    size = network.sizes[0]

    def policies(seed: int) -> Policies:
        rows = network.initial(torch.Generator().manual_seed(seed), 1.0)[None]
        return Policies(network, rows, torch.zeros(1, 1, size), torch.ones(1, 1, size))

    again = Evaluator(cartpole, 8, CartEngine("warp"))
    for seed in (0, 1, 2):
        fresh = Evaluator(cartpole, 8, CartEngine("warp"))
        scores = again(policies(seed), [stream(seed, 3)])
        made = len(recordings.made)
        assert torch.equal(scores, fresh(policies(seed), [stream(seed, 3)]))
        assert len(recordings.made) == made + 1  # of the fresh one
    assert len(scores.unique()) > 1


def test_a_task_that_asks_for_values_is_trained_without_recording(
    cartpole: Task,
    make_job: Callable[..., GroupJob],
    recordings: Recordings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    launched = trained(cartpole, [make_job("g01-c01", seed=0)], 4)
    monkeypatch.setattr(device_graphs, "recorder_for", lambda device: recordings)
    terminated = type(cartpole).terminated

    def asking(self: Task, state: Any) -> torch.Tensor:
        float(state.cart_position.sum())
        return terminated(self, state)

    monkeypatch.setattr(type(cartpole), "terminated", asking)
    asked = trained(cartpole, [make_job("g01-c01", seed=0)], 4)
    assert "asks for a value" in caplog.text
    assert torch.equal(launched.optimiser.parameters[0], asked.optimiser.parameters[0])
