"""ManiSkill's tasks against a stand-in with its classes: State, metric, trainings and packages."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from simulator_helpers import SIMULATORS, environment, installed, run_python

from eureka.config import HUMAN, EnvConfig, RunConfig, SearchConfig, SimulatorConfig
from eureka.core.errors import ConfigError
from eureka.core.training import TrainingJob, TrainingLength, TrainingResult
from eureka.core.types import FieldSpec
from eureka.reward.export import export_reward
from eureka.trainers.remote.inside.environment import OpenEnvironment, OpenRequest
from eureka.trainers.remote.inside.maniskill import ManiSkill
from eureka.trainers.remote.inside.server import explain
from eureka.trainers.remote.inside.simulators import SimulatorError
from eureka.trainers.remote.packages import TermPackage, train_command, write_package
from eureka.trainers.remote.trainer import RemoteTrainer

pytest.importorskip("rsl_rl")
pytest.importorskip("gymnasium")
pytestmark = pytest.mark.process

GRAPH = json.dumps(
    {
        "version": 1,
        "inputs": ["cube_pos", "goal_site_pos", "term_dense_reward"],
        "constants": {},
        "nodes": [
            {"op": "sub.Tensor", "args": [{"input": "goal_site_pos"}, {"input": "cube_pos"}]},
            {"op": "select.int", "args": [{"node": 0}, 1, 0]},
            {"op": "mul.Tensor", "args": [{"node": 1}, -2.0], "name": "near"},
            {"op": "mul.Tensor", "args": [{"input": "term_dense_reward"}, 0.5], "name": "own"},
            {"op": "add.Tensor", "args": [{"node": 2}, {"node": 3}]},
        ],
        "total": {"node": 4},
        "components": [{"name": "near", "value": {"node": 2}}, {"name": "own", "value": {"node": 3}}],
    }
)
"""-2 (goal - cube) + half the task's own reward."""


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[ManiSkill]:
    gymnasium = pytest.importorskip("gymnasium")
    before = dict(gymnasium.registry)
    monkeypatch.syspath_prepend(str(SIMULATORS))
    yield ManiSkill()
    for name in [name for name in sys.modules if name.partition(".")[0] == "mani_skill"]:
        del sys.modules[name]
    for name in gymnasium.registry.keys() - before.keys():
        del gymnasium.registry[name]


def trainer_of(**changes: Any) -> RemoteTrainer:
    env = EnvConfig(id="maniskill:PushSlide-v1")
    return RemoteTrainer(RunConfig(env=env, maniskill=SimulatorConfig(sys.executable), **changes), environment())


def test_a_task_is_told_and_trained_and_starts_from_its_own_reward(tmp_path: Path) -> None:
    trainer = trainer_of(search=SearchConfig(init=HUMAN))
    try:
        spec = trainer.spec
        told = {field.name: (field.shape, field.unit, field.frame) for field in spec.fields}
        # Nothing that does not move, and nothing that says whether the episode is a success.
        assert "ground_pos" not in told
        assert not {"terminated", "success", "goal_site_lin_vel"} & told.keys()
        assert told["slide_joint_pos"] == ((1,), "rad or m", "joint")
        assert told["cube_pos"] == told["goal_site_pos"] == told["tcp_pos"] == ((3,), "m", "scene")
        assert told["cube_lin_vel"] == ((3,), "m/s", "scene")
        assert told["observed_cube_to_goal_pos"] == ((), "m", "scene")
        assert spec.sentence == "Push the cube along the rail to the goal."
        assert (spec.control_step_s, spec.episode_steps) == (0.05, 10)
        assert "def _get_obs_extra" in spec.source
        assert "def evaluate" not in spec.source
        assert "so it is metrics.success; metric= names another: return, reward.dense_reward" in trainer.description
        assert spec.physical_facts == ("joint limits of slide: slide_joint -1 to 1",)
        # The own reward as the only term of a table, with its source.
        assert "dense_reward: weight 1" in spec.source
        assert "return 1.0 - (self.goal - self.cube).abs()" in spec.source
        recorded = trainer.record(64, 3).state
        wanted = 1.0 - (recorded["goal_site_pos"] - recorded["cube_pos"])[:, 0].abs()
        assert torch.allclose(recorded["term_dense_reward"], wanted)
        job = TrainingJob("g01-c01", GRAPH, 0, TrainingLength(1000, 1, 4))
        (found,) = [event for event in trainer.train([job], tmp_path) if isinstance(event, TrainingResult)]
    finally:
        trainer.close()
    assert set(found.final_scores) <= {0.0, 1.0}  # whether an episode ever succeeded
    near, half = found.components["near"], found.components["own"]
    assert [a + b for a, b in zip(near, half, strict=True)] == pytest.approx(found.total, abs=1e-5)


