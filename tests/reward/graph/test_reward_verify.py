"""The parent's checks, on graphs that a hostile child could send."""

import json
import time

import pytest
import torch
from reward_helpers import FIELDS, states

from eureka.reward.graph import shapes, verify
from eureka.reward.graph.parse import parse_graph
from eureka.reward.graph.runtime import RewardFunction
from eureka.reward.graph.shapes import check_shapes
from eureka.reward.graph.verify import (
    EagerRun,
    check,
    check_agreement,
    check_cost,
    check_finite,
    check_isolation,
    check_rows,
    stretched,
)

X = {"input": "up_proj"}
POSE = {"input": "dof_pos"}
F32 = {"dtype": {"dtype": "float32"}}


def graph(nodes, total=None, component=None):
    last = {"node": len(nodes) - 1}
    return parse_graph(
        json.dumps(
            {
                "version": 1,
                "inputs": ["up_proj", "dof_pos", "episode_length"],
                "constants": {},
                "nodes": [
                    {"op": op, "args": args, "kwargs": kwargs, "line": 10 + i}
                    for i, (op, args, kwargs) in enumerate(nodes)
                ],
                "total": total or last,
                "components": [{"name": "part", "value": component or X}],
            }
        )
    )


SHAPES = {
    "pairs": ([("unsqueeze", [X, 1], {}), ("sub.Tensor", [{"node": 0}, X], {})], "(num_envs, num_envs)", 11),
    "column total": ([("unsqueeze", [X, 1], {})], "total is not", None),
    "vector total": ([("abs", [POSE], {})], "total is not", None),
    "bool total": ([("gt.Scalar", [X, 0], {})], "total is not", None),
    "float64 total": ([("_to_copy", [X], {"dtype": {"dtype": "float64"}})], "total is not", None),
    "total without state of another size": ([("full", [[7], 0.0], F32)], "total is not", None),
    "one number": ([("sum", [X], {}), ("add.Tensor", [X, {"node": 0}], {})], "combines all environments", 10),
    "one environment": ([("select.int", [POSE, 0, 0], {}), ("sum", [{"node": 0}], {})], "combines all", 10),
    "mean over environments": ([("mean.dim", [POSE, [0]], {})], "combines all environments", 10),
    "matrix product": (
        [("t", [POSE], {}), ("mm", [{"node": 0}, POSE], {}), ("select.int", [{"node": 1}, 0, 0], {})],
        "combines all environments",
        11,
    ),
    "appended environments": (
        [("cat", [[X, X], 0], {}), ("slice.Tensor", [{"node": 0}, 0, 0, 7], {})],
        "works along",
        10,
    ),
    "one more environment": (
        [("full", [[1], 0.0], F32), ("cat", [[X, {"node": 0}], 0], {})],
        "depends on the number of environments in an unusual way",
        11,
    ),
    "large": ([("repeat", [POSE, [1, 400]], {}), ("sum.dim_IntList", [{"node": 0}, [1]], {})], "4800 elements", 10),
    "large without state": ([("full", [[100, 100], 0.0], F32), ("sum", [{"node": 0}], {})], "10000 elements", 10),
    "many": (
        [("repeat", [POSE, [1, 300 + i]], {}) for i in range(20)] + [("sum.dim_IntList", [{"node": 0}, [1]], {})],
        "bytes an environment",
        # 12 (300 + i) numbers of 4 bytes each: the 18th brings the sum over 2 ** 18.
        27,
    ),
    "large empty": ([("full", [[0, 2**30], 0.0], F32), ("sum", [{"node": 0}], {})], "elements an environment", 10),
    "many tensors": (
        [("full", [[4096], 1.0], F32)] + [("unbind.int", [{"node": 0}], {})] * 3 + [("abs", [X], {})],
        "more than 8192 tensors",
        12,
    ),
    # Sums over 4092 numbers take little memory and much time: 2 ** 18 / 4092 is 64.06, with the one that makes them.
    "work": (
        [("repeat", [POSE, [1, 341]], {})] + [("sum.dim_IntList", [{"node": 0}, [1]], {})] * 100,
        "a quarter of a millisecond",
        74,
    ),
    "integers divided by a field": (
        [("floor_divide", [{"input": "episode_length"}, {"input": "episode_length"}], {}), ("abs", [X], {})],
        "divides integers by a number that may become zero",
        10,
    ),
    "integers divided by zero": (
        [("remainder.Scalar", [{"input": "episode_length"}, 0], {}), ("abs", [X], {})],
        "divides integers",
        10,
    ),
    # 4294967295 is 2 ** 32 - 1, whose low 32 bits are those of -1, and 2 ** 32 has low bits of 0.
    "a divisor that is -1 in the operation's type": (
        [
            ("_to_copy", [X], {"dtype": {"dtype": "int32"}}),
            ("div.Tensor_mode", [{"node": 0}, 4294967295], {"rounding_mode": "trunc"}),
            ("abs", [X], {}),
        ],
        "divides integers",
        11,
    ),
    "a divisor that is 0 in the operation's type": (
        [
            ("_to_copy", [X], {"dtype": {"dtype": "int32"}}),
            ("remainder.Scalar", [{"node": 0}, 4294967296], {}),
            ("abs", [X], {}),
        ],
        "divides integers",
        11,
    ),
    "a divisor that is 0 in eight bits": (
        [
            ("_to_copy", [X], {"dtype": {"dtype": "uint8"}}),
            ("floor_divide", [{"node": 0}, 256], {}),
            ("abs", [X], {}),
        ],
        "divides integers",
        11,
    ),
    "integers divided by a tensor of one number": (
        [
            ("scalar_tensor", [3], {"dtype": {"dtype": "int64"}}),
            ("remainder.Tensor", [{"input": "episode_length"}, {"node": 0}], {}),
            ("abs", [X], {}),
        ],
        "divides integers",
        11,
    ),
    "the least integer divided by -1": (
        [
            ("full", [[{"batch": 1}], -1], {"dtype": {"dtype": "int64"}}),
            ("div.Tensor_mode", [{"input": "episode_length"}, {"node": 0}], {"rounding_mode": "trunc"}),
            ("abs", [X], {}),
        ],
        "divides integers",
        11,
    ),
}


