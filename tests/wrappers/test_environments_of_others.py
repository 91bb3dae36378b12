"""Environments that keep elsewhere what a task draws at random, that compute rewards of goals, and the metric."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Dict
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from eureka.core.errors import EurekaError, TaskError
from eureka.reward.export import export_reward
from eureka.tasks import find_tasks, load_task
from eureka.wrappers import RewardWrapper, VectorRewardWrapper

REACH_ENV = '''
from dataclasses import dataclass

import torch

from eureka.physics import Snapshot
from eureka.tasks import Metric, Reset, Task, state_field


class Reach(Task):
    """Move the cart to a target that is drawn at random and kept in the Carry."""

    @dataclass(frozen=True)
    class Carry:
        target: torch.Tensor

    @dataclass(frozen=True)
    class State:
        cart: torch.Tensor = state_field((), "m", "world", "place of the cart")
        target: torch.Tensor = state_field((), "m", "world", "where it should go")

    def reset(self, rng, num):
        qpos, qvel = torch.zeros(num, 2), torch.zeros(num, 2)
        return Reset(qpos, qvel, self.start(Snapshot(qpos, qvel), rng))

    def start(self, sim, rng):
        return self.Carry(rng.uniform(-1, 1, (sim.num_envs,)))

    def advance(self, carry, sim, action, rng):
        return carry

    def state(self, sim, carry, action):
        return self.State(cart=sim.qpos[:, 0], target=carry.target)

    def observe(self, state):
        return torch.stack([state.cart, state.target], dim=1)

    def terminated(self, state):
        return torch.zeros_like(state.cart, dtype=torch.bool)

    @property
    def metric(self):
        return Metric(lambda state: (state.cart - state.target).abs(), "max", "m", "distance")

    def human_reward(self, state):
        return -(state.cart - state.target).abs(), {}
'''
REACH_GRAPH = {
    "version": 1,
    "inputs": ["cart", "target"],
    "constants": {},
    "nodes": [
        {"op": "sub.Tensor", "args": [{"input": "cart"}, {"input": "target"}]},
        {"op": "abs", "args": [{"node": 0}]},
        {"op": "neg", "args": [{"node": 1}]},
    ],
    "total": {"node": 2},
    "components": [{"name": "near", "value": {"node": 2}}],
}


class GoalCart(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Gymnasium's InvertedPendulum-v5 with a target in a Python attribute, which lies still."""

    def __init__(self, goal: float = 0.5) -> None:
        super().__init__(gymnasium.make("InvertedPendulum-v5", max_episode_steps=4))
        self.goal = goal


