"""The order of what stands in a State's vectors, as its descriptions say it, is the model's."""

from __future__ import annotations

import re

import mujoco
import pytest
from shipped_tasks import every_task, skip_without_model

from eureka.tasks import load_task


def joints(model: mujoco.MjModel) -> list[str]:
    """Hinges and slides in the order of qpos, without those that only place the whole body."""
    driven = {model.joint(int(model.actuator_trnid[index, 0])).name for index in range(model.nu)}
    return [model.joint(index).name for index in range(model.njnt) if model.joint(index).name in driven]


def actuators(model: mujoco.MjModel) -> list[str]:
    """The joints that the numbers of an action drive."""
    return [model.joint(int(model.actuator_trnid[index, 0])).name for index in range(model.nu)]


def described(task: str, field: str) -> str:
    (found,) = [spec.description for spec in load_task(task).fields if spec.name == field]
    return found


@pytest.mark.parametrize("task", ["ant", "ant_on_back", "ant_two_legs"])
def test_ants_joints_and_actuators(task: str) -> None:
    model = load_task(task).model
    assert re.findall(r"(?:hip|ankle)_\d", described(task, "action")) == actuators(model)
    assert actuators(model) != joints(model)
    assert joints(model) == [f"{part}_{leg}" for leg in (1, 2, 3, 4) for part in ("hip", "ankle")]
    if task == "ant":
        assert re.findall(r"(?:hip|ankle)_\d", described(task, "joint_position")) == joints(model)
        legs = [model.body(index) for index in range(2, model.nbody)]
        hips = [leg.name for leg in legs if leg.parentid[0] == model.body("torso").id]
        # "the torso, then of leg 1, 2, 3 and 4 the hip, the upper and the lower part"
        assert "of leg 1, 2, 3 and 4 the hip" in described(task, "contact_wrench")
        assert hips == [legs[3 * number].name for number in range(4)]
        assert [model.joint(model.body(f"aux_{n}").jntadr[0]).name for n in (1, 2, 3, 4)] == [
            f"hip_{n}" for n in (1, 2, 3, 4)
        ]


def test_humanoids_joints_and_actuators() -> None:
    model = load_task("humanoid").model
    listed = described("humanoid", "joint_position").partition(": ")[2]
    names = []
    for group in listed.split("; "):
        words = group.replace(",", "").split()
        axes = [word for word in words if word in ("x", "y", "z", "1", "2")]
        stem = "_".join(word for word in words if word not in axes)
        names += [f"{stem}{axis}" if axis in "12" else f"{stem}_{axis}" for axis in axes] or [stem]
    assert names == joints(model)
    assert "but with abdomen y before z" in described("humanoid", "action")
    swapped = [names[1], names[0], *names[2:]]
    assert actuators(model) == swapped


@pytest.mark.parametrize("task", every_task())
def test_another_order_of_the_action_is_said(task: str) -> None:
    skip_without_model(task)
    loaded = load_task(task)
    model = loaded.model
    fields = {spec.name: spec for spec in loaded.fields}
    if "action" in fields and fields["action"].shape == (model.nu,) and actuators(model) != joints(model):
        assert re.search("order|in turn", fields["action"].description)