def test_a_success_ends_an_episode_whose_value_goes_on(stand_in: ManiSkill) -> None:
    environment = OpenEnvironment(stand_in, OpenRequest("PushSlide-v1", "cpu", 1))
    env, vec_env = environment.env, stand_in.wrap(environment.env, environment.agent)
    environment.env.seed(5)
    first = env.reset()[0].clone()
    env.reset()
    environment.env.seed(5)
    assert torch.equal(env.reset()[0], first)  # the same seed, the same start
    steps = 0
    done = torch.zeros(1)
    while not done.any():
        _, _, done, extras = vec_env.step(torch.full((1, 1), 7.0))  # beyond what the action may be
        environment.after_step(done > 0)
        steps += 1
    # 0.1 m a step from 0, and the goal between 0.2 and 0.3 m: after two or three steps within 0.06 m of it.
    assert steps in (2, 3)
    assert extras["time_outs"].tolist() == [True]
    assert environment.finished == [(0, 1.0, steps)]
    assert env.action_manager.action.tolist() == [[0.0]]  # of the episode that has begun
    assert environment.env.render().shape == (8, 16, 3)
    environment.env.seed(1)
    env.reset()
    for _ in range(10):
        _, _, terminated, truncated, _ = env.step(torch.zeros(1, 1))
    assert (terminated.tolist(), truncated.tolist()) == ([False], [True])


@pytest.mark.parametrize(
    ("task", "count", "sentence"),
    [
        ("PushSlid-v1", 1, "ManiSkill has no task PushSlid-v1; did you mean PushSlide-v1"),
        ("PickStone-v1", 1, "PickStone-v1 wants files from the network: fetch them first by"),
        ("PickPebble-v1", 1, "PickPebble-v1 wants files from the network"),
        ("TwoSlides-v1", 1, "has several robots with an action each"),
        ("PushSlide-v1", 8, "ManiSkill simulates one environment on the CPU: train.num_envs=8 needs a GPU"),
    ],
)
def test_one_sentence_for_what_cannot_be_trained(stand_in: ManiSkill, task: str, count: int, sentence: str) -> None:
    with pytest.raises(SimulatorError) as refused:
        OpenEnvironment(stand_in, OpenRequest(task, "cpu", count))
    assert sentence in str(refused.value)


def test_a_machine_without_vulkan_is_told_what_to_install() -> None:
    said = explain(RuntimeError("failed to find a rendering device"))
    assert "Mesa's software Vulkan from 24.3 on" in said


def test_an_interpreter_is_asked_for(tmp_path: Path) -> None:
    config = RunConfig(env=EnvConfig(id="maniskill:PushSlide-v1"))
    with pytest.raises(
        ConfigError, match=r"add maniskill.python=PATH, the Python of the environment that has mani_skill 3"
    ):
        RemoteTrainer(config, environment())


def test_the_package_is_the_task_with_the_graphs_reward(tmp_path: Path) -> None:
    names = (("cube_pos", (3,)), ("goal_site_pos", (3,)), ("term_dense_reward", ()))
    fields = [FieldSpec(name, shape, "float32", "m", "scene", name) for name, shape in names]
    module = export_reward(graph=GRAPH, task="PushSlide-v1", candidate_id="g01-c01", fields=fields, provenance={})
    package = TermPackage(
        "maniskill", "PushSlide-v1", "g01-c01", GRAPH, module, known=frozenset(name for name, _ in names)
    )
    assert package.new_task == "PushSlide-Eureka-v1"
    assert "import eureka_pushslide_v1" in train_command(package)
    write_package(package, tmp_path / "out")
    assert "entry-points" not in (tmp_path / "out" / "pyproject.toml").read_text()
    program = """
import eureka_pushslide_v1, gymnasium, torch
env = gymnasium.make("PushSlide-Eureka-v1", num_envs=2).unwrapped
env.reset(seed=[3])
for _ in range(4):
    action = torch.rand(2, 1)
    _, reward, _, _, info = env.step(action)
    left = env.goal - env.cube
    assert torch.allclose(reward, -2.0 * left + 0.5 * (1.0 - left.abs()), atol=1e-6)
    assert torch.allclose(sum(info["reward_components"].values()), reward)
env.reset(options={"env_idx": torch.tensor([1])})
print(list(info["reward_components"]), env._eureka()[0].action_manager.action[1].item())
"""
    printed = run_python(program, installed(tmp_path / "out", tmp_path / "site", "maniskill"))
    assert printed.strip() == "['near', 'own'] 0.0"
