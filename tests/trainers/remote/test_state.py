"""The State read of an environment's own data, and a user's file that changes it. Against the stand-in's classes."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from simulator_helpers import SIMULATORS

from eureka.trainers.remote.inside.describe import _lines
from eureka.trainers.remote.inside.state import ManagerStateReader, StateReadingError


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SIMULATORS))
    yield __import__("stand_in")
    sys.modules.pop("stand_in", None)


def env_of(stand_in: Any, commands: dict[str, Any], wrap: Any, quaternions: str) -> Any:
    cfg = stand_in.PointCfg(scene=SimpleNamespace(num_envs=3), commands=commands)
    env = stand_in.PointEnv(cfg, "cpu", wrap, quaternions, stand_in.RewardTerms)
    env.reset()
    env.point.position[:] = torch.tensor([0.1, 0.2, 0.3])
    return env


def test_names_units_and_frames_are_of_what_is_readable(stand_in: Any) -> None:
    reader = ManagerStateReader(env_of(stand_in, {}, lambda tensor: tensor, "wxyz"))
    told = {field.name: (field.shape, field.dtype, field.unit, field.frame) for field in reader.fields}
    # A fixed base has no root that moves, the stand-in no bodies' positions, accelerations, sensors or commands.
    assert told == {
        "robot_joint_pos": ((1,), "float32", "rad or m", "joint"),
        "robot_joint_vel": ((1,), "float32", "rad/s or m/s", "joint"),
        "action": ((1,), "float32", "1", ""),
        "previous_action": ((1,), "float32", "1", ""),
        "terminated": ((), "bool", "1", ""),
        "episode_time": ((), "float32", "s", ""),
    }
    assert reader.fields[0].description == "positions of the joints of robot: slide"
    assert reader.read(["robot_joint_pos"])["robot_joint_pos"].flatten().tolist() == pytest.approx([0.1, 0.2, 0.3])


def test_a_moving_root_is_told_from_its_environments_origin_with_quaternions_w_first(stand_in: Any) -> None:
    env = env_of(stand_in, {"twist": None}, lambda tensor: SimpleNamespace(torch=tensor), "xyzw")
    state = ManagerStateReader(env, "xyzw").read()
    # The root is at 2 + x in the world and the environment's origin at 2.
    assert torch.allclose(state["robot_root_pos"], torch.tensor([[0.1, 0, 0], [0.2, 0, 0], [0.3, 0, 0]]), atol=1e-6)
    assert state["robot_root_quat"].tolist() == [[1.0, 0.0, 0.0, 0.0]] * 3
    assert state["command_twist"].shape == (3, 3)
    assert ManagerStateReader(env, "xyzw").fields[-5].description.startswith("wanted velocity forward")


def test_sensors_of_mujoco_and_contacts(stand_in: Any) -> None:
    env = env_of(stand_in, {}, lambda tensor: tensor, "wxyz")
    contacts = SimpleNamespace(found=torch.tensor([[0.0, 2.0]] * 3), force=torch.ones(3, 2, 3), current_air_time=None)
    env.scene.sensors = {
        "robot/imu": SimpleNamespace(data=torch.ones(3, 3), cfg=SimpleNamespace(sensor_type="gyro")),
        "feet": SimpleNamespace(data=contacts, primary_names=["left", "right"]),
        "scan": SimpleNamespace(data=torch.ones(3, 500)),
    }
    reader = ManagerStateReader(env)
    told = {field.name: field for field in reader.fields if field.name.startswith("sensor")}
    assert list(told) == ["sensor_robot_imu", "sensor_feet_contact", "sensor_feet_force"]
    assert (told["sensor_robot_imu"].unit, told["sensor_feet_contact"].dtype) == ("rad/s", "bool")
    assert reader.read()["sensor_feet_contact"].tolist() == [[False, True]] * 3


def test_a_users_file_adds_replaces_and_takes_away(stand_in: Any, tmp_path: Path) -> None:
    file = tmp_path / "state.py"
    file.write_text(
        "FIELDS = {'x_mm': ('mm', 'world', 'place'), 'robot_joint_vel': ('m/s', '', 'its own'), 'action': None}\n"
        "def state(env):\n"
        "    return {'x_mm': env.point.position * 1000, 'robot_joint_vel': env.point.velocity + 1}\n"
    )
    reader = ManagerStateReader(env_of(stand_in, {}, lambda tensor: tensor, "wxyz"), file=str(file))
    names = [field.name for field in reader.fields]
    assert names == ["robot_joint_pos", "previous_action", "terminated", "episode_time", "x_mm", "robot_joint_vel"]
    state = reader.read(["x_mm", "robot_joint_vel", "robot_joint_pos"])
    assert state["x_mm"].tolist() == pytest.approx([100.0, 200.0, 300.0])
    assert state["robot_joint_vel"].tolist() == [1.0] * 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("FIELDS = {}", r"must define FIELDS = .* and state\(env\)"),
        ("import nothing_of_the_kind", "fails when it is run: ModuleNotFoundError"),
        ("FIELDS = {'a': 3}\ndef state(env): return {}", r"FIELDS\['a'\] must be \(unit, frame, description\)"),
        ("FIELDS = {'a': ('', '', '')}\ndef state(env): return {}", r"FIELDS names a, and state\(env\) does not"),
        (
            "import torch\nFIELDS = {'a': ('', '', '')}\ndef state(env): return {'a': torch.ones(2)}",
            r"a must be a tensor with a row for each of the 3 environments, and it is \(2,\)",
        ),
    ],
)
def test_a_file_that_does_not_give_what_it_says(text: str, sentence: str, stand_in: Any, tmp_path: Path) -> None:
    (tmp_path / "state.py").write_text(text)
    with pytest.raises(StateReadingError, match=sentence):
        ManagerStateReader(env_of(stand_in, {}, lambda tensor: tensor, "wxyz"), file=str(tmp_path / "state.py"))


def test_a_task_that_is_written_as_defaults_is_told_and_the_simulators_own_are_not() -> None:
    @dataclass
    class TermOfTheLibrary:
        func: str = "none"
        delay: int = 0

    TermOfTheLibrary.__module__ = "isaaclab.managers"

    @dataclass
    class ActionsOfTheTask:
        push: TermOfTheLibrary = field(default_factory=lambda: TermOfTheLibrary("effort"))
        scale: float = 100.0

    assert list(_lines(ActionsOfTheTask(), 1)) == ["  push:", "    func: effort", "  scale: 100.0"]
