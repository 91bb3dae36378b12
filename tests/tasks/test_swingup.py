"""The swing-up task: its body against mechanics, its rewards against values worked out by hand."""

import json
import math
from pathlib import Path

import mujoco
import numpy as np
import pytest
import torch
from gymnasium.envs.mujoco import MujocoEnv
from gymnasium.spaces import Box
from scipy.stats import trim_mean

from eureka.physics import Snapshot
from eureka.tasks import Rng, Task, find_tasks, load_task
from eureka.trainers.population.recording import record

STUDY = Path(__file__).parents[2] / "benchmarks" / "results" / "swingup_study.json"
# 0.1 ** (1 / 4): the suite's Gaussian tolerance at half of its margin.
QUARTER = 0.5623413


@pytest.fixture(scope="module")
def task() -> Task:
    return load_task("swingup")


def state(task: Task, position: float = 0.0, angle: float = 0.0, rate: float = 0.0, action: float = 0.0) -> object:
    sim = Snapshot(torch.tensor([[position, angle]]), torch.tensor([[0.0, rate]]))
    return task.read_state(sim, task.Carry(), torch.tensor([[action]]))


@pytest.mark.parametrize(
    ("given", "factors"),
    [
        ({}, (1.0, 1.0, 1.0, 1.0)),
        ({"angle": math.pi}, (0.0, 1.0, 1.0, 1.0)),
        # Every quantity at half of its margin: 0.1 ** 0.25 for the Gaussians, 1 - 0.25 for the parabola.
        (
            {"angle": math.pi / 2, "position": 1.0, "action": 0.5, "rate": 2.5},
            (0.5, (1 + QUARTER) / 2, (4 + 0.75) / 5, (1 + QUARTER) / 2),
        ),
        # At the margin: 0.1 for the Gaussians, 0 for the parabola; both sides alike.
        ({"position": -2.0, "action": -1.0, "rate": -5.0}, (1.0, 0.55, 0.8, 0.55)),
        # At twice the margin a Gaussian tolerance is 0.1 ** 4.
        ({"rate": 10.0}, (1.0, 1.0, 1.0, 0.50005)),
        ({"angle": math.pi / 3}, (0.75, 1.0, 1.0, 1.0)),
    ],
)
def test_human_reward_is_the_control_suites_formula(
    task: Task, given: dict[str, float], factors: tuple[float, ...]
) -> None:
    total, components = task.human_reward(state(task, **given))
    assert list(components) == ["upright", "centered", "small_control", "small_velocity"]
    # float32
    assert [float(value) for value in components.values()] == pytest.approx(factors, abs=1e-6)
    assert float(total) == pytest.approx(math.prod(factors), abs=1e-6)


@pytest.mark.parametrize(
    ("position", "angle", "counts"),
    [
        (0.0, 0.0, 1.0),
        (0.24, 0.09, 1.0),  # cos 0.09 = 0.99595
        (-0.24, -0.09, 1.0),
        (0.0, 2 * math.pi, 1.0),  # once round
        (0.26, 0.0, 0.0),
        (0.0, 0.11, 0.0),  # cos 0.11 = 0.99396
        (0.0, math.pi, 0.0),
    ],
)
def test_only_upright_and_centred_time_counts(task: Task, position: float, angle: float, counts: float) -> None:
    given = state(task, position=position, angle=angle)
    assert float(task.metric.value(given)) == counts
    assert float(task.sparse_reward(given)) == counts
    assert task.metric.reduce == "mean"


def test_episodes_start_hanging_in_the_middle_and_never_end_early(task: Task) -> None:
    start = task.reset(Rng.from_seed(0), 500)
    assert torch.allclose(start.qpos.mean(dim=0), torch.tensor([0.0, math.pi]), atol=2e-3)
    # 500 normal draws with a deviation of 0.01.
    assert start.qpos.std(dim=0).tolist() == pytest.approx([0.01, 0.01], rel=0.15)
    assert start.qvel.std(dim=0).tolist() == pytest.approx([0.01, 0.01], rel=0.15)
    for angle in (0.0, math.pi / 2, math.pi):
        assert not task.terminated(state(task, position=1.8, angle=angle, rate=20.0)).any()


def test_angle_is_wrapped_and_its_cosine_says_upright(task: Task) -> None:
    turned = state(task, angle=2 * math.pi + 0.1)
    assert float(turned.pole_angle) == pytest.approx(0.1, abs=1e-6)
    assert float(turned.pole_upright) == pytest.approx(math.cos(0.1), abs=1e-6)
    observation = task.observe(state(task, position=0.3, angle=-2.0, rate=4.0))
    expected = [0.3, math.cos(2.0), -math.sin(2.0), 0.0, 4.0]
    assert observation[0].tolist() == pytest.approx(expected, abs=1e-6)


def test_positive_angles_lean_towards_positive_x(task: Task) -> None:
    data = mujoco.MjData(task.model)
    data.qpos[:] = 0.0, 0.1
    mujoco.mj_forward(task.model, data)
    x, _, z = data.geom("pole").xpos
    # The middle of the pole, half a metre from the hinge.
    assert (x, z) == pytest.approx((0.5 * math.sin(0.1), 0.5 * math.cos(0.1)), abs=1e-6)


