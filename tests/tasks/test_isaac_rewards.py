"""Rewards of Isaac Gym's tasks and of ManiSkill's cubes against numbers worked out by hand from their formulas."""

from __future__ import annotations

import math

import pytest
import torch
from states import one_state

from eureka.tasks.shared.rotations import angle_between, multiply, rotate_back


def test_ball_balance() -> None:
    # 0.3, 0.4 aside and 0.0 off the height: distance 0.5; speed 3 of (1, 2, 2). 1 / 1.5 x 1 / 4.
    task, state = one_state("ball_balance", ball_position=[0.3, 0.4, 0.7], ball_velocity=[1.0, 2.0, 2.0])
    assert float(task.human_reward(state)[0]) == pytest.approx(1 / 6, rel=1e-5)
    assert not bool(task.terminated(state))
    _, fallen = one_state("ball_balance", ball_position=[0.9, 0.0, 0.14])
    assert bool(task.terminated(fallen))
    # A fiftieth of a second for each step on the tray.
    assert float(task.metric.value(state)) == pytest.approx(0.02)
    assert float(task.metric.value(fallen)) == 0.0


def test_quadcopter() -> None:
    # One metre off: p = 1 / 2. Level, spinning with 2 rad/s: 1/2 + 1/2 (5 + 1 / 5) = 3.1.
    task, state = one_state("quadcopter", target_distance=1.0, up_projection=1.0, angular_velocity=[9.0, 9.0, 2.0])
    assert float(task.human_reward(state)[0]) == pytest.approx(3.1)
    # On its side: 5 / (1 + 1).
    _, tilted = one_state("quadcopter", target_distance=0.0, up_projection=0.0, angular_velocity=[0.0, 0.0, 0.0])
    assert float(task.human_reward(tilted)[0]) == pytest.approx(1 + 2.5 + 1)
    assert float(task.metric.value(tilted)) == 1.0
    assert float(task.metric.value(state)) == 0.0


def test_double_swingup_and_acrobot() -> None:
    # The lower pole upright, the upper level: (1 + 1/2) / 2. A cart 2 m off and 5 rad/s: 0.55 each; full force: 4/5.
    task, state = one_state(
        "double_swingup", pole_upright=[1.0, 0.0], cart_position=2.0, pole_angular_velocity=[0.0, 5.0], action=[1.0]
    )
    assert float(task.human_reward(state)[0]) == pytest.approx(0.75 * 0.55 * 0.8 * 0.55)
    assert float(task.metric.value(state)) == 0.0
    task, state = one_state("acrobot", target_distance=1.2)
    assert float(task.human_reward(state)[0]) == pytest.approx(0.1)
    task, state = one_state("acrobot", target_distance=0.2)
    assert float(task.human_reward(state)[0]) == pytest.approx(1.0)
    assert float(task.metric.value(state)) == 1.0


@pytest.mark.wide
def test_anymal() -> None:
    # Errors of 0.5 m/s along and 0.5 rad/s about: exp(-1) each; torques of 10 N m: 2.5e-5 x 1200. All times 0.02 s.
    task, state = one_state(
        "anymal",
        command=[1.0, 0.0, 0.5],
        base_linear_velocity=[0.5, 0.0, 0.3],
        base_angular_velocity=[0.0, 0.0, 0.0],
        torque=[10.0] * 12,
    )
    assert float(task.human_reward(state)[0]) == pytest.approx(0.02 * (1.5 * math.exp(-1) - 0.03), rel=1e-5)
    assert float(task.metric.value(state)) == pytest.approx(math.exp(-1), rel=1e-5)
    # The URDF's links sum to 52.13675 kg.
    assert task.model.body_mass.sum() == pytest.approx(52.13675)


