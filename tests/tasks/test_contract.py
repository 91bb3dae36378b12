"""What a task may give beside positions and velocities, its own controls, its metric of a trace, packages' models."""

from __future__ import annotations

import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch

from eureka.core.errors import EurekaError, TaskError
from eureka.physics import Engine
from eureka.tasks import Task, Trace, load_task, longest_run, times_begun
from eureka.trainers.population.device_worlds import make_worlds
from eureka.trainers.population.evaluate import evaluate
from eureka.trainers.population.networks import StackedMLP
from eureka.trainers.population.policy import Policies
from eureka.trainers.population.worlds import Worlds

ENGINES = [pytest.param("c"), pytest.param("warp", marks=[pytest.mark.wide, pytest.mark.warp])]

MODEL = """<mujoco><worldbody>
  <body name="hand" mocap="true" pos="0 0 2"><geom size=".1" contype="0" conaffinity="0"/></body>
  <body name="weight"><joint name="lift" type="slide" axis="0 0 1"/><geom name="weight" size=".1" mass="1"/></body>
</worldbody><actuator><general joint="lift" dyntype="integrator" gainprm="1" biastype="none"/></actuator></mujoco>"""

TASK_YAML = """
description: Move the hand.
model: model.xml
max_episode_steps: 6
physics: {integrator: implicitfast, timestep_s: 0.01, substeps: 1}
outputs: [mocap_pos]
num_envs: 2
steps: {quick: 100}
"""

ENV = '''
from dataclasses import dataclass

import torch

from eureka.physics import WorldStates
from eureka.tasks import Controls, Metric, Reset, Task, longest_run, state_field


class Hand(Task):
    """The three actions are the hand's velocity; the episode's number is its activation, mass and the hand's height."""

    @dataclass(frozen=True)
    class Carry:
        """Nothing."""

    @dataclass(frozen=True)
    class State:
        """The hand and the weight."""

        hand: torch.Tensor = state_field((3,), "m", "world", "of the hand")
        velocity: torch.Tensor = state_field((), "m/s", "world", "of the weight")
        action: torch.Tensor = state_field((3,), "1", "world", "velocity of the hand, m/s")

    num_actions = 3

    def reset(self, rng, num):
        number = torch.arange(1.0, num + 1)
        pose = torch.tensor([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
        mocap = pose + number[:, None, None] * torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0])
        zero = torch.zeros(num, 1)
        fields = {"body_mass": torch.stack([zero[:, 0], zero[:, 0] + 1, number], dim=1)}
        return Reset(zero, zero, self.Carry(), act=10 * number[:, None], mocap=mocap, model_fields=fields)

    def start(self, sim, rng):
        return self.Carry()

    def advance(self, carry, sim, action, rng):
        return carry

    def control(self, sim, carry, action):
        position = sim.output("mocap_pos") + 0.5 * action[:, None, :]
        turned = torch.tensor([1.0, 0.0, 0.0, 0.0]).expand(len(action), 1, 4)
        return Controls(torch.zeros(len(action), 1), torch.cat([position, turned], dim=2))

    def state(self, sim, carry, action):
        return self.State(hand=sim.output("mocap_pos")[:, 0], velocity=sim.qvel[:, 0], action=action)

    def observe(self, state):
        return torch.cat([state.hand, state.velocity[:, None]], dim=1)

    def terminated(self, state):
        return torch.zeros_like(state.velocity, dtype=torch.bool)

    @property
    def metric(self):
        return Metric(lambda state: (state.hand[:, 0] > 1).float(), longest_run, "steps", "consecutive beyond 1 m")

    def human_reward(self, state):
        return state.velocity, {"velocity": state.velocity}
'''


@pytest.fixture
def task(tmp_path: Path) -> Task:
    folder = tmp_path / "hand"
    folder.mkdir()
    for name, text in (("model.xml", MODEL), ("task.yaml", TASK_YAML), ("env.py", ENV)):
        (folder / name).write_text(text)
    return load_task("hand", [tmp_path])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_reset_sets_activations_mocap_bodies_and_the_model(task: Task, engine: str) -> None:
    worlds = make_worlds(task, [torch.Generator().manual_seed(0)], 2, Engine(engine), desynchronise=False)
    assert worlds.observation[:, 2].tolist() == [1.0, 2.0]  # the hand's height
    step = worlds.step(torch.tensor([[1.0, 0.0, 0.0], [0.0, -1.0, 0.5]]))
    # A force of 10 and 20 N on 1 and 2 kg: 10 m/s2 more than gravity's -9.81, over 0.01 s.
    assert step.state.velocity.tolist() == pytest.approx([0.0019, 0.0019], rel=1e-3)
    assert worlds.sim.mocap_pos[:, 0].tolist() == [[0.5, 0.0, 1.0], [0.0, -0.5, 2.25]]
    worlds.restart(torch.tensor([False, True]))
    # A restarted world is as at some start, the other goes on.
    assert worlds.sim.mocap_pos[0, 0].tolist() == [0.5, 0.0, 1.0]
    assert worlds.sim.mocap_pos[1, 0, 1].item() == 0.0


