"""Task folders written from MuJoCo models: what a State has of them, and one sentence for each model that cannot be."""

from __future__ import annotations

from pathlib import Path

import mujoco
import pytest
import torch

from eureka.core.errors import TaskError
from eureka.physics import MujocoC
from eureka.tasks import Rng, Task, load_task
from eureka.tasks.base import state_tensors
from eureka.tasks.writing import TaskSource, write_task

ARM = """
<mujoco model="arm">
  <option timestep="0.005"/>
  <include file="floor.xml"/>
  <asset><mesh name="wedge" file="wedge.obj"/></asset>
  <worldbody>
    <body name="upper arm" pos="0 0 1">
      <joint name="shoulder" axis="0 1 0" range="-90 90" limited="true"/>
      <geom type="capsule" fromto="0 0 0 0.5 0 0" size="0.04"/>
      <body name="hand" pos="0.5 0 0">
        <joint name="reach-out" type="slide" axis="1 0 0"/>
        <geom type="mesh" mesh="wedge"/>
        <site name="grip" pos="0.1 0 0"/>
      </body>
    </body>
    <body name="ball" pos="1 0 0.1"><freejoint/><geom size="0.1"/></body>
  </worldbody>
  <actuator><motor joint="shoulder" gear="5"/><motor name="push" joint="reach-out" ctrlrange="-2 2"/></actuator>
  <sensor><accelerometer name="imu" site="grip"/><jointvel joint="reach-out"/></sensor>
</mujoco>
"""
FLOOR = '<mujoco><worldbody><geom name="floor" type="plane" size="3 3 0.1"/></worldbody></mujoco>'
WEDGE = "v 0 0 0\nv 0.1 0 0\nv 0 0.1 0\nv 0 0 0.1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n"


@pytest.fixture
def arm(tmp_path: Path) -> Path:
    (tmp_path / "floor.xml").write_text(FLOOR)
    (tmp_path / "wedge.obj").write_text(WEDGE)
    (tmp_path / "arm.xml").write_text(ARM)
    return tmp_path / "arm.xml"


def written(folder: Path, source: TaskSource) -> Task:
    write_task(folder, source)
    return load_task(folder.name, [folder])


def test_a_state_has_joints_bodies_sites_and_sensors_with_units_and_frames(arm: Path, tmp_path: Path) -> None:
    task = written(tmp_path / "lift", TaskSource(arm))
    assert [(f.name, f.shape, f.unit, f.frame) for f in task.fields] == [
        ("ball_position", (3,), "m", "world"),
        ("ball_quaternion", (4,), "1", "world"),
        ("ball_velocity", (3,), "m/s", "world"),
        ("ball_angular_velocity", (3,), "rad/s", "body"),
        ("shoulder_angle", (), "rad", "joint"),
        ("shoulder_velocity", (), "rad/s", "joint"),
        ("reach_out_position", (), "m", "joint"),
        ("reach_out_velocity", (), "m/s", "joint"),
        ("hand_position", (3,), "m", "world"),
        ("grip_site", (3,), "m", "world"),
        ("imu", (3,), "m/s^2", "site"),
        ("jointvel_1", (), "m/s", "joint"),
        ("action", (2,), "1", "actuator"),
    ]
    described = {field.name: field.description for field in task.fields}
    assert described["shoulder_angle"] == "angle of the joint shoulder, -1.57 to 1.57"
    assert described["action"].endswith("of their ranges: shoulder, push")
    # Four steps of 5 ms make a control step of 20 ms.
    assert task.control_timestep_s == pytest.approx(0.02)
    assert task.info.description == "Lift the hand as high as possible, and hold it there."


