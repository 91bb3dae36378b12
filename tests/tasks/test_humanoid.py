"""The humanoid's State, reward and ends of episodes against what Gymnasium's Humanoid-v5 itself returns."""

import gymnasium
import mujoco
import numpy as np
import pytest
import torch

from eureka.physics import MujocoC
from eureka.tasks import Rng, Task, load_task
from eureka.trainers.population.sensor_use import reads_outputs


@pytest.fixture(scope="module")
def task() -> Task:
    return load_task("humanoid")


def test_human_reward_observation_and_end_are_gymnasiums(task: Task) -> None:
    env = gymnasium.make("Humanoid-v5").unwrapped
    env.action_space.seed(0)
    env.reset(seed=0)
    reader = task.state_from_gym(env)
    fallen, contacts, strongest = 0, 0, 0.0
    previous = np.zeros(17)
    for step in range(600):
        before = env.data.qpos[0]
        action = env.action_space.sample() * (0.1 if step < 200 else 1.0)
        observation, reward, terminated, _, info = env.step(action)
        state = reader.step(action)
        total, components = task.human_reward(state)
        # float32 State against float64 Gymnasium: positions are differenced in float64, and sums have up to 78 squares.
        assert float(components["forward"]) == pytest.approx(info["reward_forward"], rel=1e-5, abs=1e-5)
        assert float(state.mass_centre_velocity[0, 1]) == pytest.approx(info["y_velocity"], rel=1e-5, abs=1e-5)
        assert float(components["control"]) == pytest.approx(info["reward_ctrl"], rel=1e-5)
        assert float(components["contact"]) == pytest.approx(info["reward_contact"], rel=1e-5, abs=1e-9)
        assert float(components["healthy"]) == info["reward_survive"]
        assert float(total) == pytest.approx(reward, rel=1e-5, abs=2e-5)
        assert bool(task.terminated(state)) == terminated
        # The metric is the torso's exact progress, which Gymnasium does not return.
        assert float(task.metric.value(state)) == pytest.approx((env.data.qpos[0] - before) / 0.015, rel=1e-4, abs=1e-4)
        assert float(task.sparse_reward(state)) == float(task.metric.value(state))
        np.testing.assert_allclose(task.observe(state)[0].numpy(), observation[:45], rtol=1e-6, atol=1e-5)
        np.testing.assert_allclose(state.previous_action[0].numpy(), previous, atol=1e-6)
        np.testing.assert_allclose(state.foot_position[0, 0].numpy(), env.data.body("right_foot").xipos, atol=1e-5)
        np.testing.assert_allclose(state.foot_position[0, 1].numpy(), env.data.body("left_foot").xipos, atol=1e-5)
        contacts += info["reward_contact"] < 0
        strongest = max(strongest, -info["reward_contact"])
        previous = action / 0.4
        if terminated:
            fallen += 1
            env.reset()
            reader.reset()
            previous = np.zeros(17)
    assert fallen > 5
    assert contacts > 100
    assert strongest > 0.01


def test_contact_cost_is_capped_as_gymnasiums(task: Task) -> None:
    env = gymnasium.make("Humanoid-v5").unwrapped
    env.reset(seed=0)
    reader = task.state_from_gym(env)
    env.data.cfrc_ext[3] = 3e3  # 6 x 9e6 x 5e-7 = 27
    assert env.contact_cost == 10.0
    assert float(task.human_reward(reader.reset())[1]["contact"]) == -10.0
    env.data.cfrc_ext[3] = 1e3  # 3
    assert env.contact_cost == pytest.approx(3.0)
    assert float(task.human_reward(reader.reset())[1]["contact"]) == pytest.approx(-3.0)


@pytest.mark.parametrize(("height", "ended"), [(0.99, True), (1.01, False), (1.4, False), (1.99, False), (2.01, True)])
def test_episode_ends_at_gymnasiums_heights(task: Task, height: float, ended: bool) -> None:
    env = gymnasium.make("Humanoid-v5").unwrapped
    env.reset(seed=0)
    qpos = env.init_qpos.copy()
    qpos[2] = height
    env.set_state(qpos, env.init_qvel)
    assert bool(task.terminated(task.state_from_gym(env).reset())) == ended == (not env.is_healthy)


def test_start_states_are_gymnasiums(task: Task) -> None:
    start = task.reset(Rng.from_seed(0), 200)
    env = gymnasium.make("Humanoid-v5").unwrapped
    centre = torch.from_numpy(np.concatenate([env.init_qpos, env.init_qvel]))
    offset = torch.cat([start.qpos, start.qvel], dim=1) - centre
    # Uniform on [-0.01, 0.01]: 9,400 draws come within 1% of both ends.
    assert 0.0099 < float(offset.max()) <= 0.01 + 1e-6
    assert -0.01 - 1e-6 <= float(offset.min()) < -0.0099


def test_centre_of_mass_of_a_start_is_mujocos_own(task: Task) -> None:
    start = task.reset(Rng.from_seed(1), 3)
    data = mujoco.MjData(task.model)
    for row in range(3):
        data.qpos[:] = start.qpos[row].numpy()
        mujoco.mj_forward(task.model, data)
        weighted = (task.model.body_mass[:, None] * data.xipos).sum(axis=0) / task.model.body_mass.sum()
        assert start.carry.mass_centre[row].tolist() == pytest.approx(weighted[:2].tolist(), abs=1e-9)


def test_actions_are_in_the_order_that_the_state_says(task: Task) -> None:
    joints = [task.model.joint(index).name for index in range(1, 18)]
    driven = [task.model.joint(task.model.actuator_trnid[index, 0]).name for index in range(17)]
    assert joints[:3] == ["abdomen_z", "abdomen_y", "abdomen_x"]
    assert driven[:3] == ["abdomen_y", "abdomen_z", "abdomen_x"]
    assert joints[3:] == driven[3:]
    assert joints[3:7] == ["right_hip_x", "right_hip_z", "right_hip_y", "right_knee"]


def test_places_of_bodies_are_there_without_the_contact_forces(task: Task) -> None:
    """A training whose reward reads no contact forces does not simulate them; the human reward reads them."""
    assert not reads_outputs(task, ["mass_centre_velocity", "foot_position", "action"])
    assert reads_outputs(task, ["contact_wrench"])
    full, lean = (MujocoC(task.model, 2, task.info.outputs, sensors=sensors) for sensors in (True, False))
    for sim in (full, lean):
        start = task.reset(Rng.from_seed(0), 2)
        sim.reset(torch.arange(2), start.qpos, start.qvel)
        for _ in range(40):
            sim.step(task.info.physics.substeps)
    assert torch.equal(full.output("xipos"), lean.output("xipos"))
    assert float(full.output("cfrc_ext").abs().max()) > 0
    assert float(lean.output("cfrc_ext").abs().max()) == 0
