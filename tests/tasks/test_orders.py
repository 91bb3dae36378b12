"""The order of what stands in a State's vectors, as its descriptions say it, is the model's."""

from __future__ import annotations

import re

import mujoco
import numpy as np
import pytest
import torch
from shipped_tasks import every_task, skip_without_model

from eureka.physics import Snapshot
from eureka.tasks import Rng, Task, load_task
from eureka.tasks.base import state_tensors


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


def names(text: str) -> list[str]:
    return text.split()


def hand(side: str) -> list[str]:
    """Wrist (2), first, middle and ring finger (4 each), little finger and thumb (5 each), from the palm outwards."""
    fingers = [f"{finger}J{joint}" for finger, last in FINGERS.items() for joint in range(last, -1, -1)]
    return [f"{side}robot0:{joint}" for joint in fingers]


FINGERS = {"WR": 1, "FF": 3, "MF": 3, "RF": 3, "LF": 4, "TH": 4}
ANT = [f"{part}_{leg}" for leg in (1, 2, 3, 4) for part in ("hip", "ankle")]
HANDS = ["joint_position", "joint_velocity", *hand(""), *hand("left/")]
LEAVES = ["leaf_angle", "leaf_velocity", "things/right", "things/left"]
#: Of each task the fields of positions and velocities, then the joints in the order of their documentation.
DOCUMENTED = {
    "ant": ["joint_position", "joint_velocity", *ANT],
    "ant_on_back": ["joint_position", "joint_velocity", *ANT],
    "ant_two_legs": ["joint_position", "joint_velocity", *ANT],
    "allegro_hand": ["joint_position", "joint_velocity", *(f"joint_{number}.0" for number in range(16))],
    "anymal": [
        *("joint_position", "joint_velocity"),
        *(f"{leg}_{joint}" for leg in ("LF", "RF", "LH", "RH") for joint in ("HAA", "HFE", "KFE")),
    ],
    "ball_balance": names("leg_angles leg_velocities upper0 lower0 upper1 lower1 upper2 lower2"),
    "half_cheetah": names("joint_position joint_velocity bthigh bshin bfoot fthigh fshin ffoot"),
    "half_cheetah_flip": names("joint_angles joint_velocities bthigh bshin bfoot fthigh fshin ffoot"),
    "hopper": names("joint_position joint_velocity thigh_joint leg_joint foot_joint"),
    "humanoid": names(
        "joint_position joint_velocity abdomen_z abdomen_y abdomen_x right_hip_x right_hip_z right_hip_y right_knee "
        "left_hip_x left_hip_z left_hip_y left_knee right_shoulder1 right_shoulder2 right_elbow left_shoulder1 "
        "left_shoulder2 left_elbow"
    ),
    "quadcopter": names("rotor_angles - pitch0 roll0 pitch1 roll1 pitch2 roll2 pitch3 roll3"),
    "shadow_hand": ["joint_position", "joint_velocity", *hand("")],
    "walker2d": names(
        "joint_position joint_velocity thigh_joint leg_joint foot_joint thigh_left_joint leg_left_joint foot_left_joint"
    ),
}
TWO_HANDED = (
    *("block_stack", "bottle_cap", "catch_over2underarm", "catch_underarm", "door_close_inward", "door_close_outward"),
    *("door_open_inward", "door_open_outward", "hand_over", "lift_underarm", "pen", "push_block", "scissors", "switch"),
)
ORDERS = [
    *DOCUMENTED.items(),
    *((name, HANDS) for name in TWO_HANDED),
    *((name, LEAVES) for name in TWO_HANDED if name.startswith("door")),
    ("switch", names("lever_angle - things/right things/left")),
]


def states_of(task: Task, qpos: torch.Tensor, qvel: torch.Tensor) -> dict[str, torch.Tensor]:
    """The State in each of these poses, (num_envs, nq) and (num_envs, nv), with what the engine computes in it."""
    outputs: dict[str, list[torch.Tensor]] = {name: [] for name in task.info.outputs}
    data = mujoco.MjData(task.model)
    for position, velocity in zip(qpos, qvel, strict=True):
        data.qpos[:], data.qvel[:] = position, velocity
        mujoco.mj_forward(task.model, data)
        for name, values in outputs.items():
            values.append(torch.tensor(getattr(data, name)))
    sim = Snapshot(qpos, qvel, {name: torch.stack(values) for name, values in outputs.items()})
    carry = task.start(sim, Rng.from_seed(0))
    return state_tensors(task.read_state(sim, carry, torch.zeros(len(qpos), task.num_actions)))


