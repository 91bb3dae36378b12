"""Recorded transitions are the task's own, terminal ones among them."""

import shutil
from pathlib import Path

import pytest
import torch

from eureka.core.errors import TaskError
from eureka.tasks import find_tasks, load_task
from eureka.trainers.population.recording import record
from eureka.trainers.recording import Recording, probe_metric


def test_recording_is_real_and_reproducible() -> None:
    task = load_task("cartpole")
    recording = record(task, num=256)
    assert {name: tuple(value.shape) for name, value in recording.state.items()} == {
        spec.name: (256, *spec.shape) for spec in task.fields
    }
    # Cartpole falls within two seconds under random actions: a quarter of the rows are terminal, the pole beyond 0.2.
    assert int(recording.terminated.sum()) == 64
    assert torch.equal(recording.terminated, recording.state["pole_angle"].abs() > 0.2)
    assert recording.state["action"].abs().max() <= 1.0
    again = record(task, num=256)
    assert all(torch.equal(again.state[name], value) for name, value in recording.state.items())


def test_ant_probe_finds_the_forward_velocity() -> None:
    recording = record(load_task("ant"))
    correlation = probe_metric(recording).correlation
    assert correlation["forward_velocity"] == 1.0  # Ant's metric is this very number
    assert abs(correlation["lateral_velocity"]) < 0.3
    assert correlation["torso_linear_velocity[0]"] > 0.5
    assert bool(recording.terminated.any())


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        (
            "        return state.pole_angle.abs() > 0.2\n",
            "        return state.pole_angle.abs() >= 0.0\n",
            r"every episode ends after one step: `terminated` is true everywhere",
        ),
        (
            '        return upright, {"upright": upright}\n',
            '        return upright * torch.nan, {"upright": upright}\n',
            r"`human_reward` gives values that are not finite \(NaN, in 64 of 64 environments in step 1",
        ),
        (
            "            [state.cart_position, state.pole_angle,",
            "            [state.cart_position.abs() / 0.0, state.pole_angle,",
            r"`observe` gives values that are not finite \(infinite, in 64 of 64 environments at the start",
        ),
    ],
)
def test_a_task_that_nobody_can_train_on_is_said(tmp_path: Path, line: str, instead: str, said: str) -> None:
    folder = Path(shutil.copytree(find_tasks()["cartpole"], tmp_path / "own"))
    code = (folder / "env.py").read_text()
    assert line in code
    (folder / "env.py").write_text(code.replace(line, instead, 1))
    with pytest.raises(TaskError, match=r"own/env\.py: .*" + said):
        record(load_task("own", [tmp_path]))


def test_a_carry_keeps_what_it_was_given(tmp_path: Path) -> None:
    """A carry that holds `sim.qpos` itself, which the engine writes over, and a State field of the difference."""
    folder = Path(shutil.copytree(find_tasks()["cartpole"], tmp_path / "own"))
    code = (folder / "env.py").read_text()
    members = """
    @dataclass(frozen=True)
    class Carry:
        before: torch.Tensor
        now: torch.Tensor

    def start(self, sim, rng):
        return self.Carry(sim.qpos, sim.qpos)

    def advance(self, carry, sim, action, rng):
        return self.Carry(carry.now, sim.qpos)

    def reset("""
    code = code.replace("    def reset(", members.lstrip("\n"))
    code = code.replace("(num, 2)))", "(num, 2)), self.Carry(*torch.zeros(2, num, 2).double()))")
    moved = "(carry.now - carry.before)[:, 0] / self.control_timestep_s"
    code = code.replace("cart_velocity=sim.qvel[:, 0]", f"cart_velocity={moved}")
    (folder / "env.py").write_text(code)
    velocity = record(load_task("own", [tmp_path])).state["cart_velocity"]
    assert not bool((velocity == 0.0).any())


def test_probe_leaves_constants_out() -> None:
    state = {"same": torch.ones(4), "falling": -torch.arange(4.0), "pair": torch.arange(8.0).view(4, 2)}
    probe = probe_metric(Recording(state, torch.arange(4.0), torch.zeros(4).bool()))
    assert probe.correlation == {"falling": -1.0, "pair[0]": 1.0, "pair[1]": 1.0}
