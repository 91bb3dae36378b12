"""What the trace keeps of the source: names of constants and variables, lines, and nothing that is not needed."""

import json
import re

import pytest
import torch
from reward_helpers import candidate, eager, states

from eureka.reward.graph.runtime import compile_graph
from eureka.reward.trace.child import trace
from eureka.reward.trace.explain import TraceFailure, explain
from eureka.reward.trace.source import Hooks, load, named
from eureka.reward.trace.warm_up import warm_up
from eureka.reward.trace.wire import request, unpack


def document(verifier, source):
    return json.loads(verifier.verify(candidate(source)).graph)


def test_constants_keep_their_names(verifier):
    graph = document(
        verifier,
        "import torch\n"
        "SPEED = 1.5\n"
        "W = {'energy': 0.01, 'bad name': 3.0}\n"
        "def helper(x, gain=4.0):\n"
        "    return gain * x\n"
        "def compute_reward(base_lin_vel, actions):\n"
        "    power: int = 2\n"
        "    low, high = -2.0, 2.0\n"
        "    run = SPEED * base_lin_vel[:, 0].clamp(low, high)\n"
        "    cost = -W['energy'] * (actions ** power).sum(-1) * W['bad name']\n"
        "    return helper(run) + 0.125 * cost, {'run': run}\n",
    )
    assert graph["constants"] == {"SPEED": 1.5, "W_energy": 0.01, "gain": 4.0, "power": 2, "low": -2.0, "high": 2.0}
    arguments = [argument for node in graph["nodes"] for argument in node["args"]]
    assert {"constant": "W_energy", "negative": True} in arguments
    assert 0.125 in arguments
    assert 3.0 in arguments


def test_ambiguous_constants_stay_numbers(verifier):
    graph = document(
        verifier,
        "import torch\n"
        "def compute_reward(up_proj):\n"
        "    low = 0.5\n"
        "    high = 0.5\n"
        "    gain = 2.0\n"
        "    r = gain * up_proj.clamp(low, high) + torch.lerp(up_proj, up_proj + 1, 0.5)\n"
        "    gain = 3.0\n"
        "    return r + gain * up_proj, {'r': r}\n",
    )
    assert graph["constants"] == {"gain": 2.0, "gain_2": 3.0}


def test_variables_and_lines_are_noted(verifier):
    source = (
        "import torch\n"
        "def compute_reward(up_proj, dof_pos):\n"
        "    height = up_proj * 2.0\n"
        "    cost = dof_pos.abs().sum(dim=-1)\n"
        "    height += 1.0\n"
        "    low, high = dof_pos.min(-1).values, dof_pos.max(-1).values\n"
        "    unused = torch.exp(high)\n"
        "    return height - cost + low, {'cost': cost}\n"
    )
    graph = document(verifier, source)
    names = [(node["op"], node["line"], node.get("name")) for node in graph["nodes"]]
    assert names == [
        ("mul.Tensor", 3, "height"),
        ("abs", 4, None),
        ("sum.dim_IntList", 4, "cost"),
        ("add.Tensor", 5, "height"),
        ("min.dim", 6, None),
        ("sub.Tensor", 8, None),
        ("add.Tensor", 8, None),
    ]


def test_same_values_are_computed_once(verifier):
    graph = document(
        verifier,
        "def compute_reward(object_pos):\n"
        "    a = object_pos[:, 0] * 2\n"
        "    b = object_pos[:, 0] * 2\n"
        "    return a + b, {'a': a, 'b': b}\n",
    )
    assert [node["op"] for node in graph["nodes"]] == ["select.int", "mul.Tensor", "add.Tensor"]


MASKS = {
    "different sides of one mask": "r[up_proj > 0] = heading[up_proj > 0] * 2",
    "right operands": "r[success] = 1.0 - heading[success] / 2",
    "functions": "r[success] = torch.exp(-heading[success]).clamp(max=3.0)",
    "powers and negation": "r[success] = -(heading[success] ** 2)",
    "where under the mask": "r[success] = torch.where(heading[success] > 0, 1.0, heading[success])",
    "inner reductions": "r[success] = dof_pos[success].abs().sum(dim=-1)",
    "inner columns": "r[success] = dof_pos[success][:, 3] + dof_pos[success, 1]",
    "tensor columns": "dof_pos[success, 0] = 9.0; r = r + dof_pos[:, 0]",
    "masks of two dimensions": "dof_pos[dof_pos > 1.0] = 1.0; r = r + dof_pos.sum(-1)",
    "ellipsis": "r[..., success] = 4.0"
    if False
    else "contact_forces[success, ..., 2] = 0.0; r = r + contact_forces.sum((1, 2))",
    "augmented": "r[success] *= 2; r[~success] -= 1.0; r[success] /= 3.0",
    "broadcast values": "dof_pos[success] = torch.arange(12.0); r = r + dof_pos.sum(-1)",
    "zero-dimensional values": "r[success] = torch.tensor(0.5)",
    "property": "r[success] = heading[success].abs() * dof_pos[success].requires_grad",
}


