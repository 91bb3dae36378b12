"""The real mjlab in an environment of its own: made here once, and skipped with the reason where it cannot be.

`EUREKA_MJLAB_PYTHON` names one that there is already.
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

pytestmark = [pytest.mark.wide, pytest.mark.timeout(3600)]

TASK = "Mjlab-Cartpole-Balance"
GRAPH = (
    '{"version": 1, "inputs": ["cartpole_joint_pos"], "constants": {}, "nodes": ['
    '{"op": "select.int", "args": [{"input": "cartpole_joint_pos"}, 1, 1]},'
    '{"op": "cos", "args": [{"node": 0}], "name": "upright"},'
    '{"op": "select.int", "args": [{"input": "cartpole_joint_pos"}, 1, 0]},'
    '{"op": "mul.Tensor", "args": [{"node": 2}, {"node": 2}], "name": "off_centre"},'
    '{"op": "sub.Tensor", "args": [{"node": 1}, {"node": 3}]}],'
    '"total": {"node": 4}, "components": [{"name": "upright", "value": {"node": 1}},'
    '{"name": "off centre", "value": {"node": 3}}]}'
)
"""cos(angle) - x^2; the second component enters with a minus, so that there is a rest."""
FIELDS = (FieldSpec("cartpole_joint_pos", (2,), "float32", "rad or m", "joint", "slider, hinge_1"),)


@pytest.fixture(scope="module")
def python() -> str:
    """The Python of an environment with mjlab 1.6.0."""
    return python_with("mjlab", "mjlab==1.6.0", f"torch=={torch.__version__.split('+')[0]}")


def test_the_tables_sum_is_that_of_its_terms_and_a_graph_trains(python: str, tmp_path: Path) -> None:
    env, train = EnvConfig(id=f"mjlab:{TASK}"), TrainConfig(num_envs=8)
    trainer = RemoteTrainer(RunConfig(env=env, train=train, mjlab=SimulatorConfig(python, "cpu")))
    try:
        assert {"cartpole_joint_pos", "cartpole_joint_vel", "action"} <= {field.name for field in trainer.spec.fields}
        assert "smooth_reward" not in trainer.spec.source
        jobs = [TrainingJob("g01-c01", reward, 0, TrainingLength(512, 1, 1)) for reward in (OwnReward.OWN, GRAPH)]
        own, found = [event for event in trainer.train(jobs, tmp_path) if isinstance(event, TrainingResult)]
    finally:
        trainer.close()
    assert own.components["smooth_reward"] == pytest.approx(own.total, abs=1e-5)
    # At most 1 a step of 0.05 s for 1000 steps.
    assert 0.0 < own.score <= 50.0
    upright, off = found.components["upright"], found.components["off centre"]
    assert [a - b for a, b in zip(upright, off, strict=True)] == pytest.approx(found.total, abs=1e-5)


def test_the_exported_package_trains_by_the_stock_command_and_sums_what_the_graph_gives(
    python: str, tmp_path: Path
) -> None:
    package = TermPackage(
        "mjlab", TASK, "g01-c01", GRAPH, module_of(GRAPH, FIELDS), known=frozenset({"cartpole_joint_pos"})
    )
    write_package(package, tmp_path / "package")
    site = tmp_path / "site"
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(tmp_path / "package")]
    subprocess.run(install, check=True)
    variables = {**os.environ, "PYTHONPATH": str(site), "WANDB_MODE": "disabled"}
    program = """
import torch, mjlab.tasks
from mjlab.envs import ManagerBasedRlEnv
from mjlab.tasks.registry import load_env_cfg
cfg = load_env_cfg("Mjlab-Cartpole-Balance-Eureka")
cfg.scene.num_envs, cfg.seed = 8, 0
env = ManagerBasedRlEnv(cfg, device="cpu")
env.reset()
states = []
for _ in range(20):
    env.step(torch.randn(8, 1))
    states.append(env.scene["cartpole"].data.joint_pos.clone())
print(env.reward_manager.active_terms)
torch.save([torch.stack(states), sum(env.reward_manager._episode_sums.values())], "rollout.pt")
"""
    done = subprocess.run(
        [python, "-c", program], env=variables, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "['upright', 'off_centre', 'rest']"
    states, sums = torch.load(tmp_path / "rollout.pt", weights_only=True)
    total, _ = compile_graph(GRAPH)({"cartpole_joint_pos": states.flatten(0, 1)})
    # The manager scales by the control step of 0.05 s.
    assert torch.allclose(sums, 0.05 * total.reshape(20, 8).sum(dim=0), atol=1e-5)
    command = [str(Path(python).parent / "train"), "Mjlab-Cartpole-Balance-Eureka", "--gpu-ids", "None"]
    command += ["--env.scene.num-envs", "8", "--agent.max-iterations", "2", "--agent.logger", "tensorboard"]
    trained = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert trained.returncode == 0, trained.stderr
    assert list(tmp_path.glob("logs/rsl_rl/cartpole_eureka/*/model_1.pt"))