@pytest.mark.parametrize("case", SHAPES)
def test_shapes(case):
    nodes, message, line = SHAPES[case]
    problem = check_shapes(graph(nodes), FIELDS)
    assert problem is not None
    assert message in problem.message
    assert problem.line == line


FINE = {
    "a remainder by a number": [("remainder.Scalar", [{"input": "episode_length"}, 3], {}), ("abs", [X], {})],
    # 2 ** 32 - 1 stays what it is in 64 bits; -1 is 255 in eight without a sign.
    "a large divisor": [
        ("div.Tensor_mode", [{"input": "episode_length"}, 4294967295], {"rounding_mode": "floor"}),
        ("abs", [X], {}),
    ],
    "a divisor without a sign": [
        ("_to_copy", [X], {"dtype": {"dtype": "uint8"}}),
        ("floor_divide", [{"node": 0}, 255], {}),
        ("abs", [X], {}),
    ],
    "a division of floats": [("floor_divide", [X, X], {})],
    "a long sum": [("repeat", [POSE, [1, 341]], {})] + [("sum.dim_IntList", [{"node": 0}, [1]], {})] * 30,
}


@pytest.mark.parametrize("case", FINE)
def test_fine_shapes(case):
    assert check_shapes(graph(FINE[case]), FIELDS) is None


def test_a_field_that_is_not_there():
    assert "no field up_proj" in check_shapes(graph([("abs", [X], {})]), FIELDS[:3]).message


def test_component_shape():
    problem = check_shapes(graph([("abs", [X], {})], component=POSE), FIELDS)
    assert "the component 'part' is not" in problem.message


def test_kernel_errors_are_problems():
    problem = check(graph([("select.int", [POSE, 5, 0], {})]), FIELDS, [])
    assert "does not run: node 0 (select.int): IndexError" in problem.message


def test_agreement_counts_states():
    state = states(50)
    function = RewardFunction(graph([("mul.Tensor", [X, 2.0], {})]))
    total = 2.0 * state["up_proj"]
    assert check_agreement(function, EagerRun(state, total, (state["up_proj"],))) is None
    total[:3] += 0.1
    problem = check_agreement(function, EagerRun(state, total, (state["up_proj"],)))
    assert "the total as traced differs from what the code gives on 3 of 50 recorded states" in problem.message
    problem = check_agreement(function, EagerRun(state, 2.0 * state["up_proj"], (state["heading"],)))
    assert problem.message.startswith("the component 'part' as traced differs")


def test_roundings_are_no_disagreement():
    state = states(50)
    function = RewardFunction(graph([("mul.Tensor", [X, 2.0], {})]))
    total = 2.0 * state["up_proj"] * (1 + 1e-6)
    assert check_agreement(function, EagerRun(state, total, (state["up_proj"],))) is None