def test_values_are_those_of_mujoco_and_what_has_no_range_gets_one(arm: Path, tmp_path: Path) -> None:
    task = written(tmp_path / "lift", TaskSource(arm))
    assert task.model.actuator_ctrlrange.tolist() == [[-1, 1], [-2, 2]]
    sim = MujocoC(task.model, 2, task.info.outputs)
    start = task.reset(Rng.from_seed(0), 2)
    assert float(start.qpos[:, 0].std()) > 0.0  # the shoulder; the ball lies where the file has it
    assert torch.equal(start.qpos[0, 2:], start.qpos[1, 2:])
    sim.reset(torch.arange(2), start.qpos, start.qvel, None, None)
    sim.step(4)
    state = state_tensors(task.read_state(sim, start.carry, torch.zeros(2, 2)))
    data = mujoco.MjData(task.model)
    data.qpos[:], data.qvel[:] = start.qpos[0].numpy(), start.qvel[0].numpy()
    for _ in range(4):
        mujoco.mj_step(task.model, data)
    assert state["shoulder_angle"][0] == pytest.approx(data.joint("shoulder").qpos[0], abs=1e-5)
    assert state["grip_site"][0].tolist() == pytest.approx(data.site("grip").xpos, abs=1e-5)
    assert state["imu"][0].tolist() == pytest.approx(data.sensor("imu").data, abs=1e-2)
    height = task.metric.value(task.read_state(sim, start.carry, torch.zeros(2, 2)))
    assert height[0] == pytest.approx(data.body("hand").xipos[2], abs=1e-5)


def test_the_folder_stands_alone(arm: Path, tmp_path: Path) -> None:
    written(tmp_path / "lift", TaskSource(arm))
    for file in (arm, tmp_path / "floor.xml", tmp_path / "wedge.obj"):
        file.unlink()
    moved = (tmp_path / "lift").rename(tmp_path / "elsewhere")
    assert load_task("elsewhere", [moved]).model.nmesh == 1


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('<joint name="x" type="slide" axis="1 0 0"/>', "Move forward, along +x of the world, as fast as possible."),
        ("<freejoint/>", "Move forward, along +x of the world, as fast as possible."),
        ("<joint/>", "Lift the part as high as possible, and hold it there."),
        ('<joint/><site name="my goal"/>', "Bring the middle to the my goal, and keep it there."),
    ],
)
def test_the_goal_is_a_guess_that_the_model_allows(tmp_path: Path, body: str, sentence: str) -> None:
    (tmp_path / "m.xml").write_text(
        f'<mujoco><worldbody><body name="part">{body}<geom size="0.1"/><site name="middle"/></body></worldbody>'
        '<actuator><motor site="middle" ctrlrange="-1 1"/></actuator></mujoco>'
    )
    assert written(tmp_path / "t", TaskSource(tmp_path / "m.xml")).info.description == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<mujoco/>", "the model has no joints, so nothing in it can move"),
        (
            '<mujoco><worldbody><body><joint name="knee"/><geom size="1"/></body></worldbody></mujoco>',
            'has no actuators, .*: add them, such as <actuator><motor joint="knee" ctrlrange="-1 1"/></actuator>',
        ),
        ("<mujoco><nonsense/></mujoco>", "MuJoCo cannot read the model: "),
        (ARM.replace("floor.xml", "none.xml"), "MuJoCo cannot read the model: .*none.xml"),
    ],
)
def test_a_model_that_cannot_be_a_task_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "m.xml").write_text(text)
    with pytest.raises(TaskError, match=sentence):
        write_task(tmp_path / "t", TaskSource(tmp_path / "m.xml"))
    assert not (tmp_path / "t").exists()


def test_a_urdf_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "robot.urdf").write_text('<robot name="r"/>')
    with pytest.raises(TaskError, match=r"a URDF has no actuators, .*: save it as MJCF"):
        write_task(tmp_path / "t", TaskSource(tmp_path / "robot.urdf"))


@pytest.mark.parametrize("name", ["metric", "none", "reset"])
def test_a_name_that_is_taken_makes_a_folder_that_runs(arm: Path, tmp_path: Path, name: str) -> None:
    assert written(tmp_path / name, TaskSource(arm)).info.name == name


def test_nothing_is_overwritten_and_a_missing_file_is_named(arm: Path, tmp_path: Path) -> None:
    (tmp_path / "lift").mkdir()
    with pytest.raises(TaskError, match="lift: there is such a folder already; give another name"):
        write_task(tmp_path / "lift", TaskSource(arm))
    with pytest.raises(TaskError, match=r"none\.xml: there is no such file"):
        write_task(tmp_path / "other", TaskSource(tmp_path / "none.xml"))
