"""Every operation of the runtime's table is written, scripts, and computes what the graph computes."""

from __future__ import annotations

import pytest
from export_helpers import assert_same, batch, export, graph, load

from eureka.reward.graph.operations import OPS

A, B, C, S, M, I, Q, R = ({"input": name} for name in "abcsmiqr")  # noqa: E741
N = {"batch": 1}
FLOAT, DOUBLE = {"dtype": "float32"}, {"dtype": "float64"}
BOOL, SHORT = {"dtype": "bool"}, {"dtype": "int16"}
INFINITE = {"float": "inf"}

#: Arguments of each operation; those of one tensor and of two tensors are not listed.
ARGUMENTS: dict[str, list[tuple[list, dict]]] = {
    "add.Tensor": [
        ([A, B], {}),
        ([A], {"other": B, "alpha": 2}),
        ([A], {"other": 0.5}),
        ([A, B], {"alpha": -0.1}),
        ([A, 2], {}),
        ([A, -0.5], {}),
        ([M, True], {}),
    ],
    "sub.Tensor": [([A, B], {}), ([A, 0.1], {"alpha": 3}), ([I, 2], {})],
    "rsub.Scalar": [([A, 1.0], {}), ([A, 1.0, 0.5], {})],
    "rsub.Tensor": [([A, B], {}), ([A, B], {"alpha": 2})],
    "mul.Tensor": [
        ([A, B], {}),
        ([A], {"other": B}),
        ([A, {"constant": "w"}], {}),
        ([A, {"constant": "w", "negative": True}], {}),
    ],
    "div.Tensor": [([A, B], {}), ([A, 0.3], {}), ([I, 3], {})],
    "div.Tensor_mode": [([A, B], {"rounding_mode": "floor"}), ([A, 0.3], {"rounding_mode": None})],
    "floor_divide": [([A, B], {}), ([A, 0.25], {}), ([I, 2], {})],
    "pow.Tensor_Scalar": [([A, 2], {}), ([A, 3.0], {}), ([A, -1], {}), ([A, {"constant": "k"}], {})],
    "pow.Scalar": [([2.0, A], {}), ([-2.0, A], {})],
    "leaky_relu": [([A], {}), ([A, 0.1], {})],
    "elu": [([A], {}), ([A, 0.5], {}), ([A, 1.0, 2.0, 0.5], {})],
    "gelu": [([A], {}), ([A], {"approximate": "tanh"})],
    "softplus": [([A], {}), ([A, 2.0, 10.0], {})],
    "hardtanh": [([A], {}), ([A, -0.5, 0.5], {})],
    "threshold": [([A, 0.1, 20.0], {})],
    "logit": [([A], {}), ([A, 1e-6], {}), ([A, {"constant": "k"}], {})],
    "round.decimals": [([A], {"decimals": 1})],
    "fmod.Scalar": [([A, 0.3], {})],
    "fmod.Tensor": [([A, B], {}), ([A, 0.3], {})],
    "remainder.Scalar": [([A, 0.3], {})],
    "remainder.Tensor": [([A, B], {}), ([A, 0.3], {})],
    "clamp": [([A, -0.5, 0.5], {}), ([A, None, 0.5], {}), ([A, 0.5], {}), ([A, 0, {"constant": "w"}], {})],
    "clamp.Tensor": [([A, B, C], {}), ([A, None, B], {}), ([A, B], {})],
    "clamp_min": [([A, 0.1], {})],
    "clamp_max": [([A, 0.1], {})],
    "lerp.Scalar": [([A, B, 0.3], {})],
    "addcmul": [([A, B, C], {}), ([A, B, C], {"value": 0.5})],
    "addcdiv": [([A, B, C], {}), ([A, B, C], {"value": 0.5})],
    "where.self": [([M, A, B], {})],
    "masked_fill.Scalar": [([A, M, -1.0], {})],
    "bitwise_and.Tensor": [([M, M], {}), ([I, 3], {}), ([M, True], {})],
    "bitwise_or.Tensor": [([M, M], {}), ([I, 3], {})],
    "bitwise_xor.Tensor": [([M, M], {}), ([I, 3], {})],
    "bitwise_not": [([M], {}), ([I], {})],
    "nan_to_num": [([A], {}), ([A, 0, 1.0, -1.0], {}), ([A, None, 1.0], {})],
    "sum": [([A], {}), ([A], {"dtype": DOUBLE})],
    "sum.dim_IntList": [([A, [-1]], {}), ([Q, [1, 2], True], {}), ([A, []], {}), ([A, None], {})],
    "mean": [([A], {}), ([M], {"dtype": FLOAT})],
    "mean.dim": [([A, [1]], {}), ([Q, [1, 2]], {"dtype": DOUBLE})],
    "prod.dim_int": [([A, -1], {}), ([A, 1, True], {})],
    "amax": [([A, [-1]], {}), ([A], {}), ([Q, [1, 2], True], {}), ([A, []], {})],
    "amin": [([A, [-1]], {}), ([A], {})],
    "max.dim": [([A, -1], {}), ([A, 1, True], {})],
    "min.dim": [([A, -1], {})],
    "any": [([M], {})],
    "any.dim": [([M, -1], {}), ([M, 1, True], {})],
    "any.dims": [([M, [1]], {}), ([M, [0, 1]], {}), ([M, None], {})],
    "all": [([M], {})],
    "all.dim": [([M, -1], {})],
    "all.dims": [([M, [0, 1]], {})],
    "argmax": [([A, -1], {}), ([A], {}), ([A, None, True], {})],
    "argmin": [([A, -1, True], {})],
    "std.correction": [([A, [-1]], {"correction": 1}), ([A], {}), ([A, [1]], {"correction": 0.0, "keepdim": True})],
    "var.correction": [([A, [-1]], {"correction": 0}), ([A, None], {"correction": None})],
    "linalg_vector_norm": [([A, 2, [-1]], {}), ([A, 1.0, [1], True], {}), ([A, INFINITE, [-1]], {}), ([A], {})],
    "cumsum": [([A, -1], {})],
    "cumprod": [([A, -1], {"dtype": DOUBLE})],
    "sort": [([A], {}), ([A, -1, True], {})],
    "topk": [([A, 2], {}), ([A, 2, -1, False, True], {})],
    "logsumexp": [([A, [-1]], {}), ([A, [1], True], {})],
    "_softmax": [([A, -1, False], {})],
    "_log_softmax": [([A, -1, False], {})],
    "median.dim": [([A, -1], {})],
    "nansum": [([A, [-1]], {}), ([A], {})],
    "count_nonzero": [([A], {}), ([A, -1], {})],
    "count_nonzero.dim_IntList": [([A, [-1]], {}), ([Q, [1, 2]], {})],
    "linalg_cross": [([A, B], {}), ([A, B], {"dim": 1})],
    "bmm": [([Q, R], {})],
    "mm": [([A, {"node": "square"}], {})],
    "mv": [([A, {"node": "column"}], {})],
    "dot": [([S, S], {})],
    "addmm": [([A, A, {"node": "square"}], {}), ([A, A, {"node": "square"}], {"beta": 0.5, "alpha": 2})],
    "baddbmm": [([Q, Q, R], {}), ([Q, Q, R], {"beta": 0.5})],
    "addmv": [([S, A, {"node": "column"}], {}), ([S, A, {"node": "column"}], {"alpha": 0.5})],
    "_cdist_forward": [([Q, R, 2.0, None], {}), ([Q, R, 1, None], {})],
    "_euclidean_dist": [([Q, R], {})],
    "smooth_l1_loss": [([A, B, 0, 0.5], {}), ([A, B], {}), ([A, B, 2, 1], {})],
    "huber_loss": [([A, B, 0, 0.5], {}), ([A, B, 1, {"constant": "w"}], {})],
    "binary_cross_entropy": [([{"node": "share"}, {"node": "share"}, None, 0], {}), ([{"node": "share"}] * 3, {})],
    "mse_loss": [([A, B, 0], {}), ([A, B, 2], {})],
    "select.int": [([A, 1, 0], {}), ([Q, -1, -1], {}), ([Q, -2, 1], {}), ([Q, 0, 0], {})],
    "slice.Tensor": [([A, 1, 0, 2], {}), ([A, 1, -2, None], {}), ([Q, -1, 0, 3, 2], {}), ([A], {}), ([A, 0, 1], {})],
    "unsqueeze": [([A, -1], {}), ([S, 1], {})],
    "squeeze.dim": [([{"node": "wide"}, -1], {})],
    "squeeze.dims": [([{"node": "wide"}, [-1]], {}), ([{"node": "wide"}, [1, 2]], {})],
    "view": [([A, [N, 3, 1]], {}), ([Q, [{"batch": 9}]], {}), ([Q, [-1]], {})],
    "permute": [([Q, [0, 2, 1]], {}), ([{"node": "single"}, []], {})],
    "transpose.int": [([Q, 1, -1], {})],
    "expand": [([{"node": "wide"}, [N, 3, 2]], {}), ([{"node": "wide"}, [-1, -1, 2]], {})],
    "cat": [([[A, B], -1], {}), ([[A, A]], {})],
    "stack": [([[A, B], -1], {}), ([[A, B]], {})],
    "unbind.int": [([A, 1], {}), ([Q, -1], {})],
    "split.Tensor": [([A, 2, 1], {}), ([Q, 1, -1], {})],
    "split_with_sizes": [([A, [1, 2], -1], {}), ([Q, [2, 1], 1], {})],
    "flip": [([A, [-1]], {}), ([Q, [1, 2]], {}), ([A, []], {})],
    "roll": [([A, [1], [-1]], {}), ([A, [2]], {}), ([Q, [1, 2], [1, 2]], {})],
    "repeat": [([A, [1, 2]], {}), ([A, [2, 1, 1]], {})],
    "diagonal": [([Q, 0, 1, 2], {}), ([Q, 1, -2, -1], {})],
    "tril": [([Q], {}), ([Q, -1], {})],
    "triu": [([Q, 1], {})],
    "select_scatter": [([A, S, 1, 0], {})],
    "slice_scatter": [
        ([A, A, 1], {}),
        ([A, {"node": "wide2"}, 1, 0, 2, 2], {}),
        ([A, {"node": "wide2"}, 1, 2, None], {}),
    ],
    "constant_pad_nd": [([A, [1, 1]], {}), ([A, [0, 2], 0.5], {})],
    "_to_copy": [([M], {"dtype": {"dtype": key}}) for key in ("float32", "float64", "float16", "int64", "int16")]
    + [([A], {"dtype": BOOL}), ([A], {"dtype": {"dtype": "int32"}}), ([A], {})],
    "full": [
        ([[N], 0.5], {"dtype": FLOAT}),
        ([[N, 3], 2], {"dtype": SHORT}),
        ([[], True], {"dtype": BOOL}),
        ([[2], 1.0], {}),
    ],
    "full_like": [([A, 0.5], {}), ([A, 2], {"dtype": SHORT})],
    "zeros": [([[N]], {"dtype": FLOAT}), ([[{"batch": 2}, 3]], {"dtype": BOOL}), ([[]], {}), ([[N, 0]], {})],
    "zeros_like": [([A], {}), ([A], {"dtype": BOOL})],
    "ones": [([[N]], {"dtype": FLOAT}), ([[2, 3]], {})],
    "ones_like": [([A], {}), ([A], {"dtype": SHORT})],
    "scalar_tensor": [
        ([0.1], {"dtype": FLOAT}),
        ([0.1], {"dtype": DOUBLE}),
        ([3], {}),
        ([True], {"dtype": BOOL}),
    ],
    "eye": [([3], {"dtype": FLOAT})],
    "eye.m": [([2, 3], {"dtype": SHORT})],
    "arange": [([3], {"dtype": FLOAT}), ([2.5], {}), ([4], {})],
    "arange.start": [([1, 4], {}), ([0.5, 3], {"dtype": FLOAT})],
    "arange.start_step": [([0, 4, 2], {"dtype": FLOAT}), ([1.0, 0.0, -0.25], {})],
    "linspace": [([0.0, 1, 5], {"dtype": FLOAT})],
    "tensor": [
        ([[0.1, 2, INFINITE, -0.0], [4]], {"dtype": FLOAT}),
        ([[0.1, 1e300], [2]], {"dtype": DOUBLE}),
        ([[1, 2, 3, 4, 5, 6], [2, 3]], {"dtype": {"dtype": "int64"}}),
        ([[True, False], [2, 1]], {"dtype": BOOL}),
        ([[0.1], []], {"dtype": FLOAT}),
        ([[], [0, 3]], {"dtype": FLOAT}),
    ],
}
BOOLEAN = {"logical_and", "logical_or", "logical_xor", "logical_not"}
HELPERS = {
    "square": {"op": "select.int", "args": [Q, 0, 0]},
    "column": {"op": "tensor", "args": [[0.5, -1.0, 2.0], [3]], "kwargs": {"dtype": FLOAT}},
    "wide": {"op": "slice.Tensor", "args": [{"node": 4}, 1, 0, 1]},
    "unsqueezed": {"op": "unsqueeze", "args": [A, -1]},
    "single": {"op": "select.int", "args": [S, 0, 0]},
    "share": {"op": "sigmoid", "args": [A]},
    "wide2": {"op": "slice.Tensor", "args": [B, 1, 0, 1]},
}
#: TorchScript runs it as a product and a sum, which round apart.
FUSED = {"addmm"}
ORDER = ["share", "square", "column", "single", "unsqueezed", "wide", "wide2"]


