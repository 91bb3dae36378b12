"""The real Isaac Lab in an environment of its own: made here once, and skipped with the reason where it cannot be.

`EUREKA_ISAACLAB_PYTHON` names one that there is already. The robots of Isaac Lab's own tasks are files on NVIDIA's
servers; so the task is its cartpole with a robot written by hand (tests/support/isaaclab_cartpole), stepped by Newton
on the CPU.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

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


def test_the_exported_package_trains_by_the_stock_command_and_sums_what_the_graph_gives(
    python: str, tmp_path: Path
) -> None:
    module = module_of(GRAPH, FIELDS)
    write_package(
        TermPackage("isaaclab", TASK, "g01-c01", GRAPH, module, known=frozenset({"robot_joint_pos"})),
        tmp_path / "package",
    )
    site = tmp_path / "site"
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(tmp_path / "package")]
    subprocess.run(install, check=True)
    variables = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{CARTPOLE}", "WANDB_MODE": "disabled"}
    program = """
import gymnasium, torch, isaaclab_tasks
from isaaclab.app import launch_simulation
from isaaclab.cli import load_external_tasks
from isaaclab_tasks.utils import resolve_task_config
load_external_tasks()
name = "Handmade-Cartpole-Eureka-v0"
cfg, _ = resolve_task_config(name, "rsl_rl_cfg_entry_point", overrides=())
cfg.scene.num_envs, cfg.seed, cfg.sim.device = 8, 0, "cpu"
with launch_simulation(cfg, {"device": "cpu", "headless": True}):
    env = gymnasium.make(name, cfg=cfg).unwrapped
    env.reset()
    states, rewards = [], []
    for _ in range(20):
        rewards.append(env.step(0.1 * torch.randn(8, 1))[1].clone())
        states.append(torch.as_tensor(env.scene["robot"].data.joint_pos.torch).clone())
    sums = sum(env.reward_manager._episode_sums.values())
    torch.save([torch.stack(states), torch.stack(rewards), sums], "rollout.pt")
    print(env.reward_manager.active_terms)
"""
    done = subprocess.run(
        [python, "-c", program], env=variables, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "['upright', 'off_centre', 'rest']" in done.stdout.splitlines()
    states, rewards, sums = torch.load(tmp_path / "rollout.pt", weights_only=True)
    total, _ = compile_graph(GRAPH)({"robot_joint_pos": states.flatten(0, 1)})
    # The manager scales by the control step.
    expected = CONTROL_STEP_S * total.reshape(20, 8)
    assert torch.allclose(rewards, expected, atol=1e-5)
    assert torch.allclose(sums, expected.sum(dim=0), atol=1e-5)
    command = [python, "-m", "isaaclab", "train", "--rl_library", "rsl_rl", "--task", "Handmade-Cartpole-Eureka-v0"]
    command += ["--num_envs", "8", "--max_iterations", "2", "--device", "cpu", "agent.device=cpu"]
    trained = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert trained.returncode == 0, trained.stderr
    assert list(tmp_path.glob("logs/rsl_rl/cartpole/*/model_1.pt"))
