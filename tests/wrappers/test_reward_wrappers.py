"""Wrapped environments against the training environment's own simulator, State and reward graph, step by step."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest
import torch
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

from eureka.core.errors import EurekaError, TaskError
from eureka.physics import MujocoC
from eureka.reward.export import export_reward
from eureka.reward.graph.runtime import compile_graph
from eureka.tasks import Rng, Task, load_task
from eureka.tasks.base import replace_rows, state_tensors
from eureka.wrappers import RewardWrapper, VectorRewardWrapper

# Reads every kind of field: of this step's start and end, of the contact forces, of this and the previous action.
GRAPH = json.dumps(
    {
        "version": 1,
        "inputs": ["forward_velocity", "up_projection", "contact_wrench", "action", "previous_action"],
        "constants": {"effort_weight": 0.02},
        "nodes": [
            {"op": "sub.Tensor", "args": [{"input": "action"}, {"input": "previous_action"}]},
            {"op": "pow.Tensor_Scalar", "args": [{"node": 0}, 2]},
            {"op": "sum.dim_IntList", "args": [{"node": 1}, [-1]]},
            {"op": "mul.Tensor", "args": [{"node": 2}, {"constant": "effort_weight"}]},
            {"op": "linalg_vector_norm", "args": [{"input": "contact_wrench"}, 2, [-1, -2]]},
            {"op": "tanh", "args": [{"node": 4}]},
            {"op": "add.Tensor", "args": [{"input": "forward_velocity"}, {"input": "up_projection"}]},
            {"op": "sub.Tensor", "args": [{"node": 6}, {"node": 3}]},
            {"op": "sub.Tensor", "args": [{"node": 7}, {"node": 5}]},
        ],
        "total": {"node": 8},
        "components": [
            {"name": "forward", "value": {"input": "forward_velocity"}},
            {"name": "upright", "value": {"input": "up_projection"}},
            {"name": "jerk", "value": {"node": 3}},
            {"name": "contact", "value": {"node": 5}},
        ],
    }
)
NUM_ENVS = 4
Names = ("forward", "upright", "jerk", "contact")


@pytest.fixture(scope="module")
def ant() -> Task:
    return load_task("ant")


@pytest.fixture(scope="module")
def reward(tmp_path_factory: pytest.TempPathFactory, ant: Task) -> Path:
    path = tmp_path_factory.mktemp("module") / "reward.py"
    path.write_text(export_reward(graph=GRAPH, task="ant", candidate_id="g01-c01", fields=ant.fields, provenance={}))
    return path


def trainer_like_ant(limit: int = 60) -> gymnasium.Env[Any, Any]:
    """Gymnasium's Ant-v5, stepped as the task steps it, so that both simulators can run side by side."""
    env = gymnasium.make("Ant-v5", frame_skip=2, max_episode_steps=limit)
    model = env.unwrapped.model  # type: ignore[attr-defined]
    model.opt.timestep = 0.025
    model.opt.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    return env


class Training:
    """The training environment: the trainer's simulator, the task's Carry and State, the reward's graph.

    It is told the start states of episodes, and from then on nothing but the actions.
    """

    def __init__(self, task: Task, num_envs: int) -> None:
        self._task = task
        self._sim = MujocoC(task.model, num_envs, task.info.outputs)
        self._reward = compile_graph(GRAPH)
        self._rng = Rng.from_seed(0)
        self._carry = task.start(self._sim, self._rng)

    def start(self, index: int, env: gymnasium.Env[Any, Any]) -> None:
        data = env.unwrapped.data  # type: ignore[attr-defined]
        ids = torch.tensor([index])
        qpos, qvel = torch.tensor(data.qpos)[None], torch.tensor(data.qvel)[None]
        self._sim.reset(ids, qpos, qvel)
        self._carry = replace_rows(self._carry, ids, self._task.start(self._sim.select(ids), self._rng))

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        action = torch.from_numpy(np.asarray(actions, dtype=np.float32))
        self._sim.ctrl.copy_(action)  # Ant's controls go from -1 to 1
        self._sim.step(self._task.info.physics.substeps)
        self._carry = self._task.advance(self._carry, self._sim, action, self._rng)
        total, components = self._reward(state_tensors(self._task.read_state(self._sim, self._carry, action)))
        return total.numpy(), {name: value.numpy() for name, value in components.items()}


