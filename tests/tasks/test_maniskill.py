"""ManiSkill's faucet, cabinet and chair: rewards against numbers worked out by hand; scripted hands for all Pandas."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from shipped_tasks import skip_without_model
from states import one_state

from eureka.tasks import load_task
from eureka.tasks.shared.bars import beyond_bar
from eureka.trainers.population.worlds import Worlds


def test_beyond_a_bar() -> None:
    start, end = torch.tensor([[0.0, 0.0, 0.0]]), torch.tensor([[0.0, 2.0, 0.0]])
    # Beside its middle, beyond its end (3, 4, 5), within it, and beside its start at (0, -3, 4).
    points = torch.tensor([[[1.0, 1.0, 0.0], [3.0, 6.0, 0.0], [0.0, 0.5, 0.1], [0.0, -3.0, 4.0]]])
    assert beyond_bar(points, start, end, 0.5)[0].tolist() == pytest.approx([0.5, 4.5, -0.4, 4.5])


@pytest.mark.wide
def test_turn_faucet() -> None:
    # 0.2 m off and half a radian left, 0.1 less than before: 1 - tanh 1 + 3 (1 - tanh 1) + 5 tanh 0.2.
    task, state = one_state("turn_faucet", finger_to_lever=0.2, angle_left=0.5, angle_left_before=0.6)
    assert float(task.human_reward(state)[0]) == pytest.approx(4 * (1 - math.tanh(1)) + 5 * math.tanh(0.2), rel=1e-5)
    assert float(task.metric.value(state)) == 0.0
    _, done = one_state("turn_faucet", angle_left=-0.01)
    assert float(task.human_reward(done)[0]) == 10.0
    assert float(task.metric.value(done)) == 1.0


@pytest.mark.wide
def test_open_cabinet_drawer() -> None:
    near = {"finger_to_handle": [0.0, 0.01], "depth_in_handle": 0.004, "grasp_angle": math.pi / 6}
    # -2 x 0.005, nothing for the depth, -3 / 6, -7 + 0.5; half of the way 0.25, and 0.2 m/s is half of -0.1 to 0.5.
    task, state = one_state(
        "open_cabinet_drawer",
        **near,
        opening_share=0.5,
        opening_velocity=0.2,
        link_speed=0.2,
        link_turning=0.0,
    )
    assert float(task.human_reward(state)[0]) == pytest.approx(-0.01 - 0.5 - 6.5 + 0.25 + 0.75, rel=1e-5)
    # Open and slow: 0.5, and 3.5 - 0.05 + 1.
    _, still = one_state(
        "open_cabinet_drawer", **near, opening_share=1.0, opening_velocity=0.05, link_speed=0.05, link_turning=0.0
    )
    assert float(task.human_reward(still)[0]) == pytest.approx(-0.01 - 0.5 - 6.5 + 0.5 + 4.45, rel=1e-5)
    assert float(task.metric.value(still)) == 1.0
    # Open and fast is no success, and beside the handle only the way there counts: -2 x 0.3 - 1 - 7.
    _, fast = one_state(
        "open_cabinet_drawer",
        finger_to_handle=[0.2, 0.4],
        depth_in_handle=-0.3,
        grasp_angle=0.0,
        opening_share=1.0,
        link_speed=0.2,
    )
    assert float(task.human_reward(fast)[0]) == pytest.approx(-8.6)
    assert float(task.metric.value(fast)) == 0.0


@pytest.mark.wide
def test_open_cabinet_door() -> None:
    # A door turns: 3.5 - 0.2 - 0.5 x 2, and it is not still.
    task, state = one_state(
        "open_cabinet_door",
        finger_to_handle=[0.0, 0.0],
        depth_in_handle=0.004,
        grasp_angle=0.0,
        opening_share=1.0,
        opening_velocity=2.0,
        link_speed=0.2,
        link_turning=2.0,
    )
    assert float(task.human_reward(state)[0]) == pytest.approx(-6.5 + 0.5 + 2.3)
    assert float(task.metric.value(state)) == 0.0


@pytest.mark.wide
def test_push_chair() -> None:
    pushed: dict[str, Any] = {
        "finger_to_chair": [0.05] * 4,
        "chair_tilt": 0.1,
        "chair_angular_velocity": [0.0, 0.0, 0.0],
        "action": [0.0] * 11,
    }
    reach = -0.05 - math.log(0.05 + 1e-5)
    # 0.5 m along x, driven there with 0.3 m/s: 2 (1 - e^-0.3) - 1; and -8, as fingers are at it.
    task, state = one_state(
        "push_chair",
        **pushed,
        chair_position=[0.5, 0.0],
        distance_to_target=0.5,
        chair_velocity=[-0.3, 0.4, 0.0],
    )
    wanted = reach - 0.02 - 8 + 2 * (1 - math.exp(-0.3)) - 1
    assert float(task.human_reward(state)[0]) == pytest.approx(wanted, rel=1e-5)
    # There and at rest: 2 + 2 + 2.
    _, rests = one_state(
        "push_chair",
        **pushed,
        chair_position=[0.1, 0.0],
        distance_to_target=0.1,
        chair_velocity=[0.0, 0.0, 0.0],
    )
    assert float(task.human_reward(rests)[0]) == pytest.approx(reach - 0.02 - 8 + 6, rel=1e-5)
    assert float(task.metric.value(rests)) == 1.0
    # Fallen, 1 rad: -5, and nothing else but reach.
    _, fallen = one_state("push_chair", **(pushed | {"chair_tilt": 1.0}), distance_to_target=0.1)
    assert float(task.human_reward(fallen)[0]) == pytest.approx(reach - 0.2 - 5, rel=1e-5)
    assert float(task.metric.value(fallen)) == 0.0


# ---- scripted hands ----------------------------------------------------------------------------------------------


def level(vector: torch.Tensor) -> torch.Tensor:
    """A vector of the ground, (n, 2), with z = 0."""
    return torch.cat([vector, torch.zeros_like(vector[:, :1])], dim=1)


def unit(vector: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(vector, dim=1)


def turn_lever(task: Any, state: Any, step: int) -> torch.Tensor:
    """Above the lever's left side, down beside it, and then always a little to the other side."""
    along = unit(state.lever_end - state.lever_pivot)
    left = torch.stack([along[:, 1], -along[:, 0], torch.zeros(len(along))], dim=1)
    goal = state.lever_end - 0.03 * along + (0.05 if step < 45 else -0.02) * left
    goal[:, 2] += 0.08 if step < 25 else 0.0
    speed = ((goal - state.tip_position) / 0.04 / 0.3).clamp(-1, 1)
    return torch.cat([speed, torch.ones(len(speed), 1)], dim=1)