@pytest.fixture(scope="module")
def reach(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A module and, as a string, the folder of its task."""
    folder = tmp_path_factory.mktemp("tasks") / "reach"
    shutil.copytree(find_tasks()["cartpole"], folder)
    (folder / "env.py").write_text(REACH_ENV)
    task = load_task("reach", [str(folder.parent)])
    path = folder.parent / "reward.py"
    graph = json.dumps(REACH_GRAPH)
    path.write_text(export_reward(graph=graph, task="reach", candidate_id="g01-c01", fields=task.fields, provenance={}))
    return path, str(folder.parent)


def test_what_a_task_draws_at_random_must_be_read_from_the_environment(reach: tuple[Path, str]) -> None:
    module, tasks = reach
    with pytest.raises(TaskError, match=r'draws `target` of its Carry at random.*carry=\{"target": lambda env: env'):
        RewardWrapper(GoalCart(), module, task_dirs=[tasks])
    with pytest.raises(TaskError, match="draws `target`"):
        VectorRewardWrapper(SyncVectorEnv([GoalCart]), module, task_dirs=[tasks])
    readers = {"target": lambda env: env.goal}
    with pytest.raises(TaskError, match="carry: `goal` is no field of the Carry of task `reach`, which has target"):
        RewardWrapper(GoalCart(), module, task_dirs=[tasks], carry={"goal": readers["target"]})
    with pytest.raises(TaskError, match=r"carry: `target` must be a function of the environment.* and is 0\.5"):
        RewardWrapper(GoalCart(), module, task_dirs=[tasks], carry={"target": 0.5})  # type: ignore[dict-item]
    # An environment has its target from its first reset on.
    wrong = RewardWrapper(GoalCart(), module, task_dirs=[tasks], carry={"target": lambda env: [1, 2]})
    with pytest.raises(TaskError, match=r"must give the shape \(\), and gave \(2,\)"):
        wrong.reset()


@pytest.mark.parametrize(
    ("reader", "said"),
    [
        (lambda env: env.gaol, r"carry: the function for `target` .* asks GoalCart for `gaol`.* did you mean `goal`\?"),
        (lambda env: env.unwrapped.goals["far"], r"asks InvertedPendulumEnv for `goals`.*; say where .* keeps it"),
        (lambda env: {}["far"], "raised KeyError: 'far'; say where"),
        (lambda env: None, r"gave None for .*, and numbers are needed"),
    ],
)
def test_a_reader_that_finds_nothing_is_said_with_what_is_there(
    reach: tuple[Path, str], reader: Callable[[Any], Any], said: str
) -> None:
    env = RewardWrapper(GoalCart(), reach[0], task_dirs=reach[1], carry={"target": reader})
    with pytest.raises(TaskError, match=said):
        env.reset(seed=0)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("return carry", "sim.ctrl\n        return carry", "`advance` asks Snapshot for `ctrl`"),
        ("carry.target)", "carry.target + sim.ctrl[:, 0])", "`state` asks Snapshot for `ctrl`"),
    ],
)
def test_what_only_our_simulator_has_is_said(
    tmp_path: Path, reach: tuple[Path, str], old: str, new: str, said: str
) -> None:
    shutil.copytree(Path(reach[1]) / "reach", tmp_path / "reach")
    (tmp_path / "reach" / "env.py").write_text(REACH_ENV.replace(old, new))
    env = RewardWrapper(GoalCart(), reach[0], task_dirs=tmp_path, carry={"target": lambda env: env.goal})

    def episode() -> None:
        env.reset(seed=0)
        env.step(np.zeros(1, np.float32))

    with pytest.raises(TaskError, match=f"task `reach`: {said}.* it can read qpos, qvel and the task's outputs"):
        episode()


def test_draws_by_the_generators_themselves_are_noticed(tmp_path: Path, reach: tuple[Path, str]) -> None:
    shutil.copytree(Path(reach[1]) / "reach", tmp_path / "reach")
    drawn = "2 * torch.rand(sim.num_envs, generator=rng.generators[0]) - 1"
    (tmp_path / "reach" / "env.py").write_text(REACH_ENV.replace("rng.uniform(-1, 1, (sim.num_envs,))", drawn))
    with pytest.raises(TaskError, match="draws `target` of its Carry at random"):
        RewardWrapper(GoalCart(), reach[0], task_dirs=[tmp_path])


@pytest.mark.parametrize("kind", [str, Path])
def test_one_folder_of_tasks_needs_no_list(reach: tuple[Path, str], kind: type) -> None:
    module, tasks = reach
    carry = {"target": lambda env: env.goal}
    assert RewardWrapper(GoalCart(), kind(module), task_dirs=kind(tasks), carry=carry).module.task == "reach"
    VectorRewardWrapper(SyncVectorEnv([GoalCart]), kind(module), task_dirs=kind(tasks), carry=carry)
    assert "reach" in find_tasks(kind(tasks))


def test_the_environments_own_target_is_what_the_reward_reads(reach: tuple[Path, str]) -> None:
    module, tasks = reach
    readers = {"target": lambda env: env.goal}
    env = RewardWrapper(GoalCart(), module, task_dirs=[tasks], carry=readers)
    paid, said = [], []
    for goal in (0.5, -2.0):
        env.env.goal = goal  # type: ignore[attr-defined]
        env.reset(seed=0)
        for _ in range(4):
            _, reward, _, _, info = env.step(np.zeros(1, np.float32))
            place = float(env.unwrapped.data.qpos[0])  # type: ignore[attr-defined]
            assert reward == pytest.approx(-abs(place - goal), abs=1e-6)
            assert info["task_metric"] == pytest.approx(abs(place - goal), abs=1e-6)
            paid.append(float(reward))
            said.append(info)
    # The metric of an episode is the largest distance in it, and is told at its end alone.
    assert [("episode_task_metric" in info) for info in said] == [False] * 3 + [True] + [False] * 3 + [True]
    assert said[3]["episode_task_metric"] == pytest.approx(max(-reward for reward in paid[:4]))
    assert said[7]["episode_task_metric"] == pytest.approx(max(-reward for reward in paid[4:]))
    vector = SyncVectorEnv([lambda: GoalCart(0.5), lambda: GoalCart(-2.0)], autoreset_mode=AutoresetMode.SAME_STEP)
    envs = VectorRewardWrapper(vector, module, task_dirs=[tasks], carry=readers)
    envs.reset(seed=[0, 0])
    for _ in range(4):
        _, rewards, _, _, infos = envs.step(np.zeros((2, 1), np.float32))
    final = infos["final_info"]
    np.testing.assert_allclose(final["episode_task_metric"][0], max(-reward for reward in paid[:4]), atol=1e-6)
    np.testing.assert_allclose(rewards, [paid[3], paid[7]], atol=0.02)


def test_rewards_of_other_goals_are_the_modules_or_refused(reach: tuple[Path, str]) -> None:
    module, tasks = reach

    class GoalReward(GoalCart):
        def __init__(self) -> None:
            super().__init__()
            self.unwrapped.compute_reward = lambda achieved, desired, info: -1.0  # type: ignore[attr-defined]

    options: dict[str, Any] = {"task_dirs": [tasks], "carry": {"target": lambda env: env.goal}}
    for make in (
        lambda: RewardWrapper(GoalReward(), module, **options),
        lambda: VectorRewardWrapper(SyncVectorEnv([GoalReward]), module, **options),
    ):
        with pytest.raises(EurekaError, match=r"has a compute_reward of its own, which replay .* state_from_goals="):
            make()

    class RewardInAWrapper(gymnasium.Wrapper[Any, Any, Any, Any]):
        def compute_reward(self, achieved: Any, desired: Any, info: Any) -> float:
            return -1.0

    with pytest.raises(EurekaError, match="has a compute_reward of its own"):
        RewardWrapper(gymnasium.Wrapper(RewardInAWrapper(GoalCart())), module, **options)
    # Only a wrapper of one environment can be asked for rewards of other goals.
    with pytest.raises(EurekaError, match="put a RewardWrapper with state_from_goals=FUNCTION into each environment"):
        VectorRewardWrapper(SyncVectorEnv([GoalReward]), module, **options)
    kept = RewardWrapper(GoalReward(), module, keep_compute_reward=True, **options)
    assert not hasattr(kept, "compute_reward")

    def from_goals(achieved: np.ndarray, desired: np.ndarray, infos: Any) -> dict[str, Any]:
        return {"cart": achieved[:, 0], "target": desired[:, 0]}

    env = RewardWrapper(GoalReward(), module, state_from_goals=from_goals, **options)
    env.reset(seed=0)
    _, reward, _, _, info = env.step(np.zeros(1, np.float32))
    assert set(info["state"]) == {"cart", "target"}
    assert reward == pytest.approx(-abs(float(info["state"]["cart"]) - 0.5))
    assert env.get_wrapper_attr("compute_reward")(np.array([1.0]), np.array([3.0]), {}) == -2.0
    many = env.compute_reward(np.array([[1.0], [0.0]]), np.array([[3.0], [0.5]]), [{}, {}])
    assert many.tolist() == [-2.0, -0.5]


class GoalEnvironment(gymnasium.Wrapper[Any, Any, Any, Any]):
    """InvertedPendulum-v5 as a goal-conditioned environment: where the cart is, and where it should be."""

    def __init__(self) -> None:
        super().__init__(gymnasium.make("InvertedPendulum-v5", max_episode_steps=4))
        one = Box(-np.inf, np.inf, (1,), np.float64)
        self.observation_space = Dict(
            {"observation": self.env.observation_space, "achieved_goal": one, "desired_goal": one}
        )
        self.goal = 0.0

    def _seen(self, observation: np.ndarray) -> dict[str, np.ndarray]:
        place, goal = np.array([self.unwrapped.data.qpos[0]]), np.array([self.goal])  # type: ignore[attr-defined]
        return {"observation": observation, "achieved_goal": place, "desired_goal": goal}

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        observation, info = self.env.reset(**options)
        self.goal = float(self.np_random.uniform(-0.8, 0.8))
        return self._seen(observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._seen(observation), reward, terminated, truncated, info


@pytest.mark.process
def test_hindsight_replay_trains_with_the_modules_rewards(reach: tuple[Path, str]) -> None:
    sb3 = pytest.importorskip("stable_baselines3")
    module, tasks = reach

    def from_goals(achieved: np.ndarray, desired: np.ndarray, infos: Any) -> dict[str, Any]:
        return {"cart": achieved[:, 0], "target": desired[:, 0]}

    carry = {"target": lambda env: env.get_wrapper_attr("goal")}
    env = RewardWrapper(GoalEnvironment(), module, task_dirs=[tasks], carry=carry, state_from_goals=from_goals)
    model = sb3.SAC(
        "MultiInputPolicy",
        env,
        replay_buffer_class=sb3.HerReplayBuffer,
        replay_buffer_kwargs={"copy_info_dict": True},
        learning_starts=16,
        batch_size=8,
        seed=0,
        device="cpu",
    )
    model.learn(24)
    drawn = model.replay_buffer.sample(256)
    seen = drawn.next_observations
    distance = (seen["achieved_goal"] - seen["desired_goal"]).abs()
    # The module pays minus the distance to whatever goal is asked about, up to the last substep.
    assert torch.allclose(drawn.rewards, -distance.float(), atol=1e-5)
    # Of a goal that replay took from the same step the distance is 0: it has changed goals.
    assert (distance < 1e-9).any()
