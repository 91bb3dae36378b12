"""The real Isaac Lab in an environment of its own: made here once, and skipped with the reason where it cannot be.

`EUREKA_ISAACLAB_PYTHON` names one that there is already. The robots of Isaac Lab's own tasks are files on NVIDIA's
servers; so the tasks are its cartpoles of both workflows with a robot written by hand
(tests/support/isaaclab_cartpole), stepped by Newton on the CPU.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from simulator_helpers import module_of, python_with

from eureka.config import EnvConfig, RunConfig, SimulatorConfig
from eureka.config.schema import TrainConfig
from eureka.core.training import OwnReward, TrainingJob, TrainingLength, TrainingResult
from eureka.core.types import FieldSpec
from eureka.reward.graph.runtime import compile_graph
from eureka.trainers.remote.packages import TermPackage, write_package
from eureka.trainers.remote.trainer import RemoteTrainer

pytestmark = [pytest.mark.wide, pytest.mark.process, pytest.mark.timeout(3600)]

TASK = "Handmade-Cartpole-v0"
CARTPOLE = Path(__file__).parents[2] / "support" / "isaaclab_cartpole"
GRAPH = (
    '{"version": 1, "inputs": ["robot_joint_pos"], "constants": {}, "nodes": ['
    '{"op": "select.int", "args": [{"input": "robot_joint_pos"}, 1, 1]},'
    '{"op": "cos", "args": [{"node": 0}], "name": "upright"},'
    '{"op": "select.int", "args": [{"input": "robot_joint_pos"}, 1, 0]},'
    '{"op": "mul.Tensor", "args": [{"node": 2}, {"node": 2}], "name": "off_centre"},'
    '{"op": "sub.Tensor", "args": [{"node": 1}, {"node": 3}]}],'
    '"total": {"node": 4}, "components": [{"name": "upright", "value": {"node": 1}},'
    '{"name": "off centre", "value": {"node": 3}}]}'
)
"""cos(angle) - x^2; the second component enters with a minus, so that there is a rest."""
FIELDS = (FieldSpec("robot_joint_pos", (2,), "float32", "rad or m", "joint", "slider_to_cart, cart_to_pole"),)
CONTROL_STEP_S = 2 / 120
TABLE = {"alive", "terminating", "pole_pos", "cart_vel", "pole_vel", "success_rate"}
"""The terms of the cartpole's reward table."""


@pytest.fixture(scope="module")
def python() -> str:
    """The Python of an environment with Isaac Lab 3.0.0, which wants Python 3.12."""
    return python_with("isaaclab", "isaaclab==3.0.0", version="3.12")


def test_the_tables_sum_is_that_of_its_terms_and_a_graph_trains(python: str, tmp_path: Path) -> None:
    env, train = EnvConfig(id=f"isaaclab:{TASK}"), TrainConfig(num_envs=8)
    config = RunConfig(env=env, train=train, isaaclab=SimulatorConfig(python, "cpu"))
    trainer = RemoteTrainer(config, {**os.environ, "PYTHONPATH": str(CARTPOLE)})
    try:
        shapes = {field.name: field.shape for field in trainer.spec.fields}
        assert (shapes["robot_joint_pos"], shapes["robot_joint_vel"], shapes["action"]) == ((2,), (2,), (1,))
        assert "joint_pos_target_l2" not in trainer.spec.source
        jobs = [TrainingJob("g01-c01", reward, 0, TrainingLength(256, 1, 1)) for reward in (OwnReward.OWN, GRAPH)]
        own, found = [event for event in trainer.train(jobs, tmp_path) if isinstance(event, TrainingResult)]
    finally:
        trainer.close()
    assert set(own.components) == TABLE
    assert [sum(values) for values in zip(*own.components.values(), strict=True)] == pytest.approx(own.total, abs=1e-5)
    # `alive` gives 1 x 1/60 a step: at most 5 in an episode of 5 s.
    assert 0.0 < max(own.components["alive"]) <= 5.0
    upright, off = found.components["upright"], found.components["off centre"]
    assert [a - b for a, b in zip(upright, off, strict=True)] == pytest.approx(found.total, abs=1e-5)


