"""Moments, edges and values beyond the recording, on four hand-made transitions."""

import pytest
import torch
from analysis_graphs import ACTION, F32, HEIGHT, RUNNING, SPEED, node, reward

from eureka.reward.analysis.behaviour import behaviours, non_finite_extrapolations
from eureka.reward.analysis.parameters import parameters
from eureka.reward.analysis.structure import structure

STATE = {
    "speed": torch.tensor([0.0, 1.0, 2.0, 3.0]),
    "height": torch.tensor([1.0, 1.0, 1.0, 0.0]),
    "action": torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]),
}


def test_moments_and_shares():
    running = reward(*RUNNING)
    total, components = behaviours(running, STATE, structure(running.graph).entries)
    # total = speed + height - 0.1 effort = 1, 1.9, 2.8, 3; effort = 0, 1, 2, 0.
    assert total.mean == pytest.approx(2.175)
    assert (total.minimum, total.maximum) == (1.0, 3.0)
    variance = (1.175**2 + 0.275**2 + 0.625**2 + 0.825**2) / 4
    assert total.std == pytest.approx(variance**0.5)
    assert total.variance_share == pytest.approx(1.0)
    # cov(speed, total) = sum((speed - 1.5) (total - 2.175)) / 4
    covariance = (1.5 * 1.175 + 0.5 * 0.275 + 0.5 * 0.625 + 1.5 * 0.825) / 4
    assert components["speed"].variance_share == pytest.approx(covariance / variance)
    # effort - 0.75 = -0.75, 0.25, 1.25, -0.75, and it enters with a weight of -0.1.
    covariance = (0.75 * 1.175 - 0.25 * 0.275 + 1.25 * 0.625 - 0.75 * 0.825) / 4
    assert components["effort"].variance_share == pytest.approx(-0.1 * covariance / variance)
    assert components["effort"].at_minimum == 0.5
    assert components["effort"].at_maximum == 0.25
    assert not components["effort"].is_constant


def test_constants_and_what_reaches_nothing():
    nodes = [("full", [[{"batch": 1}], 2.0], F32), ("abs", [HEIGHT])]
    flat = reward(nodes, node(0), {"flat": node(0), "idle": node(1)})
    total, components = behaviours(flat, STATE, structure(flat.graph).entries)
    assert total.is_constant
    assert components["flat"].is_constant
    assert total.variance_share is components["idle"].variance_share is None
    assert components["flat"].at_minimum == components["flat"].at_maximum == 0.0


def test_beyond_the_recording():
    # exp(10 * 3 * 3) is infinite in float32 (above e^88.7), exp(10 * 2 * 3) is not.
    nodes = [("mul.Tensor", [SPEED, 3]), ("exp", [node(0)]), ("add.Tensor", [node(1), HEIGHT])]
    explosive = reward(nodes, node(2), {"bonus": node(1), "height": HEIGHT})
    (found,) = non_finite_extrapolations(explosive, STATE)
    assert (found.name, found.share, found.line) == ("bonus", 0.25, 11)
    silent = reward(nodes, node(2), {"height": HEIGHT})
    assert [(b.name, b.line) for b in non_finite_extrapolations(silent, STATE)] == [("total", 11)]
    assert non_finite_extrapolations(reward(*RUNNING), STATE) == ()


def test_what_a_constant_does():
    (weight,) = parameters(reward(*RUNNING), STATE)
    assert (weight.name, weight.value, weight.lines) == ("weight", 0.1, (12,))
    # Doubled, the total moves by -0.1 effort: 0, -0.1, -0.2, 0.
    spread = behaviours(reward(*RUNNING), STATE, structure(reward(*RUNNING).graph).entries)[0].std
    assert weight.doubled == pytest.approx((0.05 / 4) ** 0.5 / spread, rel=1e-5)
    assert weight.halved == pytest.approx((0.05 / 4) ** 0.5 / spread / 2, rel=1e-5)


def test_constants_of_a_flat_or_explosive_total():
    flat = reward([("full", [[{"batch": 1}], {"constant": "k"}], F32)], node(0), {"a": node(0)}, {"k": 1.0})
    assert (parameters(flat, STATE)[0].doubled, parameters(flat, STATE)[0].halved) == (None, None)
    nodes = [("mul.Tensor", [SPEED, {"constant": "k"}]), ("exp", [node(0)])]
    steep = reward(nodes, node(1), {"a": ACTION and node(1)}, {"k": 25.0})
    assert parameters(steep, STATE)[0].doubled is None
