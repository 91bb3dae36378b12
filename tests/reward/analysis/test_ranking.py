"""Trajectories' worth by hand, and which pairs a reward must order."""

import pytest
import torch
from analysis_graphs import HEIGHT, SPEED, node, reward

from eureka.prompts import for_person
from eureka.reward.analysis.diagnosis import prefers_failing
from eureka.reward.analysis.ranking import rank, worth
from eureka.reward.analysis.trajectory import Trajectory


def trajectory(kind, speed, score, terminated=False, height=1.0):
    steps = len(speed)
    state = {"speed": torch.tensor(speed), "height": torch.full((steps,), height), "action": torch.zeros(steps, 2)}
    return Trajectory(kind, state, score, terminated)


def test_worth_of_an_episode_that_ended():
    # Returns-to-go with gamma 0.5: 3 + 0.5 (2 + 0.5 * 1) = 4.25, 2.5 and 1; their mean is 7.75 / 3.
    found = worth(torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64), 0.5, terminated=True)
    assert float(found) == pytest.approx(7.75 / 3)


def test_worth_of_an_episode_that_was_cut():
    # It goes on as it was, with a mean of 2 a step: 2 / (1 - 0.5) = 4 from every state.
    found = worth(torch.tensor([[2.0, 2.0, 2.0], [0.0, 2.0, 4.0]], dtype=torch.float64), 0.5, terminated=False)
    assert float(found[0]) == pytest.approx(4.0)
    # 4 + 0.5 * 4 = 6; 2 + 0.5 * 6 = 5; 0 + 0.5 * 5 = 2.5.
    assert float(found[1]) == pytest.approx(13.5 / 3)


FALL = trajectory("random", [0.5, 0.0], 0.1, terminated=True)
WALK = trajectory("half-trained", [1.0] * 5, 1.0)
RUN = trajectory("trained", [2.0] * 5, 2.0)


def test_a_good_reward():
    ranking = rank(reward([("mul.Tensor", [SPEED, 2.0])], node(0), {"speed": SPEED}), [FALL, WALK, RUN], 0.9)
    assert (ranking.pairs, ranking.right, ranking.share) == (3, 3, 1.0)
    assert not ranking.is_backwards
    # 2 a step for ever is 2 / (1 - 0.9); the component stands in the total twice.
    assert ranking.judged[1].worth == pytest.approx(20.0, rel=1e-5)
    assert ranking.judged[1].components["speed"] == pytest.approx(20.0, rel=1e-5)
    assert ranking.component_right == {"speed": 3}


def test_a_penalty_that_makes_falling_pay():
    nodes = [("mul.Tensor", [HEIGHT, -3.0]), ("add.Tensor", [SPEED, node(0)]), ("abs", [SPEED])]
    mean = reward(nodes, node(1), {"speed": SPEED, "height": node(0), "idle": node(2)})
    ranking = rank(mean, [FALL, WALK, RUN], 0.9)
    # Worth: the fall -2.5 - 0.9 * 3 = -5.2 and -3, on average -4.1; walking -2 / 0.1 = -20; running -10.
    assert [j.worth for j in ranking.judged] == pytest.approx([-4.1, -20.0, -10.0], rel=1e-5)
    assert (ranking.pairs, ranking.right) == (3, 1)
    assert ranking.is_backwards
    assert ranking.component_right == {"speed": 3, "height": 0}
    text = for_person(prefers_failing(ranking))
    assert "of 3 pairs of recorded trajectories with clearly different task scores it ranks 1 right" in text
    assert (
        "one with a score of 2 is worth -10 under it (discounted return), one with a score of 0.1 is worth -4.1" in text
    )
    assert text.endswith("the component `height` speaks most for the failing one")


def test_no_pairs_where_all_score_alike():
    ranking = rank(reward([("abs", [SPEED])], node(0), {"speed": SPEED}), [WALK, WALK], 0.9)
    assert ranking.pairs == 0
    assert ranking.share is None
    assert not ranking.is_backwards


def test_small_differences_are_no_pairs():
    nearly = trajectory("trained", [1.9] * 5, 1.9)
    ranking = rank(reward([("abs", [SPEED])], node(0), {"speed": SPEED}), [FALL, RUN, nearly], 0.9)
    assert ranking.pairs == 2