ROLLOUT = """
import sys, gymnasium, torch, isaaclab_tasks
from isaaclab.app import launch_simulation
from isaaclab.cli import load_external_tasks
from isaaclab_tasks.utils import resolve_task_config
load_external_tasks()
name, robot = sys.argv[1:]
cfg, _ = resolve_task_config(name, "rsl_rl_cfg_entry_point", overrides=())
cfg.scene.num_envs, cfg.seed, cfg.sim.device = 8, 0, "cpu"
with launch_simulation(cfg, {"device": "cpu", "headless": True}):
    env = gymnasium.make(name, cfg=cfg).unwrapped
    env.reset()
    states, rewards, logs = [], [], []
    for _ in range(20):
        rewards.append(env.step(0.1 * torch.randn(8, 1))[1].clone())
        states.append(torch.as_tensor(env.scene[robot].data.joint_pos.torch).clone())
        logs.append({key: float(value) for key, value in env.extras.get("log", {}).items()})
    manager = getattr(env, "reward_manager", None)
    sums = {} if manager is None else dict(manager._episode_sums)
    seen = {"states": torch.stack(states), "rewards": torch.stack(rewards), "sums": sums, "logs": logs}
    torch.save(seen, "rollout.pt")
"""
"""Steps the task that is named 20 times with 8 environments; what was seen and paid is in rollout.pt."""


@dataclass(frozen=True)
class Installed:
    """An exported package in a folder that is on the path of Isaac Lab's Python, which works in `folder`."""

    python: str
    folder: Path
    variables: Mapping[str, str]

    def run(self, *command: str) -> None:
        done = subprocess.run(
            [self.python, *command], env=self.variables, cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def rollout(self, task: str, robot: str) -> dict[str, Any]:
        self.run("-c", ROLLOUT, task, robot)
        return dict(torch.load(self.folder / "rollout.pt", weights_only=True))

    def train(self, task: str) -> None:
        """By the stock command, for two iterations."""
        command = ["-m", "isaaclab", "train", "--rl_library", "rsl_rl", "--task", task, "--num_envs", "8"]
        self.run(*command, "--max_iterations", "2", "--device", "cpu", "agent.device=cpu")
        assert list(self.folder.glob("logs/rsl_rl/*/*/model_1.pt"))


def exported(python: str, task: str, graph: str, fields: tuple[FieldSpec, ...], folder: Path) -> Installed:
    """The reward as a package for this task, installed."""
    module = module_of(graph, fields)
    known = frozenset(field.name for field in fields)
    write_package(TermPackage("isaaclab", task, "g01-c01", graph, module, known=known), folder / "package")
    site = str(folder / "site")
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site, str(folder / "package")]
    subprocess.run(install, check=True)
    path = f"{site}{os.pathsep}{CARTPOLE}"
    return Installed(python, folder, {**os.environ, "PYTHONPATH": path, "WANDB_MODE": "disabled"})


def test_the_exported_package_trains_by_the_stock_command_and_sums_what_the_graph_gives(
    python: str, tmp_path: Path
) -> None:
    package = exported(python, TASK, GRAPH, FIELDS, tmp_path)
    seen = package.rollout("Handmade-Cartpole-Eureka-v0", "robot")
    assert set(seen["sums"]) == {"upright", "off_centre", "rest"}
    total, _ = compile_graph(GRAPH)({"robot_joint_pos": seen["states"].flatten(0, 1)})
    # The manager scales by the control step.
    expected = CONTROL_STEP_S * total.reshape(20, 8)
    assert torch.allclose(seen["rewards"], expected, atol=1e-5)
    assert torch.allclose(sum(seen["sums"].values()), expected.sum(dim=0), atol=1e-5)
    package.train("Handmade-Cartpole-Eureka-v0")


def test_of_the_direct_workflow_the_exported_package_gives_what_the_graph_gives(python: str, tmp_path: Path) -> None:
    graph = GRAPH.replace("robot_joint_pos", "cartpole_joint_pos")
    fields = (replace(FIELDS[0], name="cartpole_joint_pos"),)
    package = exported(python, "Handmade-Cartpole-Direct-v0", graph, fields, tmp_path)
    seen = package.rollout("Handmade-Cartpole-Direct-Eureka-v0", "cartpole")
    total, components = compile_graph(graph)({"cartpole_joint_pos": seen["states"].flatten(0, 1)})
    # Nothing scales it by the control step.
    assert torch.allclose(seen["rewards"], total.reshape(20, 8), atol=1e-5)
    upright = components["upright"].reshape(20, 8).mean(dim=1).tolist()
    assert [log["Reward/upright"] for log in seen["logs"]] == pytest.approx(upright, abs=1e-5)
    package.train("Handmade-Cartpole-Direct-Eureka-v0")