def carry_cube(task: Any, state: Any, step: int) -> torch.Tensor:
    """Above the cube, down to it, and with the hand closed to the goal."""
    goal = state.cube_position.clone()
    goal[:, 2] += 0.1 if step < 20 else 0.0
    goal = torch.where(torch.tensor(step < 50), goal, state.goal_position + torch.tensor([0.0, 0.0, 0.01]))
    speed = (0.3 * (goal - state.tip_position) / 0.04 / 0.3).clamp(-1, 1)
    return torch.cat([speed, torch.full((len(speed), 1), -1.0 if step < 40 else 1.0)], dim=1)


def pull_drawer(task: Any, state: Any, step: int) -> torch.Tensor:
    """Before the handle, around it, and with the hand closed back along x."""
    goal = state.handle_position - (torch.tensor([0.1, 0.0, 0.0]) if step < 30 else 0.0)
    speed = 0.5 * (goal - state.tip_position) / 0.04
    speed = speed - (torch.tensor([0.2, 0.0, 0.0]) if step > 60 else 0.0)
    grip = torch.full((len(speed), 1), -1.0 if step < 50 else 1.0)
    return torch.cat([(speed / 0.3).clamp(-1, 1), grip], dim=1)


def open_it(hinge: tuple[float, float] | None) -> Callable[[Any, Any, int], torch.Tensor]:
    """Drives to the handle, closes the hand on it, and goes back along x or around the hinge."""

    def act(task: Any, state: Any, step: int) -> torch.Tensor:
        num = len(state.tip_position)
        goal = state.handle_position - (torch.tensor([0.12, 0.0, 0.0]) if step < 40 else 0.0)
        hand = (0.5 * (goal - state.tip_position) / 0.04).clamp(-0.3, 0.3)
        base = (1.5 * (goal[:, :2] - torch.tensor([0.55, 0.0]) - state.base_position)).clamp(-0.5, 0.5)
        if step > 64:
            away = torch.tensor([[-1.0, 0.0]]).expand(num, 2)
            if hinge is not None:
                radius = state.handle_position[:, :2] - torch.tensor(hinge)
                away = unit(torch.stack([radius[:, 1], -radius[:, 0]], dim=1))
            hand = (2 * (goal - state.tip_position) + 0.25 * level(away)).clamp(-0.3, 0.3)
            base = 0.25 * away * (0.7 if hinge is None else 0.6)
        hand = task.in_base_frame(hand - level(base), state.base_yaw) / 0.3
        base = task.in_base_frame(level(base), state.base_yaw)[:, :2] / 0.5
        grip = torch.full((num, 1), -1.0 if step < 58 else 1.0)
        return torch.cat([base, -2 * state.base_yaw[:, None], hand, grip], dim=1).clamp(-1, 1)

    return act


