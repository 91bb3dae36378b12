"""The examples run as they are, and show what they say."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import types
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from eureka.physics import MujocoC
from eureka.tasks import load_task
from eureka.trainers.gymnasium.environment import EnvironmentMaker
from eureka.trainers.gymnasium.recipe import EnvironmentRecipe
from eureka.trainers.gymnasium.transitions import random_episodes
from eureka.wrappers import load_reward
from eureka.wrappers.loading import load_task_of

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_example(name: str, *arguments: str) -> str:
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py"), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_shipped_reward_is_an_export_for_the_ant() -> None:
    module = load_reward(EXAMPLES / "ant_reward.py")
    assert module.task == "ant"
    assert load_task_of(module).info.name == "ant"


@pytest.mark.process
def test_ant_drop_in() -> None:
    output = run_example("ant_drop_in", "--steps", "30")
    means = {name: float(value) for name, value in re.findall(r"^  (\w+): (\S+)$", output, re.MULTILINE)}
    assert list(means) == ["forward_velocity_reward", "action_squared", "alive", "total"]
    # The module's total is the sum of its components, printed to four digits; it pays 0.133 for every step.
    assert means.pop("total") == pytest.approx(sum(means.values()), abs=2e-3)
    assert means["alive"] == pytest.approx(0.133)
    assert re.search(r"four at once: \S+, \S+, \S+, \S+ per step", output)


@pytest.mark.process
def test_a_goal_in_an_attribute_is_the_one_that_is_rewarded() -> None:
    output = run_example("goal_in_an_attribute", "--steps", "2")
    steps = re.findall(r"^cart at (\S+) m, target at (\S+) m: reward (\S+)$", output, re.MULTILINE)
    assert len(steps) == 2
    for cart, target, reward in steps:
        assert float(reward) == pytest.approx(-abs(float(cart) - float(target)), abs=2e-3)
    assert len({target for _, target, _ in steps}) == 1
    # -|0.1 - 0.1| and -|0.1 - 0.4|
    assert output.rstrip().endswith("of two other goals: -0.0, -0.3")


def test_several_environments_are_paid_as_one_is() -> None:
    example = load("ant_drop_in")
    rewards = example.several_environments(example.REWARD, 20)
    assert rewards.shape == (20, 4)
    assert np.isfinite(rewards).all()
    assert len(np.unique(rewards[0])) == 4


def test_stable_baselines_logs_the_sum_of_the_modules_rewards() -> None:
    pytest.importorskip("stable_baselines3")
    example = load("train_sb3")
    threads = torch.get_num_threads()
    episodes = example.train(example.REWARD, 4096)
    torch.set_num_threads(threads)
    assert len(episodes) > 10
    for episode in episodes:
        # The Monitor rounds to six digits behind the point; components are float32.
        assert episode.logged == pytest.approx(episode.module, abs=1e-3)


# ---- Isaac Gym ---------------------------------------------------------------------------------------------------


@pytest.fixture
def isaacgym_example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example, imported with empty modules in place of Isaac Gym, which no package index has."""
    names = ["isaacgym", "isaacgymenvs", "isaacgymenvs.tasks", "isaacgymenvs.tasks.base"]
    leaves = {
        "isaacgym.gymapi": {},
        "isaacgym.gymtorch": {},
        "isaacgym.torch_utils": {"torch_rand_float": None},
        "isaacgymenvs.tasks.base.vec_task": {"VecTask": object},
    }
    for name in [*names, *leaves]:
        module = types.ModuleType(name)
        vars(module).update(leaves.get(name, {}))
        monkeypatch.setitem(sys.modules, name, module)
        if name in leaves:
            parent, _, own = name.rpartition(".")
            setattr(sys.modules[parent], own, module)
    with pytest.warns(DeprecationWarning, match="torch.jit.script"):
        return load("isaacgym_ant")


def test_the_pasted_function_compiles_and_is_the_modules(isaacgym_example: ModuleType) -> None:
    scripted = isaacgym_example.compute_reward
    assert isinstance(scripted, torch.jit.ScriptFunction)
    module = load_reward(EXAMPLES / "ant_reward.py")
    generator = torch.Generator().manual_seed(0)
    for num_envs in (1, 7, 64):
        velocity = torch.randn(num_envs, generator=generator) * 2
        action = torch.rand(num_envs, 8, generator=generator) * 2 - 1
        total, components = scripted(velocity, action)
        expected = module({"forward_velocity": velocity, "action": action})
        torch.testing.assert_close(total, expected.total)
        assert list(components) == list(module.components)
        for name, value in components.items():
            torch.testing.assert_close(value, expected.components[name])


def test_it_is_pasted_word_for_word_and_labelled() -> None:
    pasted = (EXAMPLES / "isaacgym_ant.py").read_text()
    exported = (EXAMPLES / "ant_reward.py").read_text()
    start, end = exported.index("def compute_reward("), exported.index("def compute_reward_from_state(")
    assert "@torch.jit.script\n" + exported[start:end].rstrip() in pasted
    for text in (pasted, (EXAMPLES / "README.md").read_text()):
        assert "not executed against isaac gym" in text.lower()