@pytest.mark.parametrize(("position", "angle"), [(0.0, math.pi), (0.3, 0.0), (-1.2, 2.0), (0.7, -0.5)])
def test_tip_distance_is_that_of_the_bodys_own_tip(task: Task, position: float, angle: float) -> None:
    data = mujoco.MjData(task.model)
    data.qpos[:] = position, angle
    mujoco.mj_forward(task.model, data)
    hinge, middle = data.body("pole").xpos, data.geom("pole").xpos
    tip = hinge + 2 * (middle - hinge)
    expected = np.linalg.norm(tip - np.array([0.0, 0.0, 1.0]))
    assert float(state(task, position=position, angle=angle).tip_distance) == pytest.approx(expected, abs=1e-6)


def test_small_swings_have_the_period_of_the_linearised_cart_pole(task: Task) -> None:
    """(M + m) x'' + m l a'' = 0 and (I + m l^2) a'' + m l x'' + m g l a = 0 about hanging."""
    mass_cart, mass, length, gravity = 1.0, 0.1, 0.5, 9.81
    # A rod of 1 m; the capsule's caps reach 0.04 m further, which is within the tolerance below.
    inertia = mass * 1.0**2 / 12
    effective = inertia + mass * length**2 - (mass * length) ** 2 / (mass_cart + mass)
    period = 2 * math.pi / math.sqrt(mass * gravity * length / effective)
    data = mujoco.MjData(task.model)
    data.qpos[:] = 0.0, math.pi + 0.05
    angles = []
    for _ in range(500):
        mujoco.mj_step(task.model, data)
        angles.append(data.qpos[1] - math.pi)
    falling = [i for i in range(1, 500) if angles[i - 1] > 0 >= angles[i]]
    measured = np.diff(falling).mean() * task.info.physics.timestep_s
    assert measured == pytest.approx(period, rel=0.03)


def test_rail_stops_the_cart_and_the_pole_turns_freely(task: Task) -> None:
    data = mujoco.MjData(task.model)
    data.qvel[1] = 30.0
    data.ctrl[:] = 1.0
    for _ in range(200):
        mujoco.mj_step(task.model, data)
    assert 1.75 < data.qpos[0] < 1.9
    assert data.qpos[1] > 4 * math.pi


def test_random_actions_hardly_ever_reach_what_counts(task: Task) -> None:
    assert float(record(task).metric.mean()) < 0.01


def test_state_can_be_read_from_a_gymnasium_environment_with_this_body(task: Task) -> None:
    folder = find_tasks()["swingup"]

    class Environment(MujocoEnv):
        metadata = {"render_modes": ["human", "rgb_array", "depth_array", "rgbd_tuple"]}

        def __init__(self) -> None:
            space = Box(-np.inf, np.inf, (4,))
            super().__init__(str(folder / "model.xml"), round(task.control_timestep_s / 0.002), space)

        def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, float]]:
            self.do_simulation(action, self.frame_skip)
            return self.state_vector(), 0.0, False, False, {}

        def reset_model(self) -> np.ndarray:
            self.set_state(np.array([0.0, math.pi]), np.zeros(2))
            return self.state_vector()

    env = Environment()
    reader = task.state_from_gym(env)
    env.reset(seed=0)
    reader.reset()
    for _ in range(20):
        position, angle, velocity, rate = env.step(np.array([0.6]))[0]
        read = reader.step(np.array([0.6]))
    found = read.cart_position, read.pole_upright, read.cart_velocity, read.pole_angular_velocity, read.action[:, 0]
    assert [float(value) for value in found] == pytest.approx(
        [position, math.cos(angle), velocity, rate, 0.6], abs=1e-5
    )
    assert abs(position) > 0.1


def test_the_committed_study_is_of_this_task_and_shows_what_the_task_is_for(task: Task) -> None:
    trainings = json.loads(STUDY.read_text())["trainings"]
    info = task.info
    shipped = {
        "gear": task.model.actuator_gear[0, 0],
        "steps": info.steps["quick"],
        "num_envs": info.num_envs,
        "initial_std": info.ppo.initial_std,
        "horizon": info.ppo.horizon,
        "minibatches": info.ppo.minibatches,
        "learning_rate": info.ppo.learning_rate,
        "clip": info.ppo.clip,
    }
    rows = [row for row in trainings if row["setting"] == shipped]
    confirmed = [row for row in rows if row["seed"] >= 100]  # the seeds that chose nothing
    scores = {name: [row["score"] for row in confirmed if row["reward"] == name] for name in ("human", "sparse")}
    attainable = max(row["best_score"] for row in rows)
    for values in scores.values():
        assert len(values) == 10
    assert trim_mean(scores["human"], 0.25) >= 0.6 * attainable
    assert trim_mean(scores["sparse"], 0.25) <= 0.1 * attainable
