"""What a named constant does to the total, by hand."""

import json

import pytest
import torch
from analysis_graphs import ACTION, HEIGHT, RUNNING, SPEED, node, reward, text

from eureka.reward.analysis.parameters import MAX_TRIED, parameters
from eureka.reward.graph.runtime import compile_graph

STATE = {
    "speed": torch.tensor([0.0, 2.0, 0.0, 2.0]),
    "height": torch.zeros(4),
    "action": torch.tensor([[1.0, 1.0], [1.0, 1.0], [2.0, 0.0], [2.0, 0.0]]),
}


def test_a_weight_moves_the_total_by_what_it_weighs():
    # speed - 0.1 (2, 2, 4, 4): around 0.7 by (-0.9, 1.1, -1.1, 0.9), so 1.01 ** 0.5 is its standard deviation.
    (weight,) = parameters(reward(*RUNNING), STATE)
    assert (weight.name, weight.value, weight.lines) == ("weight", 0.1, (12,))
    # Twice the weight takes away (0.2, 0.2, 0.4, 0.4) more, half of it half as much less.
    assert weight.doubled == pytest.approx((0.1 / 1.01) ** 0.5)
    assert weight.halved == pytest.approx(weight.doubled / 2)


def test_what_cannot_be_told_is_none():
    nodes = [("mul.Tensor", [HEIGHT, {"constant": "nothing"}]), ("mul.Tensor", [SPEED, {"constant": "huge"}])]
    nodes += [("sum.dim_IntList", [ACTION, [1]])]
    still = parameters(reward(nodes, node(0), {"height": node(0)}, {"nothing": 1.0, "huge": 1e308}), STATE)
    assert [(p.name, p.doubled, p.halved) for p in still] == [("nothing", None, None), ("huge", None, None)]
    moving = parameters(reward(nodes, SPEED, {"height": node(0)}, {"nothing": 1.0, "huge": 1e308}), STATE)
    assert [(p.name, p.doubled, p.halved) for p in moving] == [("nothing", 0.0, 0.0), ("huge", None, 0.0)]


def test_of_many_constants_the_first_are_tried():
    count = MAX_TRIED + 3
    nodes = [("add.Tensor", [SPEED if i == 0 else node(i - 1), {"constant": f"c{i:03}"}]) for i in range(count)]
    constants = {f"c{i:03}": 1.0 for i in range(count)}
    graph = json.loads(text(nodes, node(count - 1), {"speed": SPEED}, constants))
    found = parameters(compile_graph(json.dumps(graph)), STATE)
    assert [p.doubled is None for p in found] == [False] * MAX_TRIED + [True] * 3