def wrapped(angle: torch.Tensor) -> torch.Tensor:
    return torch.atan2(torch.sin(angle), torch.cos(angle))


def push_it(task: Any, state: Any, step: int) -> torch.Tensor:
    """Drives around the chair to the side away from the target, and pushes it with the hands held out."""
    beside = state.base_position - state.chair_position
    angle, wanted = (torch.atan2(place[:, 1], place[:, 0]) for place in (beside, state.chair_position))
    off = wrapped(wanted - angle)
    behind = off.abs() < 0.35
    ahead = angle + torch.where(behind, off, off.clamp(-0.6, 0.6))
    circle = torch.where(behind, 0.45, 0.95)[:, None] * torch.stack([torch.cos(ahead), torch.sin(ahead)], dim=1)
    speed = unit(state.chair_position + circle - state.base_position)
    speed = speed * (4 * state.distance_to_target - 0.2).clamp(0.0, 1.0)[:, None]
    base = task.in_base_frame(level(speed), state.base_yaw)[:, :2]
    turn = 3 * wrapped(torch.atan2(-beside[:, 1], -beside[:, 0]) - state.base_yaw)
    hands = torch.tensor([0.0, 0.0, 0.0, 1.0] * 2).expand(len(turn), 8)
    return torch.cat([base, turn[:, None], hands], dim=1).clamp(-1, 1)


@pytest.mark.wide
@pytest.mark.parametrize(
    ("name", "act", "share"),
    [
        ("lift_cube", carry_cube, 1.0),
        ("pick_cube", carry_cube, 1.0),
        ("franka_cabinet", pull_drawer, 0.5),
        ("turn_faucet", turn_lever, 1.0),
        ("open_cabinet_drawer", open_it(None), 1.0),
        ("open_cabinet_door", open_it((-0.21, 0.24)), 1.0),
        # Where the chair's back is aside, it turns away from this.
        ("push_chair", push_it, 0.5),
    ],
)
def test_scripted_hands(name: str, act: Callable[[Any, Any, int], torch.Tensor], share: float) -> None:
    skip_without_model(name)
    task, num = load_task(name), 8
    worlds = Worlds(task, [torch.Generator().manual_seed(1)], num, desynchronise=False)
    state: Any = task.read_state(worlds.sim, worlds.carry, torch.zeros(num, task.num_actions))
    solved = torch.zeros(num, dtype=torch.bool)
    for step in range(task.info.max_episode_steps - 1):
        state = worlds.step(act(task, state, step)).state
        solved |= task.metric.value(state) > 0
    assert float(solved.float().mean()) >= share


@pytest.mark.wide
@pytest.mark.parametrize("name", ["lift_cube", "open_cabinet_drawer"])
def test_the_hand_follows_its_actions(name: str) -> None:
    """Under actions of either end at random, which an untrained policy's are like, a hand goes where it is told to."""
    skip_without_model(name)
    task, num, steps = load_task(name), 4, 60
    worlds = Worlds(task, [torch.Generator().manual_seed(1)], num, desynchronise=False)
    draw = torch.Generator().manual_seed(2)
    sim, first = worlds.sim, task.address(next(iter(task.ARMS)) + "drive_x")  # type: ignore[attr-defined]
    missed = []
    for _ in range(steps):
        action = torch.zeros(num, task.num_actions)
        action[:, -4:-1] = torch.randint(0, 2, (num, 3), generator=draw) * 2.0 - 1
        wanted = task.control(sim, worlds.carry, action).ctrl[:, 2:5] * task.control_timestep_s
        before = sim.qpos[:, first : first + 3].clone()
        worlds.step(action)
        missed.append((sim.qpos[:, first : first + 3] - before - wanted).abs().mean())
    assert float(torch.stack(missed).mean()) < 0.004  # of 12 mm
