"""Constants set without a new trace: one set, and many in one call; what they must give is what the source gives."""

import json
import time

import pytest
import torch
from reward_corpus import SANE
from reward_helpers import candidate, eager, states

from eureka.reward.graph.runtime import OPS, GraphError, compile_graph
from eureka.reward.graph.settings import _FORMS, _LOSSES, evaluate_settings

SOURCE = """
import torch

def compute_reward(up_proj, heading):
    weight = 0.5
    power = 2
    limit = 0.3
    shaped = weight * up_proj**power
    clipped = torch.clamp(heading, min=-limit, max=limit) + torch.full_like(heading, limit)
    return shaped + clipped, {"shaped": shaped, "clipped": clipped}
"""


@pytest.fixture(scope="module")
def reward(verifier):
    return compile_graph(verifier.verify(candidate(SOURCE)).graph)


def test_constants_have_the_names_of_the_source(reward):
    assert reward.graph.constants == {"weight": 0.5, "power": 2, "limit": 0.3}


def test_one_setting(reward):
    state = states(50)
    total, components = reward.with_constants(weight=2.0, limit=0.1)(state)
    assert torch.equal(components["shaped"], 2.0 * state["up_proj"] ** 2)
    assert torch.equal(components["clipped"], state["heading"].clamp(-0.1, 0.1) + 0.1)
    assert torch.equal(total, components["shaped"] + components["clipped"])
    assert torch.equal(reward(state)[1]["shaped"], 0.5 * state["up_proj"] ** 2)


def test_many_settings_are_the_sources_with_these_numbers(reward):
    state = states(50)
    settings = {"weight": [0.5, -1.0, 0.5], "limit": [0.3, 0.2, 0.7]}
    total, components = evaluate_settings(reward, state, settings)
    assert total.shape == components["shaped"].shape == (3, 50)
    for row, (weight, limit) in enumerate(zip(*settings.values(), strict=True)):
        changed = SOURCE.replace("weight = 0.5", f"weight = {weight}").replace("limit = 0.3", f"limit = {limit}")
        wanted, parts = eager(changed, state)
        torch.testing.assert_close(total[row], wanted)
        torch.testing.assert_close(components["clipped"][row], parts["clipped"])


@pytest.mark.parametrize("name", SANE)
def test_corpus(verifier, name):
    """Settings together give what each gives alone."""
    reward = compile_graph(verifier.verify(candidate(SANE[name])).graph)
    constants = reward.graph.constants
    if not constants:
        return
    state = states(40, seed=3)
    settings = {key: [value, 1.3 * value + 0.01, 0.7 * value] for key, value in constants.items()}
    total, _ = evaluate_settings(reward, state, settings)
    for row in range(3):
        alone, _ = reward.with_constants(**{key: values[row] for key, values in settings.items()})(state)
        scale = float(alone.abs().nan_to_num().max())
        torch.testing.assert_close(total[row], alone, rtol=0.0, atol=1e-5 * scale, equal_nan=True)


