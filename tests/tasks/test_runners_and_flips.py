"""Half cheetah and walker against Gymnasium's own environments; flips and poses against geometry."""

from __future__ import annotations

import math

import gymnasium
import mujoco
import numpy as np
import pytest
import torch

from eureka.physics import MujocoC, Snapshot
from eureka.tasks import Rng, Task, load_task


@pytest.mark.filterwarnings("ignore:compiler attribute")
@pytest.mark.parametrize("name", ["half_cheetah", "walker2d"])
def test_rewards_observations_and_ends_are_gymnasiums(name: str) -> None:
    task = load_task(name)
    env = gymnasium.make(task.info.gymnasium_id or "", frame_skip=5 if name == "half_cheetah" else 4).unwrapped
    env.action_space.seed(0)
    env.reset(seed=0)
    reader = task.state_from_gym(env)
    ended = 0
    for _ in range(150):
        action = env.action_space.sample()
        observation, reward, terminated, _, info = env.step(action)
        state = reader.step(action)
        total, components = task.human_reward(state)
        assert float(components["forward"]) == pytest.approx(info["reward_forward"], rel=1e-5, abs=1e-5)
        assert float(total) == pytest.approx(reward, rel=1e-5, abs=1e-5)
        assert bool(task.terminated(state)) == terminated
        # Walker2d clips velocities to 10, as here; HalfCheetah does not.
        np.testing.assert_allclose(task.observe(state)[0].numpy()[:8], observation[:8], atol=1e-5)
        if terminated:
            ended += 1
            env.reset()
            reader.reset()
    assert ended == 0 if name == "half_cheetah" else ended > 0


def turned_to(task: Task, pitches: list[float], height: float) -> list[object]:
    """States of an episode in which the torso is turned through these pitches, high in the air."""
    rows = []
    qpos = torch.from_numpy(task.model.qpos0)[None].clone()
    qpos[0, 1] = height
    carry = task.start(Snapshot(qpos, torch.zeros(1, task.model.nv)), Rng.from_seed(0))
    for pitch in pitches:
        qpos = qpos.clone()
        qpos[0, 2] = pitch
        sim = Snapshot(qpos, torch.zeros(1, task.model.nv))
        action = torch.zeros(1, task.num_actions)
        carry = task.advance(carry, sim, action, Rng.from_seed(0))
        rows.append(task.read_state(sim, carry, action))
    return rows


@pytest.mark.parametrize(
    ("name", "sign"), [("hopper_front_flip", 1), ("hopper_back_flip", -1), ("half_cheetah_flip", 1)]
)
def test_a_full_turn_in_the_right_direction_is_a_flip(name: str, sign: int) -> None:
    task = load_task(name)
    right = turned_to(task, [sign * turn * 2 * math.pi for turn in (0.25, 0.5, 0.75, 1.01, 1.5)], 3.0)
    assert [float(state.turn_completed) for state in right] == [0, 0, 0, 1, 0]  # type: ignore[attr-defined]
    assert float(task.metric.value(right[-1])) == pytest.approx(1.5)
    wrong = turned_to(task, [-sign * turn * 2 * math.pi for turn in (0.5, 1.01)], 3.0)
    assert float(task.metric.value(wrong[-1])) == pytest.approx(-1.01)
    # On the ground nothing counts.
    lying = turned_to(task, [sign * math.pi / 2 * quarter for quarter in range(1, 6)], -0.7)
    assert float(task.metric.value(lying[-1])) == 0.0


@pytest.mark.parametrize(("name", "geom"), [("hopper_front_flip", "torso_geom"), ("half_cheetah_flip", "torso")])
def test_the_lowest_point_is_the_bodys(name: str, geom: str) -> None:
    """Against MuJoCo's own distance between the torso, or for the cheetah also its head, and the floor."""
    task = load_task(name)
    model = task.model
    solid = [model.geom(part).id for part in ((geom, "head") if name == "half_cheetah_flip" else (geom,))]
    floor = model.geom("floor").id
    sim = MujocoC(model, 1, task.info.outputs)
    data = mujoco.MjData(model)
    for pitch in (0.0, 0.4, 1.6, 3.0, -1.0, -2.2):
        data.qpos[:] = model.qpos0
        data.qpos[1], data.qpos[2] = 2.0, pitch
        mujoco.mj_forward(model, data)
        wanted = min(mujoco.mj_geomDistance(model, data, floor, part, 10.0, None) for part in solid)
        sim.reset(torch.arange(1), torch.from_numpy(data.qpos)[None], torch.zeros(1, model.nv))
        assert float(task.lowest_point(sim)) == pytest.approx(wanted, abs=2e-3)  # type: ignore[attr-defined]


def test_the_ants_feet_and_what_counts() -> None:
    task = load_task("ant_two_legs")
    sim = MujocoC(task.model, 2, task.info.outputs)
    qpos = torch.from_numpy(task.model.qpos0).repeat(2, 1)
    # The second ant is turned by a right angle about x, so that its front, +y, points up.
    qpos[1, 3:7] = torch.tensor([math.sqrt(0.5), math.sqrt(0.5), 0.0, 0.0])
    sim.reset(torch.arange(2), qpos, torch.zeros(2, task.model.nv))
    action = torch.zeros(2, 8)
    state = task.read_state(sim, task.start(sim, Rng.from_seed(0)), action)
    # At the model's zero the legs lie in the torso's plane, 0.8 m out along both axes.
    assert state.foot_height[0].tolist() == pytest.approx([0.75] * 4, abs=1e-6)
    assert state.foot_height[1].tolist() == pytest.approx([1.55, 1.55, -0.05, -0.05], abs=1e-6)
    assert task.metric.value(state).tolist() == [1.0, 1.0]
    back = load_task("ant_on_back")
    assert back.metric.value(state).tolist() == [0.0, 0.0]