@pytest.mark.parametrize("case", MASKS)
def test_masked_assignments(verifier, case):
    source = (
        "import torch\n"
        "def compute_reward(up_proj, heading, success, dof_pos, contact_forces):\n"
        "    r = up_proj.clone()\n"
        f"    {MASKS[case]}\n"
        "    return r, {'r': r}\n"
    )
    result = verifier.verify(candidate(source))
    state = states(77, seed=3)
    assert torch.equal(compile_graph(result.graph)(state)[0], eager(source, state)[0])


REFUSED = {
    "size of a mask": ("x = dof_pos[success].shape[0]; r = up_proj * x", "size depends on values"),
    "len of a mask": ("r = up_proj * len(dof_pos[success])", "size depends on values"),
    "rows of a mask": ("r[success] = dof_pos[success][0, 0]", "size depends on values"),
    "mask in the middle": ("r = dof_pos[:, dof_pos[0] > 0].sum(-1)", "size depends on values"),
    "two lists": ("r = dof_pos[[0], [1]] + up_proj", "computed integers"),
    "where of one": ("r[torch.where(success)] = 1.0", "size depends on values"),
    "masked value outside": ("r[:] = up_proj.masked_select(success).sum()", "size depends on values"),
    "branch on a mask": (
        "r = up_proj if up_proj[success] is None or up_proj[success].sum() > 0 else r",
        "size depends",
    ),
    "concatenated masks": ("r = torch.cat([up_proj[success], up_proj[~success]])", "different masks"),
    "masked into slices": ("dof_pos[:, 0][success] = 1.0; r[:3] = up_proj[success][:3]", "fails|size depends|shape"),
    "contains": ("r = up_proj + (1.0 in dof_pos)", "decides in Python"),
    "as an index": ("r = up_proj * [1.0, 2.0][success[0].long()]", "Python index"),
    "int of a tensor": ("r = up_proj * int(up_proj.sum())", "reads a number"),
    "float of a tensor": ("r = up_proj * float(up_proj[0])", "reads a number"),
    "allclose": ("r = up_proj * torch.allclose(up_proj, up_proj)", "as a whole"),
    "part of the batch": ("r = torch.cat([up_proj[:-1], up_proj[-1:]])", "in an unusual way"),
    "number of environments as a value": ("r = up_proj + torch.arange(up_proj.shape[0])", "number in it depends"),
    "big constant": ("r = up_proj + torch.tensor([1.0] * 5000).sum()", "Constant tensors have at most"),
    "complex numbers": ("r = torch.view_as_real(torch.polar(up_proj, up_proj)).sum(-1)", "not among|complex"),
    "names by values": ("return up_proj, {f'{up_proj.mean():.3f}': up_proj}", "as text"),
    "resize": ("r = up_proj.clone().resize_(up_proj.shape[0])", "not among|resize"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(verifier, case):
    line, message = REFUSED[case]
    source = (
        "import torch\n"
        "def compute_reward(up_proj, success, dof_pos):\n"
        "    r = up_proj.clone()\n"
        f"    {line}\n"
        "    return r, {'r': r}\n"
    )
    result = verifier.verify(candidate(source))
    assert re.search(message, result.feedback), result
    assert result.feedback.startswith(("line 4: ", "line 5: `return")), result


def test_eager_outputs_come_back():
    source = "def compute_reward(x):\n    return 2 * x, {'x': x, 'w': 0.5}\n"
    first, second = {"x": torch.arange(60.0)}, {"x": torch.ones(70)}
    parcel = unpack(trace(request(source, ("x",), first, second, 128)))
    assert parcel.body["ok"] is True
    assert torch.equal(parcel.tensors["first/total"], 2 * first["x"])
    assert torch.equal(parcel.tensors["second/0"], second["x"])
    assert torch.equal(parcel.tensors["second/1"], torch.full((70,), 0.5))


def test_named_numbers_are_numbers():
    weight = named(0.5, "w")
    assert -weight == -0.5
    assert (-weight).negative
    minus = -weight
    assert not (-minus).negative
    assert type(weight * 2) is float
    count = named(3, "n")
    assert [0, 1, 2, 3][count] == 3
    assert (-count).name == "n"
    assert list(range(count)) == [0, 1, 2]


def test_a_function_that_torch_lacks_is_told_with_the_nearest():
    with pytest.raises(AttributeError) as raised:
        torch.clampp  # noqa: B018
    assert "no attribute 'clampp'; did you mean `clamp`" in str(explain(raised.value))


def test_explain_keeps_a_failure_and_names_others():
    failure = TraceFailure("x", line=3)
    assert explain(failure) is failure
    plain = explain(KeyError())
    assert plain.message == "KeyError"
    assert plain.line is None


def test_load_binds_only_inside_functions():
    seen = []
    loaded = load(
        "a = 1.5\n"
        "def compute_reward(x):\n"
        "    y = z = x\n"
        "    (p, [q, r]), s = (1, [2, 3]), 4\n"
        "    t: int\n"
        "    return y, {}\n",
        Hooks(lambda name, value: seen.append(name), lambda: False),
    )
    loaded.call({"x": torch.ones(1)})
    assert seen == ["y", "z", "s"]
    assert loaded.return_line == 6


def test_warm_up_runs():
    warm_up()
