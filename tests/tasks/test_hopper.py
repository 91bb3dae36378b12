"""The hopper's State, reward and ends of episodes against what Gymnasium's Hopper-v5 itself returns."""

import gymnasium
import mujoco
import numpy as np
import pytest
import torch

from eureka.physics import MujocoC
from eureka.tasks import Rng, Task, load_task


@pytest.fixture(scope="module")
def task() -> Task:
    return load_task("hopper")


def test_human_reward_observation_and_end_are_gymnasiums(task: Task) -> None:
    env = gymnasium.make("Hopper-v5").unwrapped
    env.action_space.seed(0)
    env.reset(seed=0)
    reader = task.state_from_gym(env)
    fallen = 0
    previous = np.zeros(3)
    for step in range(600):
        action = env.action_space.sample() * (0.2 if step < 200 else 1.0)
        observation, reward, terminated, _, info = env.step(action)
        state = reader.step(action)
        total, components = task.human_reward(state)
        # float32 State against float64 Gymnasium. The forward speed is a difference of float64 positions, so it is
        # exact to float32: speeds here are below 10 m/s, and half a unit in the last place of 10 is 5e-7.
        assert float(components["forward"]) == pytest.approx(info["reward_forward"], rel=1e-6, abs=1e-6)
        assert float(components["forward"]) == pytest.approx(float(task.metric.value(state)))
        # A sum of three squares times 1e-3.
        assert float(components["control"]) == pytest.approx(info["reward_ctrl"], rel=1e-5)
        assert float(components["healthy"]) == info["reward_survive"]
        assert float(total) == pytest.approx(reward, rel=1e-6, abs=2e-6)
        assert bool(task.terminated(state)) == terminated
        # Velocities up to the clip of 10.
        np.testing.assert_allclose(task.observe(state)[0].numpy(), observation, atol=1e-5)
        np.testing.assert_allclose(state.previous_action[0].numpy(), previous, atol=1e-7)
        previous = action
        if terminated:
            fallen += 1
            env.reset()
            reader.reset()
            previous = np.zeros(3)
    assert fallen > 5


def test_episode_ends_at_gymnasiums_height_pitch_and_range(task: Task) -> None:
    env = gymnasium.make("Hopper-v5").unwrapped
    env.reset(seed=0)
    reader = task.state_from_gym(env)

    def ends(**changed: float) -> bool:
        qpos, qvel = env.init_qpos.copy(), env.init_qvel.copy()
        qpos[1] = changed.get("height", 1.25)
        qpos[2] = changed.get("pitch", 0.0)
        qvel[0] = changed.get("velocity", 0.0)
        qvel[5] = changed.get("ankle_rate", 0.0)
        env.set_state(qpos, qvel)
        ended = bool(task.terminated(reader.reset()))
        assert ended == (not env.is_healthy)
        return ended

    assert not ends()
    assert ends(height=0.69)
    assert not ends(height=0.71)
    assert not ends(height=5.0)
    assert ends(pitch=0.21)
    assert ends(pitch=-0.21)
    assert not ends(pitch=-0.19)
    assert ends(velocity=101.0)
    assert ends(ankle_rate=-101.0)
    assert not ends(velocity=99.0)


def test_start_states_are_gymnasiums(task: Task) -> None:
    start = task.reset(Rng.from_seed(0), 400)
    env = gymnasium.make("Hopper-v5").unwrapped
    centre = torch.from_numpy(np.concatenate([env.init_qpos, env.init_qvel]))
    offset = torch.cat([start.qpos, start.qvel], dim=1) - centre
    # Uniform on [-0.005, 0.005]: 4,800 draws come within 1% of both ends.
    assert 0.00495 < float(offset.max()) <= 0.005 + 1e-6
    assert -0.005 - 1e-6 <= float(offset.min()) < -0.00495


def test_pitch_is_positive_leaning_forward_and_positions_are_the_torsos(task: Task) -> None:
    sim = MujocoC(task.model, 1, task.info.outputs)
    qpos = torch.from_numpy(task.model.qpos0)[None].clone()
    qpos[0, 0], qpos[0, 1], qpos[0, 2] = 0.4, 1.3, 0.15
    sim.reset(torch.tensor([0]), qpos, torch.zeros(1, 6))
    carry = task.start(sim, Rng.from_seed(0))
    state = task.read_state(sim, carry, torch.zeros(1, 3))
    data = mujoco.MjData(task.model)
    data.qpos[:] = qpos[0].numpy()
    mujoco.mj_forward(task.model, data)
    torso = data.body("torso")
    assert state.torso_position[0].tolist() == pytest.approx([torso.xpos[0], torso.xpos[2]], abs=1e-6)
    # The torso's up axis leans towards +x by the pitch.
    assert torso.xmat.reshape(3, 3)[:, 2] == pytest.approx([np.sin(0.15), 0.0, np.cos(0.15)], abs=1e-6)
    assert float(state.torso_pitch) == pytest.approx(0.15, abs=1e-6)
    assert float(state.forward_velocity) == 0.0
