"""A reward put into a task module of IsaacGymEnvs by its syntax tree."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
import torch
from export_helpers import graph

from eureka.core.errors import EurekaError
from eureka.core.types import FieldSpec
from eureka.reward.export import export_reward
from eureka.reward.export.isaacgym import put_into_task

FIELDS = (
    FieldSpec("forward_velocity", (), "float32", "m/s", "world", "progress along +x"),
    FieldSpec("action", (8,), "float32", "1", "joint", "torque command"),
    FieldSpec("height", (), "float32", "m", "world", "of the torso"),
    FieldSpec("torso_position", (3,), "float32", "m", "world", "of the torso"),
    FieldSpec("torso_orientation", (4,), "float32", "1", "world", "unit quaternion, (w, x, y, z)"),
    FieldSpec("root_lin_vel_w", (3,), "float32", "m/s", "world", "of the root"),
    FieldSpec("base_linear_velocity", (3,), "float32", "m/s", "base", "of the base, in its own frame"),
    FieldSpec("torso_angular_velocity", (3,), "float32", "rad/s", "world", "of the torso"),
    FieldSpec("torso_velocity", (2,), "float32", "m/s", "world", "along x and up"),
)
TASK = '''"""An ant."""

from __future__ import annotations

from isaacgym import gymapi
from isaacgymenvs.tasks.base.vec_task import VecTask

import torch


class Helper:
    pass


class Ant(VecTask):
    def __init__(self, root_states, actions):
        self.root_states, self.actions = root_states, actions
        self.rew_buf = torch.zeros(len(actions))
        self.reset_buf = torch.zeros(len(actions))
        self.extras = {}

    def compute_reward(self, actions):
        # as it was
        self.rew_buf[:] = 7.0
        self.reset_buf[:] = 1.0

    def step(self):
        self.compute_reward(self.actions)
'''


def module(*fields: str) -> str:
    """2 x the forward velocity; reads the other fields as well."""
    parts = {"run": {"node": 0}}
    nodes = [{"op": "mul.Tensor", "args": [{"input": "forward_velocity"}, {"constant": "run_weight"}], "name": "run"}]
    text = graph(nodes, parts, inputs=("forward_velocity", *fields), constants={"run_weight": 2.0})
    return export_reward(graph=text, task="ant", candidate_id="g01-c02", fields=FIELDS, provenance={})


def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("isaacgym", "isaacgymenvs", "isaacgymenvs.tasks", "isaacgymenvs.tasks.base"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(sys.modules["isaacgym"], "gymapi", None, raising=False)
    vec_task = ModuleType("isaacgymenvs.tasks.base.vec_task")
    vec_task.VecTask = object  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, vec_task.__name__, vec_task)


def test_the_reward_takes_the_place_of_the_old_one_and_resets_stay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    stand_ins(monkeypatch)
    written = put_into_task(TASK, "ant.py", module("action"), FIELDS)
    assert written.text.startswith("# NEVER EXECUTED")
    assert written.taken == {"forward_velocity": "task.root_states[:, 7]", "action": "task.actions"}
    assert written.open == ()
    # TorchScript is not compiled here: it reads the source of a file.
    scope: dict[str, object] = {}
    exec(compile(written.text.replace("@torch.jit.script", ""), "ant.py", "exec"), scope)
    states = torch.zeros(3, 13)
    states[:, 7] = torch.tensor([1.0, 2.0, 3.0])
    task = scope["Ant"](states, torch.zeros(3, 8))  # type: ignore[operator]
    task.step()
    assert task.rew_buf.tolist() == [2.0, 4.0, 6.0]
    assert task.reset_buf.tolist() == [1.0] * 3
    assert task.extras["reward_components"]["run"] == 4.0


def test_the_module_keeps_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    del monkeypatch
    text = put_into_task(TASK, "ant.py", module(), FIELDS).text
    assert all(line in text.splitlines() for line in TASK.splitlines())
    assert "run_weight: float = 2.0," in text
    assert "\nrun_weight" not in text  # no new number of the module


def test_what_has_no_name_in_the_task_is_asked_for() -> None:
    written = put_into_task(TASK, "ant.py", module("height"), FIELDS)
    assert written.open == ("height",)
    assert 'raise NotImplementedError("say what height is in Ant")' in written.text


def test_the_main_bodys_motion_is_read_from_its_root_state() -> None:
    named = ("torso_position", "torso_orientation", "root_lin_vel_w", "torso_angular_velocity")
    others = ("base_linear_velocity", "torso_velocity")  # in another frame, of another shape
    written = put_into_task(TASK, "ant.py", module(*named, *others), FIELDS)
    assert written.open == others
    # Isaac Gym's root states: position, quaternion x y z w, linear and angular velocity.
    states = {"task": type("Task", (), {"root_states": torch.arange(13.0)[None]})}
    values = {name: eval(expression, states)[0].tolist() for name, expression in written.taken.items()}
    assert values["torso_position"] == [0, 1, 2]
    assert values["torso_orientation"] == [6, 3, 4, 5]
    assert values["root_lin_vel_w"] == [7, 8, 9]
    assert values["torso_angular_velocity"] == [10, 11, 12]


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def f(:", "ant.py: not a Python module"),
        ("class Ant: pass", "no class in it has a method compute_reward"),
        (TASK + "\neureka_state = 1\n", "defines eureka_state already"),
        (TASK + "\nTuple = 1\n", "the reward needs from typing import Dict, Tuple, and Tuple is another thing there"),
    ],
)
def test_what_is_no_such_module_is_one_sentence(source: str, sentence: str) -> None:
    with pytest.raises(EurekaError, match=sentence):
        put_into_task(source, "ant.py", module(), FIELDS)


def test_before_a_return_at_the_end() -> None:
    source = TASK.replace(
        "        self.reset_buf[:] = 1.0\n\n", "        self.reset_buf[:] = 1.0\n        return None\n\n"
    )
    lines = put_into_task(source, "ant.py", module(), FIELDS).text.splitlines()
    at = lines.index("        return None")
    assert lines[at - 1].startswith('        self.extras["reward_components"]')
