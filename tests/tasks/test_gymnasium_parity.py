"""The tasks' State and human reward against what Gymnasium itself returns, on full episodes."""

import gymnasium
import numpy as np
import pytest

from eureka.core.errors import TaskError
from eureka.tasks import load_task


def test_ant_human_reward_is_gymnasiums() -> None:
    task = load_task("ant")
    env = gymnasium.make("Ant-v5").unwrapped
    env.action_space.seed(0)
    env.reset(seed=0)
    reader = task.state_from_gym(env)
    forward_gap = []
    for step in range(300):
        before = env.data.qpos[0]
        action = env.action_space.sample() * (0.2 if step < 100 else 1.0)
        observation, reward, _, _, info = env.step(action)
        state = reader.step(action)
        total, components = task.human_reward(state)
        # float32 State against float64 Gymnasium: 1e-4 relative of sums of up to 84 squares.
        assert float(components["control"]) == pytest.approx(info["reward_ctrl"], rel=1e-4)
        assert float(components["contact"]) == pytest.approx(info["reward_contact"], rel=1e-4, abs=1e-6)
        assert float(components["healthy"]) == info["reward_survive"]
        # Gymnasium reads `xpos`, which mj_step leaves one substep (0.01 s) behind `qpos`, so its forward speed is that
        # of a window shifted by one substep. Ours is the exact progress of this step's qpos:
        assert float(components["forward"]) == pytest.approx((env.data.qpos[0] - before) / env.dt, abs=1e-4)
        # and all of the difference in the total is in that term.
        assert float(total) - float(components["forward"]) == pytest.approx(reward - info["reward_forward"], abs=1e-4)
        forward_gap.append(float(components["forward"]) - info["reward_forward"])
        np.testing.assert_allclose(task.observe(state)[0].numpy(), observation[:27], atol=1e-5)
    # The shift telescopes: over many steps it averages out.
    assert abs(np.mean(forward_gap)) < 0.01
    assert np.abs(forward_gap).max() < 1.0


def test_ant_episode_ends_on_its_back_and_beyond_gymnasiums_heights() -> None:
    task = load_task("ant")
    env = gymnasium.make("Ant-v5").unwrapped
    env.reset(seed=0)
    reader = task.state_from_gym(env)

    def ends(height: float, orientation: tuple[float, float, float, float]) -> bool:
        qpos = env.init_qpos.copy()
        qpos[2], qpos[3:7] = height, orientation
        env.set_state(qpos, env.init_qvel)
        return bool(task.terminated(reader.reset()))

    upright, on_its_back, on_its_side = (1, 0, 0, 0), (0, 1, 0, 0), (2**-0.5, 2**-0.5, 0, 0)
    assert not ends(0.75, upright)
    assert ends(0.75, on_its_back)
    assert ends(0.75, on_its_side)  # up axis horizontal: projection 0 < 0.2
    assert ends(0.15, upright)
    assert ends(1.3, upright)


def test_cartpole_human_reward_is_gymnasiums() -> None:
    task = load_task("cartpole")
    env = gymnasium.make("InvertedPendulum-v5").unwrapped
    env.action_space.seed(1)
    env.reset(seed=1)
    reader = task.state_from_gym(env)
    fallen = 0
    for _ in range(200):
        action = env.action_space.sample()
        observation, reward, terminated, _, _ = env.step(action)
        state = reader.step(action)
        assert float(task.human_reward(state)[0]) == reward
        assert bool(task.terminated(state)) == terminated
        # 0.04 s upright per step
        assert float(task.metric.value(state)) == pytest.approx(0.0 if terminated else 0.04)
        np.testing.assert_allclose(task.observe(state)[0].numpy(), observation, atol=1e-6)
        if terminated:
            fallen += 1
            env.reset()
            reader.reset()
    assert fallen > 5


def test_state_from_another_body_is_refused() -> None:
    with pytest.raises(TaskError, match="another body"):
        load_task("ant").state_from_gym(gymnasium.make("InvertedPendulum-v5"))
    with pytest.raises(TaskError, match=r"control step of 0\.1 s"):
        load_task("cartpole").state_from_gym(gymnasium.make("InvertedPendulum-v5", frame_skip=5))
    with pytest.raises(TaskError, match="MuJoCo data"):
        load_task("cartpole").state_from_gym(gymnasium.make("CartPole-v1"))
