"""The real ManiSkill in an environment of its own: made once, and skipped with the reason where it cannot be.

`EUREKA_MANISKILL_PYTHON` names one that there is already. Without a GPU it needs Mesa's software Vulkan, 24.3 or newer.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from simulator_helpers import module_of, python_with

from eureka.config import HUMAN, EnvConfig, RunConfig, SearchConfig, SimulatorConfig
from eureka.core.errors import ConfigError
from eureka.core.training import OwnReward, TrainingJob, TrainingLength, TrainingResult
from eureka.reward.graph.runtime import compile_graph
from eureka.trainers.remote.packages import TermPackage, write_package
from eureka.trainers.remote.trainer import RemoteTrainer

pytestmark = [pytest.mark.wide, pytest.mark.timeout(3600)]

GRAPH = json.dumps(
    {
        "version": 1,
        "inputs": ["cube_pos", "goal_site_pos", "observed_is_grasped"],
        "constants": {},
        "nodes": [
            {"op": "sub.Tensor", "args": [{"input": "goal_site_pos"}, {"input": "cube_pos"}]},
            {"op": "mul.Tensor", "args": [{"node": 0}, {"node": 0}]},
            {"op": "sum.dim_IntList", "args": [{"node": 1}, [1]]},
            {"op": "mul.Tensor", "args": [{"node": 2}, -3.0], "name": "near"},
            {"op": "mul.Tensor", "args": [{"input": "observed_is_grasped"}, 0.5], "name": "held"},
            {"op": "add.Tensor", "args": [{"node": 3}, {"node": 4}]},
        ],
        "total": {"node": 5},
        "components": [{"name": "near", "value": {"node": 3}}, {"name": "held", "value": {"node": 4}}],
    }
)
"""-3 |goal - cube|^2 + 0.5 where the cube is held."""


@pytest.fixture(scope="module")
def python() -> str:
    """The Python of an environment with ManiSkill 3.0.1."""
    wanted = ("mani_skill==3.0.1", "rsl-rl-lib==5.4.2", f"torch=={torch.__version__.split('+')[0]}")
    return python_with("maniskill", *wanted)


@pytest.fixture(scope="module")
def trainer(python: str) -> Iterator[RemoteTrainer]:
    env = EnvConfig(id="maniskill:PickCube-v1")
    config = RunConfig(env=env, search=SearchConfig(init=HUMAN), maniskill=SimulatorConfig(python, "cpu"))
    try:
        opened = RemoteTrainer(config)
    except ConfigError as error:
        if "Vulkan" in str(error):
            pytest.skip(str(error))
        raise
    yield opened
    opened.close()


def test_the_own_reward_and_a_graph_train_on_what_the_scene_holds(trainer: RemoteTrainer, tmp_path: Path) -> None:
    shapes = {field.name: field.shape for field in trainer.spec.fields}
    assert (shapes["cube_pos"], shapes["panda_joint_pos"], shapes["tcp_pos"]) == ((3,), (9,), (3,))
    assert "terminated" not in shapes
    assert "def evaluate" not in trainer.spec.source
    assert "PickCube" not in trainer.spec.sentence
    state = trainer.record(64, 0).state
    assert torch.allclose(state["observed_obj_to_goal_pos"], state["goal_site_pos"] - state["cube_pos"], atol=1e-6)
    # At most 1: the reward is normalised.
    assert bool((state["term_dense_reward"] <= 1.0).all())
    assert float(state["term_dense_reward"].max()) > 0.0
    length = TrainingLength(1000, 1, 1)
    jobs = [TrainingJob("g01-c01", reward, 0, length) for reward in (OwnReward.OWN, trainer.human_graph(), GRAPH)]
    results = [event for event in trainer.train(jobs, tmp_path) if isinstance(event, TrainingResult)]
    own, table, found = results
    assert own.components["dense_reward"] == pytest.approx(own.total, abs=1e-5)
    # The start of `search.init=human` is the task's own reward: with the same seed the same rollout, the same sum.
    assert table.total == pytest.approx(own.total, abs=1e-5)
    parts = [a + b for a, b in zip(found.components["near"], found.components["held"], strict=True)]
    assert parts == pytest.approx(found.total, abs=1e-5)


def test_the_exported_environment_gives_what_the_graph_gives(
    python: str, trainer: RemoteTrainer, tmp_path: Path
) -> None:
    known = frozenset(field.name for field in trainer.spec.fields)
    module = module_of(GRAPH, trainer.spec.fields)
    write_package(TermPackage("maniskill", "PickCube-v1", "g01-c01", GRAPH, module, known=known), tmp_path / "package")
    site = tmp_path / "site"
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(tmp_path / "package")]
    subprocess.run(install, check=True)
    program = """
import eureka_pickcube_v1, gymnasium, torch
env = gymnasium.make("PickCube-Eureka-v1", num_envs=1, obs_mode="state", sim_backend="cpu", render_backend="cpu")
env.reset(seed=0)
task, rows = env.unwrapped, []
for _ in range(20):
    _, reward, _, _, info = env.step(env.action_space.sample())
    rows.append((task.cube.pose.p.clone(), task.goal_site.pose.p.clone(), info["is_grasped"].clone(), reward.clone()))
torch.save([torch.cat(column) for column in zip(*rows)], "rollout.pt")
print(list(info["reward_components"]))
"""
    variables = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [python, "-c", program], env=variables, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "['near', 'held']"
    cube, goal, held, rewards = torch.load(tmp_path / "rollout.pt", weights_only=True)
    total, _ = compile_graph(GRAPH)({"cube_pos": cube, "goal_site_pos": goal, "observed_is_grasped": held})
    assert torch.allclose(rewards, total, atol=1e-5)
