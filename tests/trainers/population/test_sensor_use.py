"""What need not be simulated: only what nobody reads."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from eureka.tasks import Task, find_tasks, load_task
from eureka.trainers.population.population import stream
from eureka.trainers.population.sensor_use import observes_outputs, reads_outputs
from eureka.trainers.population.worlds import Worlds


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


def test_sensors_that_a_task_reads_are_needed(tmp_path: Path) -> None:
    """A cart's position by a sensor of its own."""
    folder = Path(shutil.copytree(find_tasks()["cartpole"], tmp_path / "sensed"))
    info = (folder / "task.yaml").read_text()
    (folder / "task.yaml").write_text(info + "outputs: [sensordata]\n")
    source = (folder / "env.py").read_text()
    name = re.search(r"cart_position=(.*),", source)
    assert name
    source = source.replace(name.group(0), 'cart_position=sim.output("sensordata")[:, 0],')
    head, _, tail = source.partition("    def reset(")
    extend = """    def extend_model(self, spec):
        import mujoco

        kind, joint = mujoco.mjtSensor.mjSENS_JOINTPOS, mujoco.mjtObj.mjOBJ_JOINT
        spec.add_sensor(name="cart", type=kind, objtype=joint, objname="slider")

"""
    (folder / "env.py").write_text(f"{head}{extend}    def reset({tail}")
    task = load_task("sensed", [folder])
    names = [field.name for field in task.fields]
    assert reads_outputs(task, names)
    assert observes_outputs(task)
    worlds = Worlds(task, [stream(0, 1)], 4, fields=names)
    before = worlds.sim.qpos[:, 0].clone()
    step = worlds.step(torch.ones(4, 1))
    # Derived fields belong to the start of the last substep.
    assert float((step.state.cart_position - before).abs().max()) < 0.1
    assert float(step.state.cart_position.abs().max()) > 0


def test_policies_that_see_no_output_need_none_at_the_start(ant: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not observes_outputs(ant)
    assert not observes_outputs(load_task("humanoid"))
    own = ant.observe
    monkeypatch.setattr(
        ant, "observe", lambda state: torch.cat([own(state), state.contact_wrench.flatten(1)[:, :1]], dim=1)
    )
    assert observes_outputs(ant)
