"""The self-contained file pays what the wrappers pay, without Eureka, and in environments of other versions."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium
import numpy as np
import pytest

from eureka.core.errors import TaskError
from eureka.reward.export import export_reward
from eureka.tasks import Task, find_tasks, load_task
from eureka.tasks.info import read_info
from eureka.wrappers import RewardWrapper, VectorRewardWrapper
from eureka.wrappers.single_file import single_file

EXAMPLE = Path(__file__).parents[2] / "examples" / "ant_reward.py"
INFOS = {name: read_info(folder) for name, folder in find_tasks().items()}
# Bodies that come with Gymnasium itself: those of other packages have environments that need an older MuJoCo.
WITH_ENVIRONMENTS = [
    name for name, info in INFOS.items() if info.gymnasium_id and info.model.startswith(("gymnasium:", "model"))
]


def squares_of(task: Task) -> str:
    """A module whose total is the sum of squares of every number of the State that is a float."""
    names = [spec.name for spec in task.fields if spec.dtype == "float32"]
    nodes: list[dict[str, Any]] = []
    terms = []
    for name in names:
        shape = next(spec.shape for spec in task.fields if spec.name == name)
        nodes.append({"op": "mul.Tensor", "args": [{"input": name}, {"input": name}]})
        if shape:
            dims = list(range(-len(shape), 0))
            nodes.append({"op": "sum.dim_IntList", "args": [{"node": len(nodes) - 1}, dims]})
        terms.append({"node": len(nodes) - 1})
    total = terms[0]
    for term in terms[1:]:
        nodes.append({"op": "add.Tensor", "args": [total, term]})
        total = {"node": len(nodes) - 1}
    graph = {"version": 1, "inputs": names, "constants": {}, "nodes": nodes, "total": total}
    components = [{"name": name, "value": term} for name, term in zip(names, terms, strict=True)]
    return export_reward(
        graph=json.dumps({**graph, "components": components}),
        task=task.info.name,
        candidate_id="g01-c01",
        fields=task.fields,
        provenance={},
    )


def imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def environment(task: Task) -> Any:
    """The task's Gymnasium environment, with the task's control step."""
    assert task.info.gymnasium_id is not None
    env = gymnasium.make(task.info.gymnasium_id, max_episode_steps=20)
    skip = task.control_timestep_s / env.unwrapped.model.opt.timestep  # type: ignore[attr-defined]
    return gymnasium.make(task.info.gymnasium_id, max_episode_steps=20, frame_skip=round(skip))


@pytest.mark.parametrize("name", WITH_ENVIRONMENTS)
def test_the_file_pays_what_the_wrapper_pays(tmp_path: Path, name: str) -> None:
    task = load_task(name)
    module = tmp_path / "reward.py"
    module.write_text(squares_of(task))
    path = tmp_path / f"{name}_alone.py"
    path.write_text(single_file(module.read_text(), task, path.stem))
    alone = imported(path)
    one, other = RewardWrapper(environment(task), module), alone.RewardWrapper(environment(task))
    rng = np.random.default_rng(0)
    low, high = one.action_space.low, one.action_space.high  # type: ignore[attr-defined]
    one.reset(seed=0)
    other.reset(seed=0)
    episodes = 0
    for _ in range(50):
        action = rng.uniform(low, high).astype(np.float32)
        _, paid, terminated, truncated, info = one.step(action)
        _, paid_alone, _, _, info_alone = other.step(action)
        assert paid_alone == paid
        assert info_alone["reward_components"] == info["reward_components"]
        assert info_alone["task_metric"] == info["task_metric"]
        assert info_alone.get("episode_task_metric") == info.get("episode_task_metric")
        if terminated or truncated:
            episodes += 1
            one.reset()
            other.reset()
    assert episodes >= 2


def test_several_environments_by_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ant_alone.py"
    path.write_text(single_file(EXAMPLE.read_text(), load_task("ant"), path.stem))
    alone = imported(path)

    def vector() -> Any:
        return gymnasium.make_vec("Ant-v5", num_envs=3, vectorization_mode="sync")

    one, other = VectorRewardWrapper(vector(), EXAMPLE), alone.VectorRewardWrapper(vector())
    actions = np.random.default_rng(0).uniform(-1, 1, (5, 3, 8)).astype(np.float32)
    one.reset(seed=0)
    other.reset(seed=0)
    for action in actions:
        np.testing.assert_array_equal(one.step(action)[1], other.step(action)[1])
    with pytest.raises(alone.TaskError, match=r"has another body than task `ant`: .* have \(2, 2, 1\) numbers"):
        alone.RewardWrapper(gymnasium.make("InvertedPendulum-v5"))


@pytest.mark.process
def test_it_imports_nothing_of_eureka(tmp_path: Path) -> None:
    (tmp_path / "ant_alone.py").write_text(single_file(EXAMPLE.read_text(), load_task("ant"), "ant_alone"))
    program = "import sys, ant_alone, torch; torch.jit.script(ant_alone.compute_reward)\n"
    program += "print(sorted(name for name in sys.modules if name.split('.')[0] == 'eureka'))"
    result = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.stdout == "[]\n", result.stderr


def test_what_only_eureka_has_is_named(tmp_path: Path) -> None:
    def refused(name: str, old: str, new: str, said: str) -> None:
        folder = tmp_path / name
        folder.mkdir()
        source = find_tasks()["cartpole"]
        (folder / "task.yaml").write_text((source / "task.yaml").read_text())
        text = (source / "env.py").read_text()
        assert old in text
        (folder / "env.py").write_text(text.replace(old, new).replace("\n\nclass ", "\n\nMODULE = 0.0\n\n\nclass ", 1))
        task = load_task(name, [tmp_path])
        with pytest.raises(TaskError, match=said):
            single_file(squares_of(task), task, "alone")

    state = "cart_position=sim.qpos[:, 0],"
    refused(
        "reads_its_folder", state, "cart_position=sim.qpos[:, 0] + len(str(self.folder)) * 0,", r"uses `self\.folder`"
    )
    refused("has_a_name", state, "cart_position=sim.qpos[:, 0] + MODULE,", "defines `MODULE`, which a file")


@pytest.mark.wide
def test_beside_mujoco_3_3_and_gymnasium_robotics(tmp_path: Path) -> None:
    """In an environment of its own, with the versions that Fetch and the hands need."""
    folder = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    packages = ["torch==2.13.0", "numpy", "mujoco==3.3.*", "gymnasium-robotics==1.4.2"]
    installed = subprocess.run([python, "-m", "pip", "install", "-q", *packages], capture_output=True, check=False)
    if installed.returncode:
        pytest.skip(f"needs {' '.join(packages)} from a package index")
    (tmp_path / "ant_alone.py").write_text(single_file(EXAMPLE.read_text(), load_task("ant"), "ant_alone"))
    program = """
import gymnasium, mujoco, numpy as np, ant_alone
assert mujoco.__version__.startswith("3.3")
env = ant_alone.RewardWrapper(gymnasium.make("Ant-v5"))
env.reset(seed=0)
start = env.unwrapped.data.qpos[0]
_, reward, _, _, info = env.step(np.zeros(8))
speed = (env.unwrapped.data.qpos[0] - start) / env.unwrapped.dt
assert abs(reward - (8.48 * np.tanh(speed / 5) + 0.133)) < 1e-5
assert abs(info["task_metric"] - speed) < 1e-5
import gymnasium_robotics
gymnasium.register_envs(gymnasium_robotics)
try:
    ant_alone.RewardWrapper(gymnasium.make("FetchReach-v4"))
except ant_alone.EurekaError as error:
    print(error)
"""
    result = subprocess.run([python, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "has a compute_reward of its own" in result.stdout