def cases() -> list:
    found = []
    for op in [*OPS, "tensor"]:
        defaults = []
        if op in OPS:
            kinds = [p.kind for p in OPS[op].parameters if p.required]
            assert op in ARGUMENTS or set(kinds) <= {"Tensor", "number"}, f"give arguments for {op}"
            source = [M, M, M] if op in BOOLEAN else [A, B, C]
            if op.startswith(("masked_fill", "where")):
                source = [A, M, S_SCALAR]
            defaults = [([source[k] if kind == "Tensor" else 0.5 for k, kind in enumerate(kinds)], {})]
            defaults = [(args if op != "t" else [A], kwargs) for args, kwargs in defaults]
        for number, (args, kwargs) in enumerate(ARGUMENTS.get(op, defaults)):
            found.append(pytest.param(op, args, kwargs, id=f"{op}-{number}"))
    return found


S_SCALAR = {"node": "single"}
INDEX = {name: index for index, name in enumerate(ORDER)}


def resolved(argument):
    """Arguments with the helpers' names replaced by their numbers."""
    if isinstance(argument, list):
        return [resolved(element) for element in argument]
    if isinstance(argument, dict) and isinstance(argument.get("node"), str):
        return {"node": INDEX[argument["node"]]}
    return argument


def outputs(op: str, args: list) -> int:
    """How many values an operation gives."""
    if op == "unbind.int":
        return 3
    if op == "split.Tensor":
        return -(-3 // args[1])
    if op == "split_with_sizes":
        return len(args[1])
    return 1 if op == "tensor" else OPS[op].outputs or 1


@pytest.mark.parametrize(("op", "args", "kwargs"), cases())
def test_operation(op, args, kwargs, tmp_path):
    nodes = [HELPERS[name] for name in ORDER]
    nodes.append({"op": op, "args": resolved(args), "kwargs": {key: resolved(value) for key, value in kwargs.items()}})
    count, index = outputs(op, args), len(nodes) - 1
    several = op != "tensor" and OPS[op].outputs != 1
    values = {f"result {k}": {"node": index, "item": k} if several else {"node": index} for k in range(count)}
    text = graph(nodes, values, constants={"w": 0.3, "k": 2})
    written = export(text)
    assert max(map(len, written.splitlines())) <= 100
    assert_same(text, load(written, tmp_path), [batch(3, seed=1)], exact=op not in FUSED)
