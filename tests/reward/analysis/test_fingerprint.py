"""Which rewards are the same for training, and which only look so on what was recorded."""

import pytest
import torch
from analysis_graphs import ACTION, F32, HEIGHT, SPEED, node, text

from eureka.reward.analysis.fingerprint import Fingerprints, mixed, stretched, twin_factor
from eureka.reward.graph.runtime import compile_graph

GENERATOR = torch.Generator().manual_seed(0)
STATE = {
    "speed": torch.rand(200, generator=GENERATOR),
    "height": torch.randn(200, generator=GENERATOR),
    "action": torch.randn(200, 2, generator=GENERATOR),
    "steps": torch.arange(200),
}
PRINTS = Fingerprints(STATE)


def of(nodes, total):
    return PRINTS.of(compile_graph(text(nodes, total, {"speed": SPEED})))


SUM = of([("add.Tensor", [SPEED, HEIGHT])], node(0))
OTHER = {
    "the other way round": ([("add.Tensor", [HEIGHT, SPEED])], 1.0),
    "twice": ([("add.Tensor", [SPEED, HEIGHT]), ("mul.Tensor", [node(0), 2.0])], 2.0),
    "each halved": (
        [("div.Tensor", [SPEED, 2]), ("div.Tensor", [HEIGHT, 2]), ("add.Tensor", [node(0), node(1)])],
        0.5,
    ),
    "by another way": (
        [("stack", [[SPEED, HEIGHT], 1]), ("mean.dim", [node(0), [1]])],
        0.5,
    ),
    "a rounding away": ([("add.Tensor", [SPEED, HEIGHT]), ("mul.Tensor", [node(0), 1.0000001])], 1.0),
    "negated": ([("add.Tensor", [SPEED, HEIGHT]), ("neg", [node(0)])], None),
    "with a bonus a step": ([("add.Tensor", [SPEED, HEIGHT]), ("add.Tensor", [node(0), 1.0])], None),
    "another weight": ([("add.Tensor", [SPEED, HEIGHT], {"alpha": 1.01})], None),
    # Speeds between 0 and 1 were recorded: only beyond them do these differ.
    "clamped above": ([("clamp", [SPEED], {"max": 1.0}), ("add.Tensor", [node(0), HEIGHT])], None),
    "clamped below": ([("clamp", [SPEED], {"min": 0.0}), ("add.Tensor", [node(0), HEIGHT])], None),
    "infinite beyond": (
        [
            ("sub.Tensor", [SPEED, 2.0]),
            ("log", [node(0)]),
            ("mul.Tensor", [node(1), 0.0]),
            ("add.Tensor", [node(2), SPEED]),
        ],
        None,
    ),
    "nothing": ([("full", [[{"batch": 1}], 0.0], F32)], None),
}


@pytest.mark.parametrize("case", OTHER)
def test_twins(case):
    nodes, factor = OTHER[case]
    found = twin_factor(of(nodes, node(len(nodes) - 1)), SUM)
    assert found == (factor if factor is None else pytest.approx(factor, rel=1e-5))
    if factor:
        assert twin_factor(SUM, of(nodes, node(len(nodes) - 1))) == pytest.approx(1 / factor, rel=1e-5)


def test_nothing_is_the_twin_of_nothing_alone():
    zero = of([("full", [[{"batch": 1}], 0.0], F32)], node(0))
    assert twin_factor(zero, zero) == 1.0
    assert twin_factor(SUM, zero) is None


def test_two_that_are_infinite_at_the_same_places_are_twins():
    steep = of([("exp", [SPEED]), ("pow.Tensor_Scalar", [node(0), 100]), ("add.Tensor", [node(1), HEIGHT])], node(2))
    assert twin_factor(steep, steep) == 1.0


def test_states_beyond_the_recording():
    far = stretched(STATE, -2.0)
    assert torch.equal(far["action"], -2.0 * STATE["action"])
    assert torch.equal(far["steps"], STATE["steps"])
    shuffled = mixed({"a": torch.arange(10), "b": torch.arange(10)})
    assert shuffled["a"].tolist() == list(range(10))
    assert shuffled["b"].tolist() == [3, 4, 5, 6, 7, 8, 9, 0, 1, 2]
    assert ACTION["input"] in STATE