#: Operations with numbers among their arguments, called with the constant k = 0.5 or, where its type asks, 2.
ROW = {"input": "foot_height"}
K = {"constant": "k"}
CALLS = {
    "add.Tensor": ([ROW, K], {"alpha": K}),
    "sub.Tensor": ([ROW, K], {"alpha": K}),
    "rsub.Tensor": ([ROW, K], {"alpha": K}),
    "rsub.Scalar": ([ROW, K, K], {}),
    "mul.Tensor": ([ROW, K], {}),
    "div.Tensor": ([ROW, K], {}),
    "pow.Tensor_Scalar": ([ROW, K], {}),
    "pow.Scalar": ([K, ROW], {}),
    "fmod.Scalar": ([ROW, K], {}),
    "remainder.Scalar": ([ROW, K], {}),
    **{f"{name}.Scalar": ([ROW, K], {}) for name in ("gt", "ge", "lt", "le", "eq", "ne")},
    "clamp": ([ROW], {"max": K}),
    "clamp_min": ([ROW, K], {}),
    "clamp_max": ([ROW, K], {}),
    "hardtanh": ([ROW, -0.2, K], {}),
    "lerp.Scalar": ([ROW, {"node": 0}, K], {}),
    "addcmul": ([ROW, {"node": 0}, ROW], {"value": K}),
    "addcdiv": ([ROW, {"node": 0}, ROW], {"value": K}),
    "masked_fill.Scalar": ([ROW, {"node": 1}, K], {}),
    "threshold": ([ROW, 0.1, K], {}),
    "leaky_relu": ([ROW, K], {}),
    "elu": ([ROW, K], {}),
    "softplus": ([ROW, K], {}),
    "full": ([[{"batch": 1}, 4], K], {}),
    "full_like": ([ROW, K], {}),
    "scalar_tensor": ([K], {}),
    "huber_loss": ([ROW, {"node": 0}, 0, K], {}),
    "smooth_l1_loss": ([ROW, {"node": 0}, 0, K], {}),
    # These take plain numbers only, and go one setting after the other.
    "linalg_vector_norm": ([ROW, K, [1], True], {}),
    "logit": ([ROW, K], {}),
}


def graph_of(op):
    args, kwargs = CALLS[op]
    nodes = [
        {"op": "sin", "args": [ROW]},
        {"op": "gt.Scalar", "args": [ROW, 0.2]},
        {"op": op, "args": args, "kwargs": kwargs},
        {"op": "mul.Tensor", "args": [{"node": 2}, {"node": 0}]},
        {"op": "sum.dim_IntList", "args": [{"node": 3}, [1]], "kwargs": {"dtype": {"dtype": "float32"}}},
    ]
    return json.dumps(
        {
            "version": 1,
            "inputs": ["foot_height"],
            "constants": {"k": 0.5},
            "nodes": nodes,
            "total": {"node": 4},
            "components": [{"name": "part", "value": {"node": 4}}],
        }
    )


@pytest.mark.parametrize("op", CALLS)
def test_operations_with_tensors_for_numbers(op):
    reward, state = compile_graph(graph_of(op)), states(30)
    total, _ = evaluate_settings(reward, state, {"k": [0.5, 0.25]})
    for row, value in enumerate([0.5, 0.25]):
        wanted, _ = compile_graph(graph_of(op).replace('"k": 0.5', f'"k": {value}'))(state)
        torch.testing.assert_close(total[row], wanted, equal_nan=True)


def test_every_form_is_tested():
    assert (_FORMS.keys() | _LOSSES.keys()) <= CALLS.keys() <= OPS.keys()


def test_one_call_is_faster_than_one_by_one(verifier):
    """16 settings of a reward of nine terms: about four times as fast (FACTS.md has 0.26 ms against 1.29 ms)."""
    reward = compile_graph(verifier.verify(candidate(SANE["module_constants"])).graph)
    state = states(64)
    settings = {"WEIGHTS_speed": [0.1 * k for k in range(64)]}

    def together():
        evaluate_settings(reward, state, settings)

    def apart():
        for value in settings["WEIGHTS_speed"]:
            reward.with_constants(WEIGHTS_speed=value)(state)

    assert timed(together) < timed(apart)


def timed(function):
    times = []
    for _ in range(5):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return min(times)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"speed": 1.0}, "there is no 'speed'; there are limit, power, weight"),
        ({"weight": float("nan")}, "weight: expected a finite number"),
        ({"weight": "2"}, "weight: expected a finite number"),
        ({"weight": True}, "weight: expected a finite number"),
    ],
)
def test_what_cannot_be_set(reward, values, words):
    with pytest.raises(GraphError, match=words):
        reward.with_constants(**values)


def test_settings_must_fit_together(reward):
    with pytest.raises(GraphError, match="as many values for every constant"):
        evaluate_settings(reward, states(3), {"weight": [1.0, 2.0], "limit": [1.0]})
    with pytest.raises(GraphError, match="there is no 'speed'"):
        evaluate_settings(reward, states(3), {"speed": [1.0]})