def with_each_moved(task: Task, listed: list[str]) -> dict[str, torch.Tensor]:
    """The State as the model has it, then with each of these joints in turn moved by 0.1 and moving with 0.5."""
    model = task.model
    qpos = torch.tensor(model.qpos0).repeat(1 + len(listed), 1)
    qvel = torch.zeros(1 + len(listed), model.nv, dtype=qpos.dtype)
    for row, joint in enumerate(listed, start=1):
        qpos[row, model.joint(joint).qposadr[0]] += 0.1
        qvel[row, model.joint(joint).dofadr[0]] = 0.5
    return states_of(task, qpos, qvel)


@pytest.mark.parametrize(("name", "documented"), ORDERS)
def test_each_joint_moves_the_number_that_is_documented_as_its_own(name: str, documented: list[str]) -> None:
    skip_without_model(name)
    position, velocity, *listed = documented
    state = with_each_moved(load_task(name), listed)
    for field, moved in ((position, 0.1), (velocity, 0.5)):
        if field in state:
            change = (state[field][1:] - state[field][0]).abs()
            torch.testing.assert_close(change, moved * torch.eye(len(listed)), rtol=0, atol=1e-5, check_dtype=False)


@pytest.mark.parametrize("name", TWO_HANDED)
def test_the_fingertips_are_in_the_documented_order(name: str) -> None:
    skip_without_model(name)
    task = load_task(name)
    assert "first, middle, ring and little finger and thumb" in described(name, "right_fingertips")
    assert "in the same order" in described(name, "left_fingertips")
    fingers = names("FFJ1 MFJ1 RFJ1 LFJ1 THJ1")
    bent = [*(f"robot0:{joint}" for joint in fingers), *(f"left/robot0:{joint}" for joint in fingers)]
    state = with_each_moved(task, bent)
    tips = torch.cat([state["right_fingertips"], state["left_fingertips"]], dim=1)
    moved_m = torch.linalg.vector_norm(tips[1:] - tips[0], dim=2)
    assert (moved_m.diagonal() > 0.002).all()
    assert (moved_m - torch.diag(moved_m.diagonal())).abs().max() < 1e-6


@pytest.mark.parametrize("name", [*TWO_HANDED, "shadow_hand"])
def test_a_hands_action_leaves_out_the_last_joint_of_each_finger(name: str) -> None:
    skip_without_model(name)
    sides = ["", "left/"] if name in TWO_HANDED else [""]
    driven = [joint for side in sides for joint in hand(side) if joint[-4:] not in ("FFJ0", "MFJ0", "RFJ0", "LFJ0")]
    moving = [f"{side}robot0:{way}_{axis}" for side in sides for way in ("move", "turn") for axis in "xyz"]
    model = load_task(name).model
    assert actuators(model) in (driven, driven + moving)
    assert len(actuators(model)) == load_task(name).num_actions
    assert ("then velocities of the right and of the left hand" in described(name, "action")) == (model.nu == 52)


def test_the_chair_pushers_right_hand_comes_first() -> None:
    skip_without_model("push_chair")
    task = load_task("push_chair")
    arms = [f"{side}_drive_{axis}" for side in ("right", "left") for axis in "xyz"]
    assert re.findall("right|left hand", described("push_chair", "hand_velocity")) == ["right", "left hand"]
    state = with_each_moved(task, arms)
    change = (state["hand_velocity"][1:] - state["hand_velocity"][0]).abs()
    torch.testing.assert_close(change, 0.5 * torch.eye(6), rtol=0, atol=1e-5, check_dtype=False)
    state = with_each_moved(task, names("right_panda_joint2 left_panda_joint2"))
    moved_m = (state["finger_to_chair"][1:] - state["finger_to_chair"][0]).abs()
    assert (moved_m > 1e-3).tolist() == [[True, True, False, False], [False, False, True, True]]
    driven = {"base_x": 0, "right_drive_x": 3, "left_drive_x": 7}
    action = torch.zeros(4, task.num_actions)
    for row, place in enumerate(driven.values(), start=1):
        action[row, place] = 1.0
    start = task.reset(Rng.from_seed(0), 1)
    qpos, qvel = start.qpos.repeat(4, 1), start.qvel.repeat(4, 1)
    controls = task.control(Snapshot(qpos, qvel, {}), None, action).ctrl
    for row, joint in enumerate(driven, start=1):
        ahead = joint if joint != "base_x" else "base_[xy]"  # the base looks another way than along x
        changed = [actuators(task.model)[int(index)] for index in (controls[row] != controls[0]).nonzero()]
        assert changed
        assert all(re.fullmatch(ahead, name) for name in changed)