def test_the_pasted_task_fills_the_reward_from_isaac_gyms_tensors(isaacgym_example: ModuleType) -> None:
    """`compute_reward` of the task on tensors as Isaac Gym lays them out, against the numbers by hand."""
    task = object.__new__(isaacgym_example.Ant)
    task.control_dt_s, task.max_episode_length, task.extras = 0.05, 1000, {}
    # Three ants: running upright at 2 m/s; on its back (x of the quaternion is 1); at the time limit.
    task.root_states = torch.zeros(3, 13)
    task.root_states[:, 0], task.root_states[:, 2], task.root_states[:, 6] = 0.1, 0.75, 1.0
    task.root_states[1, 3:7] = torch.tensor([1.0, 0.0, 0.0, 0.0])
    task.previous_position = torch.zeros(3, 2)
    task.actions = torch.full((3, 8), 0.5)
    task.progress_buf = torch.tensor([5, 5, 1000])
    task.rew_buf, task.reset_buf = torch.zeros(3), torch.zeros(3, dtype=torch.int64)
    task.compute_reward()
    # 8.48 tanh(2 / 5) - 0.05 * 8 * 0.25 + 0.133
    assert task.rew_buf.tolist() == pytest.approx([8.48 * float(np.tanh(0.4)) - 0.1 + 0.133] * 3, rel=1e-5)
    assert task.reset_buf.tolist() == [0, 1, 1]
    assert float(task.extras["reward_components"]["action_squared"]) == pytest.approx(-0.1)


@pytest.mark.process
@pytest.mark.parametrize("mistake", [False, True])
def test_it_type_checks_against_isaac_gyms_stubs(tmp_path: Path, mistake: bool) -> None:
    """Against a patched copy of `isaacgym-stubs`: as shipped it has only gymapi, with a property named `lambda`."""
    found = importlib.util.find_spec("isaacgym-stubs")
    if found is None:
        pytest.skip("needs the package isaacgym-stubs: pip install -e '.[examples]'")
    stubs = tmp_path / "stubs"
    shutil.copytree(EXAMPLES / "isaacgym_stubs", stubs)
    (gymapi,) = [Path(folder) / "gymapi.pyi" for folder in found.submodule_search_locations or ()]
    patched = gymapi.read_text().replace("def lambda(", "def lambda_(")
    (stubs / "isaacgym" / "gymapi.pyi").write_text(f"# mypy: ignore-errors\n{patched}")
    example = tmp_path / "isaacgym_ant.py"
    text = (EXAMPLES / "isaacgym_ant.py").read_text()
    example.write_text(text.replace("self.gym.add_ground(", "self.gym.add_grond(") if mistake else text)
    cache = Path(__file__).parents[2] / ".mypy_cache" / "examples"
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}", str(example)]
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"MYPYPATH": str(stubs), "PATH": ""}, cwd=tmp_path
    )
    if mistake:
        assert 'error: "Gym" has no attribute "add_grond"' in result.stdout
    else:
        assert result.returncode == 0, result.stdout + result.stderr


def test_a_trainer_of_ones_own_learns_to_balance() -> None:
    import gymnasium

    env = gymnasium.make("CartPole-v1")
    policy = load("own_trainer").train(env, 4000, 0)
    observation, _ = env.reset(seed=1)
    steps, over = 0, False
    while not over:
        observation, _, terminated, truncated, _ = env.step(policy(observation))
        steps, over = steps + 1, terminated or truncated
    assert steps > 100  # an action drawn at random lasts about 20


@pytest.mark.parametrize(
    ("identity", "metric", "fields", "unit"),
    [
        ("pendulum.py", "", ["angle", "angular_velocity", "torque", "torque_change"], "s"),
        ("line_env:Line", "info.is_success", ["position", "velocity", "position_target", "action"], "success rate"),
    ],
)
def test_environments_by_file_and_by_class(
    identity: str, metric: str, fields: list[str], unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(EXAMPLES)
    maker = EnvironmentMaker(EnvironmentRecipe(identity, metric=metric, folder=str(EXAMPLES)))
    assert [field.name for field in maker.reader.fields] == fields
    found = random_episodes(maker, 64, 0)
    assert not found.constants
    assert maker.metric.spec(maker.definition.described).unit == unit


SMALL = ["llm=program_search", "search.generations=1", "search.samples=2", "search.finalists=1", "report.films=none"]
SMALL += ["search.confirmation_seeds=0", "train.steps=512", "train.checkpoints=1", "train.eval_episodes=1"]
SMALL += ["evaluation.seeds=0"]


@pytest.mark.process
@pytest.mark.parametrize("name", ["pendulum", pytest.param("line_env", marks=pytest.mark.wide), "own_trainer"])
def test_the_command_that_an_example_tells_runs_in_small(name: str, tmp_path: Path) -> None:
    pytest.importorskip("stable_baselines3")
    told = re.search(r"\beureka (run env=.*)", (EXAMPLES / f"{name}.py").read_text())
    assert told is not None
    words = [word for word in shlex.split(told[1]) if not word.startswith("train.steps=")]
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_API_KEY")}
    command = [sys.executable, "-m", "eureka", *words, *SMALL, f"output={tmp_path / 'run'}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=EXAMPLES, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "best reward: g01-c0" in done.stdout
    assert (tmp_path / "run" / "report.html").is_file()


def test_the_arm_reads_places_from_sites() -> None:
    task = load_task("arm", [EXAMPLES / "arm"])
    sim = MujocoC(task.model, 1, task.info.outputs)
    # Stretched out along +x at the height of 0.6 m, and the handle straight below the hinge.
    qpos = torch.tensor([[0.0, 0.0, torch.pi / 2]], dtype=torch.float64)
    sim.reset(torch.arange(1), qpos, torch.zeros(1, 3, dtype=torch.float64), None, None)
    state = task.read_state(sim, task.Carry(), torch.zeros(1, 2))
    assert state.gripper_position[0].tolist() == pytest.approx([0.65, 0.0, 0.6], abs=1e-3)
    assert state.to_handle[0].tolist() == pytest.approx([-0.65, 0.0, -0.5], abs=1e-3)
    assert float(task.metric.value(state)) == 0.0
