"""What need not be simulated: only what nobody reads."""

from dataclasses import dataclass

import pytest
import torch

from eureka.rl.needs import reads_outputs
from eureka.rl.population import stream
from eureka.rl.worlds import Worlds
from eureka.tasks import Task, load_task


@pytest.fixture(scope="module")
def ant() -> Task:
    return load_task("ant")


def test_contact_forces_are_needed_by_rewards_that_read_them(ant: Task) -> None:
    assert not reads_outputs(ant, [])
    assert not reads_outputs(ant, ["forward_velocity", "action"])
    assert reads_outputs(ant, ["forward_velocity", "contact_wrench"])


def test_a_task_without_outputs_needs_none() -> None:
    assert not reads_outputs(load_task("cartpole"), ["pole_angle"])


@pytest.mark.parametrize("method", ["observe", "terminated"])
def test_what_the_task_itself_reads_is_needed(ant: Task, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own = getattr(ant, method)

    def reads_contacts(state: object) -> torch.Tensor:
        state.contact_wrench.sum()  # type: ignore[attr-defined]
        return own(state)

    monkeypatch.setattr(ant, method, reads_contacts)
    assert reads_outputs(ant, [])


def test_what_the_carry_reads_is_needed(ant: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Carry:
        load: torch.Tensor

    monkeypatch.setattr(ant, "advance", lambda carry, sim, action, rng: Carry(sim.output("cfrc_ext")[:, 1, 5]))
    assert reads_outputs(ant, [])


def test_the_motion_is_the_same_without_them(ant: Task) -> None:
    full, lean = (Worlds(ant, [stream(0, 1)], 8, fields=fields) for fields in (None, ()))
    action = torch.rand(8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    for _ in range(50):
        steps = [worlds.step(action) for worlds in (full, lean)]
    assert torch.equal(full.sim.qpos, lean.sim.qpos)
    assert torch.equal(full.sim.qvel, lean.sim.qvel)
    assert float(steps[0].state.contact_wrench.abs().max()) > 0
    assert float(steps[1].state.contact_wrench.abs().max()) == 0