@pytest.mark.parametrize("name", ["ant_on_back", "ant_two_legs"])
def test_the_ants_feet_are_in_the_order_of_their_quarters(name: str) -> None:
    assert "(+x, +y), (-x, +y), (-x, -y) and (+x, -y)" in described(name, "foot_height")
    task = load_task(name)
    state = with_each_moved(task, [f"ankle_{leg}" for leg in (1, 2, 3, 4)])
    raised_m = (state["foot_height"][1:] - state["foot_height"][0]).abs()
    assert (raised_m > 1e-3).tolist() == torch.eye(4, dtype=torch.bool).tolist()
    data = mujoco.MjData(task.model)
    mujoco.mj_forward(task.model, data)
    shins = [data.body(int(task.model.joint(f"ankle_{leg}").bodyid[0])) for leg in (1, 2, 3, 4)]
    assert [np.sign(shin.xipos[:2]).tolist() for shin in shins] == [[1, 1], [-1, 1], [-1, -1], [1, -1]]


@pytest.mark.parametrize(
    ("name", "first", "second", "fields"),
    [
        ("acrobot", "shoulder", "elbow", names("link_angle link_angular_velocity")),
        ("double_swingup", "lower_hinge", "upper_hinge", names("pole_angle pole_angular_velocity")),
    ],
)
def test_the_outer_of_two_links_comes_second(name: str, first: str, second: str, fields: list[str]) -> None:
    state = with_each_moved(load_task(name), [first, second])
    for field, moved in zip(fields, (0.1, 0.5), strict=True):
        # The inner joint turns both links, the outer one the second alone.
        change = (state[field][1:] - state[field][0]).abs()
        torch.testing.assert_close(
            change, moved * torch.tensor([[1.0, 1], [0, 1]]), rtol=0, atol=1e-5, check_dtype=False
        )


def test_torques_and_rotors_are_in_the_order_of_the_actuators() -> None:
    rotors = load_task("quadcopter").model
    assert [rotors.actuator(index).name for index in range(rotors.nu)] == [
        f"{what}{rotor}" for rotor in range(4) for what in ("pitch", "roll", "thrust")
    ]
    assert re.search("of each rotor in turn: pitch and roll .* and thrust", described("quadcopter", "action"))
    skip_without_model("anymal")
    task = load_task("anymal")
    assert actuators(task.model) == joints(task.model) == DOCUMENTED["anymal"][2:]
    assert task.info.outputs == ("actuator_force",)
    qpos = torch.tensor(task.model.qpos0)[None]
    sim = Snapshot(qpos, 0 * qpos[:, 1:], {"actuator_force": torch.arange(12.0)[None]})
    state = task.read_state(sim, task.start(sim, Rng.from_seed(0)), torch.zeros(1, 12))
    assert state.torque[0].tolist() == list(range(12))


def test_the_upper_of_the_cabinets_fingers_comes_first() -> None:
    skip_without_model("franka_cabinet")
    task = load_task("franka_cabinet")
    assert "of the upper and of the lower" in described("franka_cabinet", "finger_height")
    start = task.reset(Rng.from_seed(0), 1)
    (upper, lower), *_ = states_of(task, start.qpos.double(), start.qvel.double())["finger_height"].tolist()
    assert upper > lower


def test_the_humanoids_bodies() -> None:
    """By their own places and by the forces that are laid on them."""
    task = load_task("humanoid")
    model = task.model
    bodies = [model.body(number).name for number in range(1, model.nbody)]
    assert [name for name in bodies if name.endswith("foot")] == ["right_foot", "left_foot"]
    told = described("humanoid", "contact_wrench").partition("one substep old: ")[2]
    listed = []
    for group in told.split("; "):
        words = group.replace(",", "").split()
        side = words.pop(0) if words[0] in ("right", "left") else ""
        parts = [f"{word}_arm" if word in ("upper", "lower") else word for word in words if word != "arm"]
        listed += [f"{side}_{part}".removeprefix("_").replace("waist", "lwaist") for part in parts]
    assert listed == bodies
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    outputs = {name: torch.tensor(getattr(data, name))[None] for name in task.info.outputs}
    outputs["cfrc_ext"] = torch.arange(model.nbody * 6.0).view(1, model.nbody, 6)
    sim = Snapshot(torch.tensor(data.qpos)[None], torch.tensor(data.qvel)[None], outputs)
    state = task.read_state(sim, task.start(sim, Rng.from_seed(0)), torch.zeros(1, 17))
    assert state.contact_wrench[0, :, 0].tolist() == [6.0 * model.body(name).id for name in listed]
    feet = torch.tensor(np.stack([data.body(name).xipos for name in ("right_foot", "left_foot")]))
    torch.testing.assert_close(state.foot_position[0], feet, check_dtype=False)
