"""Two-handed tasks: rewards and successes of Bi-DexHands against numbers worked out by hand from its formulas."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from shipped_tasks import skip_without_model
from states import one_state

from eureka.tasks import load_task
from eureka.trainers.population.worlds import Worlds


@pytest.mark.wide
def test_hand_over() -> None:
    # 2 cm off and turned by half a radian: exp(-0.2 (50 x 0.02 + 0.5)).
    task, state = one_state("hand_over", distance_to_goal=0.02, angle_to_goal=0.5, egg_position=[0.0, -0.64, 0.54])
    assert float(task.human_reward(state)[0]) == pytest.approx(math.exp(-0.3))
    assert float(task.metric.value(state)) == 1.0
    assert not bool(task.is_over(state))
    _, fallen = one_state("hand_over", distance_to_goal=0.4, angle_to_goal=0.0, egg_position=[0.0, -0.5, 0.2])
    assert float(task.human_reward(fallen)[0]) == pytest.approx(math.exp(-4.0))
    assert float(task.metric.value(fallen)) == 0.0
    assert bool(task.is_over(fallen))


@pytest.mark.wide
def test_where_the_hands_are() -> None:
    # The first and ring fingertips are 0.481 m from the forearm's end along the fingers and 1 cm below its axis, the
    # first 3.3 cm to one side, as the package's reach.xml has them; the left hand is turned about z by a half.
    _, state = one_state("hand_over")
    tips = {"right": state.right_fingertips[0, 0], "left": state.left_fingertips[0, 0]}
    assert tips["right"].tolist() == pytest.approx([-0.033, -0.481, 0.49], abs=0.02)
    assert tips["left"].tolist() == pytest.approx([0.033, -0.519, 0.49], abs=0.02)
    assert state.right_palm[0].tolist() == pytest.approx([0.0, -0.38, 0.52], abs=0.02)
    assert state.left_palm[0].tolist() == pytest.approx([0.0, -0.62, 0.52], abs=0.02)


def at(handle: list[float], metres: float) -> list[list[float]]:
    """Five fingertips at one distance of a handle: five times the distance is what the reward adds up."""
    return [[handle[0] + metres, handle[1], handle[2]]] * 5


@pytest.mark.wide
def test_catch_underarm() -> None:
    task, state = one_state("catch_underarm", distance_to_goal=0.04, angle_to_goal=1.0, egg_position=[0.0, -0.5, 0.15])
    assert float(task.human_reward(state)[0]) == pytest.approx(math.exp(-0.6))
    assert float(task.metric.value(state)) == 0.0
    assert not bool(task.is_over(state))


@pytest.mark.wide
def test_switch() -> None:
    # Fingertips at 0.1 and 0.05 m: 2 - 0.5 - 0.25. Levers pressed by 2 and by 4 cm: 50 x 0.06.
    right, left = [0.0, 0.2, 0.68], [0.0, -0.2, 0.66]
    task, state = one_state(
        "switch",
        right_handle=right,
        left_handle=left,
        right_fingertips=at(right, 0.1),
        left_fingertips=at(left, 0.05),
    )
    assert float(task.human_reward(state)[0]) == pytest.approx(1.25 + 3.0, rel=1e-4)
    assert float(task.metric.value(state)) == 1.0
    _, start = one_state("switch")
    assert float(task.metric.value(start)) == 0.0
    assert not bool(task.is_over(start))


DOORS = {"door_open_outward": 2.0, "door_open_inward": 2.0, "door_close_inward": 2.0, "door_close_outward": 6.0}


@pytest.mark.wide
@pytest.mark.parametrize("name", DOORS)
def test_doors(name: str) -> None:
    # Fingertips at 0.05 and 0.08 m, handles 0.6 m apart: both sums below 0.5, so 2 x 0.6, or 1 - 2 x 0.6.
    right, left = [0.1, 0.3, 0.6], [0.1, -0.3, 0.6]
    hands = {"right_fingertips": at(right, 0.05), "left_fingertips": at(left, 0.08)}
    task, state = one_state(name, right_handle=right, left_handle=left, **hands)
    opens = name.startswith("door_open")
    moved = 1.2 if opens else -0.2
    assert float(task.human_reward(state)[0]) == pytest.approx(DOORS[name] - 0.25 - 0.4 + moved)
    assert float(task.metric.value(state)) == float(opens)
    # The left hand's sum is 0.75: the door's part is gone.
    away = {"right_fingertips": at(right, 0.05), "left_fingertips": at(left, 0.15)}
    _, off = one_state(name, right_handle=right, left_handle=left, **away)
    assert float(task.human_reward(off)[0]) == pytest.approx(DOORS[name] - 0.25 - 0.75)
    _, start = one_state(name)
    assert float(task.metric.value(start)) == 0.0
    assert not bool(task.is_over(start))


@pytest.mark.wide
def test_push_block() -> None:
    # Tips at 0.1 m of both blocks: 1.2 - 0.5 each; blocks 0.05 and 0.15 m from their goals: 5 - 5 x 0.2.
    right, left = [-0.15, 0.2, 0.625], [-0.05, -0.2, 0.625]
    hands = {"right_fingertips": at(right, 0.1), "left_fingertips": at(left, 0.1)}
    task, state = one_state("push_block", right_handle=right, left_handle=left, **hands)
    assert float(task.human_reward(state)[0]) == pytest.approx(0.7 + 0.7 + 4.0)
    assert float(task.metric.value(state)) == 0.0
    _, one = one_state("push_block", right_handle=[0.0, 0.2, 0.625], left_handle=[-0.2, -0.2, 0.625])
    assert float(task.metric.value(one)) == 0.5
    _, both = one_state("push_block", right_handle=right, left_handle=[-0.2, -0.2, 0.625])
    assert float(task.metric.value(both)) == 1.0


@pytest.mark.wide
def test_bottle_cap() -> None:
    # Right tips at 0.05 m of the cap: 0.25; left palm at 0.1 m of the bottle; the cap 2 cm out: 30 x 0.02.
    cap, bottle = [0.0, -0.6, 0.7], [0.0, -0.6, 0.55]
    fields = {"right_handle": cap, "left_handle": bottle, "left_palm": [0.1, -0.6, 0.55], "right_palm": cap}
    task, state = one_state("bottle_cap", right_fingertips=at(cap, 0.05), cap_way=0.02, **fields)
    assert float(task.human_reward(state)[0]) == pytest.approx(2 - 0.25 - 0.1 + 0.6)
    assert float(task.metric.value(state)) == 0.0
    assert not bool(task.is_over(state))
    _, far = one_state("bottle_cap", right_fingertips=at(cap, 0.1), cap_way=0.04, **fields)
    assert float(task.human_reward(far)[0]) == pytest.approx(2 - 0.5 - 0.1)
    assert float(task.metric.value(far)) == 1.0
    _, dropped = one_state("bottle_cap", **(fields | {"left_palm": [0.25, -0.6, 0.55]}))
    assert bool(task.is_over(dropped))


@pytest.mark.wide
def test_lift_underarm() -> None:
    # Palms at 0.05 and 0.06 m of their handles, the pot 0.1 m below its goal: 0.2 - 0.11 + 3 (0.385 - 0.1).
    right, left = [0.0, -0.45, 0.81], [0.0, -0.75, 0.81]
    fields = {"right_handle": right, "left_handle": left, "pot_position": [0.0, -0.6, 0.75]}
    palms = {"right_palm": [0.0, -0.4, 0.81], "left_palm": [0.0, -0.81, 0.81]}
    task, state = one_state("lift_underarm", **fields, **palms)
    assert float(task.human_reward(state)[0]) == pytest.approx(0.2 - 0.11 + 3 * 0.285, rel=1e-4)
    assert float(task.metric.value(state)) == 0.0
    _, done = one_state("lift_underarm", pot_position=[0.0, -0.6, 0.81])
    assert float(task.metric.value(done)) == 1.0
    _, away = one_state("lift_underarm", **fields, **(palms | {"left_palm": [0.0, -0.84, 0.81]}))
    assert float(task.human_reward(away)[0]) == pytest.approx(0.2 - 0.14, rel=1e-4)
    assert not bool(task.is_over(away))


@pytest.mark.wide
def test_block_stack() -> None:
    # Tips at 0.04 m: 1.1. The lower block in place, the upper one 1 cm too low: 2 (0.24 - 0.01), 50 (0.05 - 0.01).
    right, left = [0.0, 0.0, 0.625], [0.0, 0.0, 0.665]
    hands = {"right_fingertips": at(right, 0.04), "left_fingertips": at(left, 0.04)}
    task, state = one_state("block_stack", right_handle=right, left_handle=left, **hands)
    assert float(task.human_reward(state)[0]) == pytest.approx(1.1 + 0.46 + 2.0, rel=1e-4)
    assert float(task.metric.value(state)) == 1.0
    # 3.5 cm too low, as when it lies beside: 50 x 0.015 is no tower.
    _, beside = one_state("block_stack", right_handle=right, left_handle=[0.0, 0.04, 0.64], **hands)
    assert float(task.metric.value(beside)) == 0.0


@pytest.mark.wide
def test_pen() -> None:
    # Tips at 0.02 and 0.1 m: exp(-10 x 0.1) and exp(-10 x 0.5); handles 0.28 m apart: 5 x 0.28 - 0.8.
    right, left = [0.0, 0.21, 0.615], [0.0, -0.07, 0.615]
    hands = {"right_fingertips": at(right, 0.02), "left_fingertips": at(left, 0.1)}
    task, state = one_state("pen", right_handle=right, left_handle=left, **hands)
    assert float(task.human_reward(state)[0]) == pytest.approx(math.exp(-1) + math.exp(-5) + 0.6, rel=1e-4)
    assert float(task.metric.value(state)) == 0.0
    _, opened = one_state("pen", right_handle=[0.0, 0.24, 0.615], left_handle=left)
    assert float(task.metric.value(opened)) == 1.0


@pytest.mark.wide
def test_scissors() -> None:
    # Tips at 0.1 m of both handles: 2 - 1; open by 0.2 rad: 5 x 0.2.
    right, left = [0.03, 0.05, 0.61], [0.03, -0.05, 0.61]
    fields = {"right_handle": right, "left_handle": left, "left_fingertips": at(left, 0.1)}
    task, state = one_state("scissors", right_fingertips=at(right, 0.1), opening=0.2, **fields)
    assert float(task.human_reward(state)[0]) == pytest.approx(2.0, rel=1e-4)
    assert float(task.metric.value(state)) == 0.0
    _, far = one_state("scissors", right_fingertips=at(right, 0.15), opening=0.3, **fields)
    assert float(task.human_reward(far)[0]) == pytest.approx(2 - 0.75 - 0.5, rel=1e-4)
    assert float(task.metric.value(far)) == 1.0


@pytest.mark.wide
def test_catch_over2underarm() -> None:
    # Here the distance counts 20-fold: exp(-0.2 (20 x 0.02 + 0.5)).
    task, state = one_state("catch_over2underarm", distance_to_goal=0.02, angle_to_goal=0.5)
    assert float(task.human_reward(state)[0]) == pytest.approx(math.exp(-0.18))
    assert float(task.metric.value(state)) == 1.0


# Velocities of the right hand along x, y, z, and for how many control steps; the left hand's are its mirror image.
SCRIPTS: dict[str, Sequence[tuple[tuple[float, float, float], int]]] = {
    "switch": [((-0.15, 0.0, -0.6), 125)],
    "push_block": [((0.0, 0.0, -0.8), 25), ((-0.6, 0.0, 0.0), 100)],
    "door_open_outward": [((-1.0, 0.0, 0.0), 250)],
    "door_close_inward": [((-0.7, 0.0, 0.0), 25), ((0.0, -0.6, 0.0), 225)],
}


@pytest.mark.wide
@pytest.mark.parametrize("name", SCRIPTS)
def test_open_hands_that_push_solve_it(name: str) -> None:
    skip_without_model(name)
    task, reached = load_task(name), 0.0
    worlds = Worlds(task, [torch.Generator().manual_seed(3)], 2, desynchronise=False)
    action = -torch.ones(2, task.num_actions)
    action[:, [0, 1, 20, 21]] = 0.0  # the wrists
    for right, steps in SCRIPTS[name]:
        action[:, 40:] = 0.0
        action[:, 40:43] = torch.tensor(right)
        action[:, 46:49] = torch.tensor(right) * torch.tensor([1.0, -1.0, 1.0])
        for _ in range(steps):
            state = worlds.step(action).state
            reached = max(reached, float(task.metric.value(state).min()))
    assert reached == 1.0
