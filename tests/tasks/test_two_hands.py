"""Two-handed tasks: rewards and successes of Bi-DexHands against numbers worked out by hand from its formulas."""

from __future__ import annotations

import math

import pytest
from states import one_state


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