def test_non_finite_is_traced_to_its_line():
    nodes = [
        ("full", [[{"batch": 1}], {"float": "inf"}], F32),
        ("log", [X], {}),
        ("mul.Tensor", [{"node": 1}, 0.5], {}),
        ("minimum", [{"node": 2}, {"node": 0}], {}),
    ]
    state = states(100)
    problem = check_finite(RewardFunction(graph(nodes)), state)
    assert problem.line == 11
    assert f"the total is NaN on {int((state['up_proj'] < 0).sum())} of 100" in problem.message


def test_infinite_says_so():
    state = {
        "up_proj": torch.tensor([0.0, 1.0]),
        "dof_pos": torch.zeros(2, 12),
        "episode_length": torch.zeros(2).long(),
    }
    problem = check_finite(RewardFunction(graph([("reciprocal", [X], {})])), state)
    assert "the total is infinite on 1 of 2" in problem.message
    problem = check_finite(
        RewardFunction(graph([("abs", [X], {})])), {**state, "up_proj": torch.tensor([1.0, torch.inf])}
    )
    assert problem.message.startswith("the component 'part' is infinite on 1")
    assert problem.line is None


@pytest.mark.parametrize("wrong", [slice(0, 1), slice(10, 12)], ids=["first", "others"])
def test_a_huge_row_hides_no_wrong_one(wrong):
    state = states(50)
    state["up_proj"][5] = 1e7
    function = RewardFunction(graph([("mul.Tensor", [X, 2.0], {})]))
    total = 2.0 * state["up_proj"]
    assert check_agreement(function, EagerRun(state, total, (state["up_proj"],))) is None
    total[wrong] += 0.1
    assert (
        "the total as traced differs" in check_agreement(function, EagerRun(state, total, (state["up_proj"],))).message
    )


@pytest.mark.parametrize("share", [1, 40, 50], ids=["one row", "most rows", "every row"])
def test_a_huge_component_hides_no_wrong_total(share):
    """A penalty of ten million that the total leaves out, in as many rows; the total is wrong in the last one."""
    state = states(50)
    state["dof_pos"][:share, 0] = 1e7
    column = ("select.int", [{"input": "dof_pos"}, 1, 0], {})
    function = RewardFunction(graph([("mul.Tensor", [X, 2.0], {}), column], {"node": 0}, {"node": 1}))
    total, part = 2.0 * state["up_proj"], state["dof_pos"][:, 0]
    assert check_agreement(function, EagerRun(state, total, (part,))) is None
    total[-1] += 20.0
    assert "on 1 of 50" in check_agreement(function, EagerRun(state, total, (part,))).message


ONES = ("full", [[{"batch": 1}], 1.0], F32)
TABLE = ("full", [[{"batch": 1}, 3], 1.0], F32)
ALONG = {
    "numbered rows": [("ones_like", [X], {}), ("cumsum", [{"node": 0}, 0], {})],
    "rolled": [("roll", [X, [1], [0]], {})],
    "rolled flat": [("roll", [X, [1], []], {})],
    "counted": [ONES, ("sum", [{"node": 0}], {})],
    "first rows": [("slice.Tensor", [X, 0, 0, 600], {})],
    "a written row": [("full", [[], 1.0], F32), ("select_scatter", [X, {"node": 0}, 0, 3], {})],
    "sorted": [("sort", [X], {}), ("add.Tensor", [{"node": 0, "item": 0}, X], {})],
    "doubled": [("repeat", [X, [2]], {}), ("view", [{"node": 0}, [{"batch": 1}, 2]], {})],
    "joined": [("cat", [[X, X]], {}), ("view", [{"node": 0}, [{"batch": 1}, 2]], {})],
    "rows into columns": [("t", [POSE], {}), ("view", [{"node": 0}, [{"batch": 1}, 12]], {})],
    "shifted by padding": [("constant_pad_nd", [X, [1, -1], 0.0], {})],
    "lower triangle": [TABLE, ("tril", [{"node": 0}], {})],
    "diagonal": [TABLE, ("diagonal", [{"node": 0}], {})],
    "product over environments": [TABLE, ("t", [{"node": 0}], {}), ("mm", [{"node": 1}, {"node": 0}], {})],
    "mean of a loss": [ONES, ("mse_loss", [{"node": 0}, {"node": 0}, 2], {})],
}


@pytest.mark.parametrize("case", ALONG)
def test_nothing_works_along_the_environments(case):
    assert "works along the first dimension" in check_shapes(graph(ALONG[case], total=X), FIELDS).message