@pytest.mark.wide
def test_hands() -> None:
    # -10 x 0.05 + 1 / (0.4 + 0.1) - 0.0002 x 16 x 0.25.
    task, state = one_state("allegro_hand", distance_to_place=0.05, angle_to_target=0.4, action=[0.5] * 16)
    assert float(task.human_reward(state)[0]) == pytest.approx(-0.5 + 2 - 0.0008)
    _, reached = one_state(
        "allegro_hand", distance_to_place=0.0, angle_to_target=0.1, target_reached=1.0, successes=3.0
    )
    assert float(task.human_reward(reached)[0]) == pytest.approx(5 + 250)
    assert float(task.metric.value(reached)) == 3.0
    _, fallen = one_state("allegro_hand", distance_to_place=0.24)
    assert bool(task.terminated(fallen))


@pytest.mark.wide
def test_cubes() -> None:
    grasped = {"tip_position": [0.5, 0.0, 0.12], "cube_position": [0.5, 0.0, 0.12], "grasped": 1.0, "arm_speed": 1.0}
    task, state = one_state("lift_cube", **grasped)
    # At the cube, 0.25 for the grasp, and half of the way up.
    assert float(task.human_reward(state)[0]) == pytest.approx(1 + 0.25 + 0.5)
    _, done = one_state("lift_cube", **(grasped | {"cube_position": [0.5, 0.0, 0.22], "arm_speed": 0.1}))
    assert float(task.human_reward(done)[0]) == 2.25
    assert float(task.metric.value(done)) == 1.0
    task, state = one_state("pick_cube", goal_position=[0.5, 0.0, 0.32], **grasped)
    assert float(task.human_reward(state)[0]) == pytest.approx(2 + 1 - math.tanh(1.0))
    _, apart = one_state("pick_cube", **(grasped | {"tip_position": [0.5, 0.0, 0.32], "grasped": 0.0}))
    assert float(task.human_reward(apart)[0]) == pytest.approx(1 - math.tanh(1.0), rel=1e-4)


def test_rotations() -> None:
    half = math.sqrt(0.5)
    quarter_about_z = torch.tensor([[half, 0.0, 0.0, half]])
    # What points along the world's +y is ahead, +x, of a body that is turned to the left by a quarter.
    assert rotate_back(quarter_about_z, torch.tensor([[0.0, 1.0, 0.0]]))[0].tolist() == pytest.approx(
        [1, 0, 0], abs=1e-6
    )
    assert multiply(quarter_about_z, quarter_about_z)[0].tolist() == pytest.approx([0, 0, 0, 1], abs=1e-6)
    upright = torch.tensor([[1.0, 0.0, 0.0, 0.0]])
    assert float(angle_between(quarter_about_z, upright)) == pytest.approx(math.pi / 2)
    assert float(angle_between(-quarter_about_z, quarter_about_z)) == pytest.approx(0.0, abs=1e-3)


@pytest.mark.wide
def test_franka_cabinet() -> None:
    # At the handle, fingers 1 cm above and below it, the drawer half out, no action: 2 x 2 + 0.25 + 5 (0.03 + 0.03) +
    # 7.5 x 0.5 x 2, and of the bonuses 0.5 and 1.
    task, state = one_state(
        "franka_cabinet",
        tip_position=[0.6, 0.0, 0.65],
        handle_position=[0.6, 0.0, 0.65],
        finger_height=[0.66, 0.64],
        drawer_opening=0.25,
        around_handle=1.0,
    )
    assert float(task.human_reward(state)[0]) == pytest.approx(4 + 0.25 + 0.3 + 7.5 * 0.5 + 1.5)
    assert float(task.metric.value(state)) == 0.0
    # Half a metre off, the drawer wide open: 2 (1 / 1.25)^2 + 7.5 x 0.4 + 0.5.
    _, left = one_state(
        "franka_cabinet",
        tip_position=[0.1, 0.0, 0.65],
        handle_position=[0.6, 0.0, 0.65],
        drawer_opening=0.4,
        around_handle=0.0,
    )
    assert float(task.human_reward(left)[0]) == pytest.approx(2 * 0.64 + 3 + 0.5)
    assert float(task.metric.value(left)) == 1.0