def test_a_saved_training_goes_on_alike(task: Task) -> None:
    def made() -> Worlds:
        return Worlds(task, [torch.Generator().manual_seed(0)], 2)

    first, second = made(), made()
    action = torch.full((2, 3), 0.1)
    for _ in range(9):
        done = first.step(action)
        first.restart(done.terminated | done.truncated)
    second.load_state_dict(first.state_dict())
    for _ in range(9):
        one, other = first.step(action), second.step(action)
        assert torch.equal(one.state.velocity, other.state.velocity)
        assert torch.equal(one.state.hand, other.state.hand)
        first.restart(one.truncated)
        second.restart(other.truncated)


@pytest.mark.parametrize("engine", ENGINES)
def test_evaluation_judges_the_whole_trace(task: Task, engine: str) -> None:
    # Half a metre a step: beyond 1 m after the third of six steps, and until the end.
    parameters = torch.cat([torch.zeros(4 * 3), torch.tensor([1.0, 0.0, 0.0])])[None]
    policies = Policies(StackedMLP((4, 3), "relu"), parameters, torch.zeros(1, 1, 4), torch.ones(1, 1, 4))
    scores = evaluate(task, policies, [torch.Generator().manual_seed(0)], 3, Engine(engine))
    assert scores.tolist() == [[4.0, 4.0, 4.0]]


def test_reductions_of_a_trace() -> None:
    values = torch.tensor([[0.0, 1, 1, 0, 1, 1, 1, 1], [1, 0, 1, 0, 1, 1, 1, 1]]).T
    running = torch.tensor([[True] * 7 + [False], [True] * 4 + [False] * 4]).T
    trace = Trace(values, running)
    assert longest_run(trace).tolist() == [3.0, 1.0]
    assert times_begun(trace).tolist() == [2.0, 2.0]


def test_the_wrapper_reads_the_action_it_is_given(task: Task, tmp_path: Path) -> None:
    class Simulated(gymnasium.Env):  # type: ignore[type-arg]
        model = task.model
        dt = 0.01

        def __init__(self) -> None:
            import mujoco

            self.data = mujoco.MjData(self.model)

    reader = task.state_from_gym(Simulated())
    assert reader.step(np.array([0.25, -2.0, 0.5])).action.tolist() == [[0.25, -1.0, 0.5]]


def test_a_package_is_found_without_importing_it(task: Task) -> None:
    # `pip` stands for any package that is not imported.
    package = "gymnasium_robotics" if "gymnasium_robotics" in sys.modules else "setuptools"
    (task.folder / "task.yaml").write_text(TASK_YAML.replace("model.xml", f"package:{package}/no_such.xml"))
    sys.modules.pop(package, None)
    with pytest.raises(TaskError, match=rf"{package}.no_such.xml: no such model file"):
        load_task("hand", [task.folder])
    assert package not in sys.modules


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            "package:metaworld_of_old/a.xml",
            "the package metaworld_of_old, which is not installed: pip install metaworld_o",
        ),
        ("package:no-such-robots/a.xml", "the package no-such-robots, which is not installed"),
        ("module:a.xml", "must be gymnasium:FILE, package:PACKAGE/FILE or a FILE"),
        ("package:alone.xml", "must be gymnasium:FILE, package:PACKAGE/FILE or a FILE"),
    ],
)
def test_a_model_that_is_not_there_is_said(task: Task, model: str, said: str) -> None:
    (task.folder / "task.yaml").write_text(TASK_YAML.replace("model: model.xml", f"model: {model}"))
    with pytest.raises(TaskError, match=said):
        load_task("hand", [task.folder])


def test_a_missing_package_names_its_extra(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eureka.tasks.models.find_spec", lambda name: None)
    (task.folder / "task.yaml").write_text(TASK_YAML.replace("model.xml", "package:metaworld/a.xml"))
    with pytest.raises(TaskError, match=r"pip install .*(metaworld<|\[tasks-metaworld\]')"):
        load_task("hand", [task.folder])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("act=10 * number[:, None]", "act=number", r"reset: act must have the shape \(num_envs, 1\)"),
        ("mocap=mocap", "mocap=mocap[:, 0]", r"reset: mocap must have the shape \(num_envs, 1, 7\)"),
        ('"body_mass"', '"body_weight"', "body_weight"),
        (
            "number], dim=1)",
            "number, number], dim=1)",
            r"`body_mass` of the model needs values of shape \(num_envs, 3\)",
        ),
        (
            "Controls(torch.zeros(len(action), 1)",
            "Controls(action",
            r"control: ctrl must have the shape \(num_envs, 1\)",
        ),
        ('longest_run, "', 'lambda trace: trace.values, "', r"metric: reduce must have the shape \(num_envs\)"),
    ],
)
def test_what_breaks_the_contract_is_said(task: Task, old: str, new: str, said: str) -> None:
    assert ENV.count(old) >= 1
    (task.folder / "env.py").write_text(ENV.replace(old, new))
    with pytest.raises(EurekaError, match=said):
        load_task("hand", [task.folder])


def test_a_field_is_set_or_scaled(task: Task) -> None:
    (task.folder / "task.yaml").write_text(TASK_YAML + "randomisation: {factors: {body_mass: [0.9, 1.1]}}\n")
    with pytest.raises(TaskError, match=r"set by reset's model_fields and by `randomisation.factors`"):
        load_task("hand", [task.folder])