APART = {
    "last dimension": [("cumsum", [POSE, 1], {}), ("flip", [{"node": 0}, [-1]], {}), ("sort", [{"node": 1}], {})],
    "legs": [("view", [POSE, [{"batch": 1}, 4, 3]], {}), ("view", [{"node": 0}, [{"batch": 4}, 3]], {})],
    "stacked": [("stack", [[X, X]], {}), ("sum.dim_IntList", [{"node": 0}, [0]], {})],
    "transposed": [("t", [POSE], {}), ("cumsum", [{"node": 0}, 0], {}), ("select.int", [{"node": 1}, 0, 2], {})],
    "repeated constants": [("tensor", [[0.0, 1.0], [2]], F32), ("repeat", [{"node": 0}, [{"batch": 1}]], {})],
    "matrices": [("unsqueeze", [POSE, 2], {}), ("unsqueeze", [POSE, 1], {}), ("bmm", [{"node": 0}, {"node": 1}], {})],
    "whole slices": [("slice.Tensor", [POSE, 0, 0], {}), ("slice_scatter", [POSE, POSE, 0], {})],
}


@pytest.mark.parametrize("case", APART)
def test_environments_are_kept_apart(case):
    assert check_shapes(graph(APART[case], total=X), FIELDS) is None


class Cut:
    """A reward that knows no more than 600 rows, as no graph of the table does: what the trial is for."""

    graph = graph([("abs", [X], {})])
    inputs, components = ("up_proj",), ("part",)

    def __init__(self, beyond):
        self.beyond = beyond

    def __call__(self, state):
        value = self.beyond(state["up_proj"])
        return value, {"part": value}


def test_a_reward_is_tried_on_as_many_rows_as_training_has():
    cut = Cut(lambda x: x[:600])
    assert check_rows(cut, states(64), 600) is None
    assert "not a float32 tensor of shape (num_envs,)" in check_rows(cut, states(64), 2048).message
    wrong = Cut(lambda x: x if len(x) < 600 else x + 1.0)
    assert "changes with the number of environments" in check_rows(wrong, states(64), 2048).message


def test_time_and_memory_are_measured(monkeypatch):
    assert check_cost(Cut(torch.abs), states(64), 512) is None

    def slow(x):
        until = time.process_time() + 0.02
        while time.process_time() < until:
            pass
        return x

    assert "microseconds of computing an environment" in check_cost(Cut(slow), states(64), 512).message
    monkeypatch.setattr(verify, "SECONDS_PER_ROW", 1.0)
    large = Cut(lambda x: torch.ones(len(x), 1 << 17).sum(1))
    assert "KiB of memory an environment, more than 64" in check_cost(large, states(64), 512).message


def test_a_leak_on_large_values_is_found():
    leak = Cut(lambda x: torch.where(x > 50, x.roll(1, 0), x))
    state = states(64)
    state["up_proj"] = torch.linspace(0.0, 1.0, 64)
    assert check_isolation(leak, state) is None
    assert "changes when other environments change" in check_isolation(leak, stretched(state, 100.0)).message


LEAKS = [
    ("cumsum", [X, 0], {}),
    ("flip", [X, [0]], {}),
    ("roll", [X, [1], [0]], {}),
    ("_softmax", [X, 0, False], {}),
]


@pytest.mark.parametrize("node", LEAKS, ids=lambda n: n[0])
def test_leaks_between_environments(node):
    nodes = [("mul.Tensor", [X, 2.0], {}), node]
    problem = check_isolation(RewardFunction(graph(nodes)), states(64))
    assert problem.message == "a reward changes when other environments change"
    assert problem.line == 11


def test_isolated_rewards_pass():
    assert (
        check_isolation(
            RewardFunction(graph([("cumsum", [POSE, 1], {}), ("sum.dim_IntList", [{"node": 0}, [1]], {})])), states(64)
        )
        is None
    )


def test_derived_forms_are_told_apart_and_forgotten_in_time(monkeypatch):
    meta = {"device": torch.device("meta")}
    monkeypatch.setattr(shapes, "_known", {})
    monkeypatch.setattr(shapes, "_MAX_KNOWN", 4)
    types = [shapes._derived("full", [[3], fill], meta).dtype for fill in (1, 1.0, True)]
    assert types == [torch.int64, torch.float32, torch.bool]
    assert shapes._derived("full", [[3], 1], meta) is shapes._derived("full", [[3], 1], meta)
    wide = torch.empty(4, 2, device="meta")
    assert shapes._derived("abs", [wide], {}).stride() == (2, 1)
    assert shapes._derived("abs", [wide.t()], {}).stride() == (1, 2)
    assert len(shapes._known) <= 4