def actions_of(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    return rng.uniform(-1, 1, shape).astype(np.float32)


def test_a_thousand_steps_of_one_environment_equal_training(ant: Task, reward: Path) -> None:
    env = RewardWrapper(trainer_like_ant(), reward)
    training = Training(ant, 1)
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    training.start(0, env)
    episodes = 0
    for _ in range(1000):
        action = actions_of(rng, (8,))
        _, paid, terminated, truncated, info = env.step(action)
        total, components = training.step(action[None])
        assert paid == pytest.approx(total[0], abs=1e-6)
        assert list(info["reward_components"]) == list(Names)
        for name in Names:
            assert info["reward_components"][name] == pytest.approx(components[name][0], abs=1e-6), name
        assert info["environment_reward"] == pytest.approx(
            info["reward_forward"] + info["reward_survive"] + info["reward_ctrl"] + info["reward_contact"]
        )
        if terminated or truncated:
            episodes += 1
            env.reset()
            training.start(0, env)
    assert episodes > 10


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_thousand_steps_of_a_vector_equal_training(ant: Task, reward: Path, mode: AutoresetMode) -> None:
    # Time limits of their own, so that the environments do not all reset in the same step.
    makers = [functools.partial(trainer_like_ant, limit) for limit in (31, 40, 47, 60)]
    base = SyncVectorEnv(makers, autoreset_mode=mode)
    envs = VectorRewardWrapper(base, reward)
    training = Training(ant, NUM_ENVS)
    rng = np.random.default_rng(0)
    envs.reset(seed=0)
    for index in range(NUM_ENVS):
        training.start(index, base.envs[index])
    resetting = np.zeros(NUM_ENVS, dtype=bool)
    steps, resets = 0, 0
    while steps < 1000:
        actions = actions_of(rng, (NUM_ENVS, 8))
        _, paid, terminated, truncated, infos = envs.step(actions)
        total, components = training.step(actions)
        done = terminated | truncated
        for index in range(NUM_ENVS):
            if resetting[index]:  # NEXT_STEP: this step only reset it
                assert paid[index] == 0.0
                assert not infos.get("_reward_components", np.zeros(NUM_ENVS, bool))[index]
                training.start(index, base.envs[index])
                continue
            ended_here = mode is AutoresetMode.SAME_STEP and done[index]
            told = infos["final_info"] if ended_here else infos
            assert told["_reward_components"][index]
            assert paid[index] == pytest.approx(total[index], abs=1e-6)
            for name in Names:
                assert told["reward_components"][name][index] == pytest.approx(components[name][index], abs=1e-6)
                assert told["reward_components"][f"_{name}"][index]
            assert told["environment_reward"][index] == pytest.approx(
                told["reward_forward"][index]
                + told["reward_survive"][index]
                + told["reward_ctrl"][index]
                + told["reward_contact"][index]
            )
            if ended_here:
                assert not infos.get("_environment_reward", np.zeros(NUM_ENVS, bool))[index]
                training.start(index, base.envs[index])
            steps += 1
        resets += int(done.sum())
        resetting = done if mode is AutoresetMode.NEXT_STEP else np.zeros(NUM_ENVS, dtype=bool)
        if mode is AutoresetMode.DISABLED and done.any():
            envs.reset(options={"reset_mask": done})
            for index in np.flatnonzero(done):
                training.start(int(index), base.envs[index])
    assert resets > 10


@pytest.mark.process
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_wrapper_in_every_environment_is_the_same(reward: Path, asynchronous: bool) -> None:
    """`RewardWrapper` inside the vector, in other processes too, and `VectorRewardWrapper` around it."""

    def vector(wrap: Callable[[Any], Any], kind: Any) -> Any:
        makers = [lambda limit=limit: wrap(trainer_like_ant(limit)) for limit in (20, 13)]
        return kind(makers, autoreset_mode=AutoresetMode.SAME_STEP)

    inside = vector(functools.partial(RewardWrapper, reward=reward), AsyncVectorEnv if asynchronous else SyncVectorEnv)
    around = VectorRewardWrapper(vector(lambda env: env, SyncVectorEnv), reward)
    rng = np.random.default_rng(1)
    try:
        inside.reset(seed=3)
        around.reset(seed=3)
        for _ in range(50):
            actions = actions_of(rng, (2, 8))
            _, paid, _, _, infos = inside.step(actions)
            _, paid_around, _, _, infos_around = around.step(actions)
            np.testing.assert_allclose(paid, paid_around, atol=1e-6)
            assert_same_infos(infos, infos_around)
    finally:
        inside.close()


def assert_same_infos(one: Any, other: Any) -> None:
    """Keys, masks and values of both; the order of keys does not matter."""
    assert set(one) == set(other)
    for key, value in one.items():
        if isinstance(value, dict):
            assert_same_infos(value, other[key])
        elif value.dtype != object:
            np.testing.assert_allclose(value, other[key], atol=1e-6, err_msg=key)


def test_the_state_holds_the_controls_that_reached_the_engine(reward: Path) -> None:
    """Below wrappers that rescale actions, and clipped to the actuators' range as MuJoCo clips them."""
    ten = np.full(8, 10.0, np.float32)
    plain = RewardWrapper(trainer_like_ant(), reward)
    rescaled = RewardWrapper(gymnasium.wrappers.RescaleAction(trainer_like_ant(), -ten, ten), reward)
    beyond = RewardWrapper(trainer_like_ant(), reward)
    half, full = np.full(8, 0.5, np.float32), np.full(8, 1.0, np.float32)
    for env in (plain, rescaled, beyond):
        env.reset(seed=0)
    # Eight actions that changed from 0 to 0.5: 0.02 * 8 * 0.25 = 0.04.
    assert plain.step(half)[4]["reward_components"]["jerk"] == pytest.approx(0.04)
    assert rescaled.step(10 * half)[4]["reward_components"]["jerk"] == pytest.approx(0.04)
    # To 1: 0.16, also where 3 is asked for.
    assert beyond.step(3 * full)[4]["reward_components"]["jerk"] == pytest.approx(0.16)


def test_what_stands_inside_keeps_the_environments_reward(reward: Path) -> None:
    inner = gymnasium.wrappers.vector.RecordEpisodeStatistics(SyncVectorEnv([lambda: trainer_like_ant(5)]))
    envs = VectorRewardWrapper(inner, reward)
    envs.reset(seed=0)
    own = 0.0
    for _ in range(5):
        _, _, _, _, infos = envs.step(np.zeros((1, 8), np.float32))
        own += infos["environment_reward"][0]
    assert infos["episode"]["r"][0] == pytest.approx(own)


def test_a_wrapped_environment_is_made_again_from_its_spec(reward: Path) -> None:
    spec = RewardWrapper(gymnasium.make("Ant-v5"), reward).spec
    assert spec is not None
    env = gymnasium.make(spec)
    env.reset(seed=0)
    assert set(env.step(np.zeros(8, np.float32))[4]["reward_components"]) == set(Names)


# ---- what is wrong -----------------------------------------------------------------------------------------------


def test_modules_that_cannot_be_used(tmp_path: Path, reward: Path) -> None:
    env = gymnasium.make("Ant-v5")
    text = reward.read_text()
    ran = tmp_path / "ran"

    def refused(content: str, error: type[EurekaError], sentence: str, **options: Any) -> None:
        path = tmp_path / "module.py"
        path.write_text(content)
        with pytest.raises(error, match=sentence):
            RewardWrapper(env, path, **options)

    with pytest.raises(EurekaError, match=r"none\.py: the reward module cannot be read: No such file"):
        RewardWrapper(env, tmp_path / "none.py")
    refused("def f(:", EurekaError, "not a Python module")
    candidate = f"open({str(ran)!r}, 'w')\ndef compute_reward(action):\n    return action, {{}}\n"
    refused(candidate, EurekaError, "no exported reward module, it lacks INPUTS; `eureka export DIR")
    assert not ran.exists()
    refused(text + "\n1 / 0\n", EurekaError, "fails when it is run: it raised ZeroDivisionError")
    refused(text.replace('TASK: str = "ant"\n', ""), TaskError, "names no task; say which one")
    refused(
        text, TaskError, "reads 'forward_velocity', which is no field of the State of task `cartpole`", task="cartpole"
    )
    refused(text.replace('TASK: str = "ant"', 'TASK: str = "ants"'), TaskError, "there is no task `ants`")


def test_a_module_without_its_task_is_told_it(tmp_path: Path, reward: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(reward.read_text().replace('TASK: str = "ant"\n', ""))
    env = RewardWrapper(gymnasium.make("Ant-v5"), path, task="ant")
    assert env.module.task is None
    env.reset(seed=0)
    assert env.step(np.zeros(8, np.float32))[4]["reward_components"]["jerk"] == 0.0


@pytest.mark.process
def test_environments_that_cannot_be_used(reward: Path) -> None:
    with pytest.raises(TaskError, match="another body"):
        RewardWrapper(gymnasium.make("InvertedPendulum-v5"), reward)
    with pytest.raises(EurekaError, match="put RewardWrapper inside"):
        RewardWrapper(gymnasium.wrappers.Autoreset(gymnasium.make("Ant-v5")), reward)
    with pytest.raises(EurekaError, match="use VectorRewardWrapper"):
        RewardWrapper(SyncVectorEnv([lambda: gymnasium.make("Ant-v5")]), reward)  # type: ignore[arg-type]
    asynchronous = AsyncVectorEnv([lambda: gymnasium.make("Ant-v5")])
    try:
        with pytest.raises(EurekaError, match="put a RewardWrapper into each"):
            VectorRewardWrapper(asynchronous, reward)
    finally:
        asynchronous.close()
