"""Each entry of the table computes what torch's own overload of that name does, called as a graph calls it."""

import pytest
import torch

from eureka.reward.graph.operations import OPS

MATRIX = torch.linspace(-0.9, 0.8, 12).reshape(3, 4)
BATCHED = torch.linspace(-1.0, 1.0, 24).reshape(2, 3, 4)
POSITIVE = MATRIX.abs() + 0.1
INTEGERS = torch.arange(12).reshape(3, 4)
MASK = MATRIX > 0
VECTOR = torch.linspace(0.1, 1.0, 4)
FLOAT64 = {"dtype": torch.float64}

#: Arguments for operations that are not plain functions of one or two tensors.
ARGUMENTS = {
    "add.Tensor": ((MATRIX, 0.5), {"alpha": 2}),
    "sub.Tensor": ((MATRIX, POSITIVE), {"alpha": 2}),
    "rsub.Scalar": ((MATRIX, 1.0), {}),
    "rsub.Tensor": ((MATRIX, POSITIVE), {}),
    "div.Tensor_mode": ((MATRIX, 0.3), {"rounding_mode": "floor"}),
    "pow.Tensor_Scalar": ((MATRIX, 2), {}),
    "pow.Tensor_Tensor": ((POSITIVE, MATRIX), {}),
    "pow.Scalar": ((2.0, MATRIX), {}),
    "gelu": ((MATRIX,), {"approximate": "tanh"}),
    "leaky_relu": ((MATRIX, 0.2), {}),
    "elu": ((MATRIX, 1.5), {}),
    "softplus": ((MATRIX, 2.0, 10.0), {}),
    "hardtanh": ((MATRIX, -0.5, 0.5), {}),
    "threshold": ((MATRIX, 0.1, -1.0), {}),
    "round.decimals": ((MATRIX,), {"decimals": 1}),
    "fmod.Scalar": ((MATRIX, 0.3), {}),
    "remainder.Scalar": ((MATRIX, 0.3), {}),
    "clamp": ((MATRIX, None, 0.5), {}),
    "clamp.Tensor": ((MATRIX, None, POSITIVE), {}),
    "clamp_min": ((MATRIX, 0.1), {}),
    "clamp_max": ((MATRIX, 0.1), {}),
    "lerp.Scalar": ((MATRIX, POSITIVE, 0.3), {}),
    "lerp.Tensor": ((MATRIX, POSITIVE, POSITIVE), {}),
    "addcmul": ((MATRIX, POSITIVE, POSITIVE), {"value": 0.5}),
    "addcdiv": ((MATRIX, POSITIVE, POSITIVE), {"value": 0.5}),
    "where.self": ((MASK, MATRIX, POSITIVE), {}),
    "masked_fill.Scalar": ((MATRIX, MASK, 2.0), {}),
    "masked_fill.Tensor": ((MATRIX, MASK, torch.tensor(2.0)), {}),
    "bitwise_and.Tensor": ((INTEGERS, INTEGERS + 1), {}),
    "bitwise_or.Tensor": ((MASK, ~MASK), {}),
    "bitwise_xor.Tensor": ((MASK, MASK), {}),
    "bitwise_not": ((MASK,), {}),
    "nan_to_num": ((MATRIX / MATRIX.floor(), 0.5, 1.0, None), {}),
    "sum": ((MASK,), {"dtype": torch.float32}),
    "sum.dim_IntList": ((MATRIX, [1], True), FLOAT64),
    "mean.dim": ((MATRIX, [-1], True), {}),
    "prod.dim_int": ((MATRIX, 1, True), {}),
    "any.dims": ((MASK, [0, 1], True), {}),
    "all.dims": ((MASK, [1]), {}),
    "argmax": ((MATRIX, 1, True), {}),
    "std.correction": ((MATRIX, [1]), {"correction": 0, "keepdim": True}),
    "var.correction": ((MATRIX, [1]), {"correction": 1.0}),
    "std_mean.correction": ((MATRIX, [1]), {"correction": 0}),
    "var_mean.correction": ((MATRIX, [1]), {"keepdim": True}),
    "binary_cross_entropy": ((POSITIVE / 2, POSITIVE / 2, None, 0), {}),
    "linalg_vector_norm": ((MATRIX, 2, [-1], True), {}),
    "nansum": ((MATRIX, [1]), {}),
    "logsumexp": ((MATRIX, [1], True), {}),
    "topk": ((MATRIX, 2, -1), {}),
    "sort": ((MATRIX, 1, True), {}),
    "_softmax": ((MATRIX, 1, False), {}),
    "_log_softmax": ((MATRIX, 1, False), {}),
    "count_nonzero.dim_IntList": ((INTEGERS, [1]), {}),
    "linalg_cross": ((MATRIX[:, :3], POSITIVE[:, :3]), {"dim": -1}),
    "bmm": ((BATCHED, BATCHED.transpose(1, 2)), {}),
    "mm": ((MATRIX, MATRIX.T), {}),
    "mv": ((MATRIX, VECTOR), {}),
    "dot": ((VECTOR, VECTOR), {}),
    "addmm": ((torch.ones(3), MATRIX, MATRIX.T), {"beta": 2, "alpha": 0.5}),
    "baddbmm": ((torch.ones(3), BATCHED, BATCHED.transpose(1, 2)), {}),
    "addmv": ((torch.ones(3), MATRIX, VECTOR), {}),
    "_cdist_forward": ((BATCHED, BATCHED, 2.0, None), {}),
    "smooth_l1_loss": ((MATRIX, POSITIVE, 0, 0.5), {}),
    "huber_loss": ((MATRIX, POSITIVE, 0, 0.5), {}),
    "mse_loss": ((MATRIX, POSITIVE, 0), {}),
    "select.int": ((MATRIX, 1, 2), {}),
    "slice.Tensor": ((MATRIX, 1, 0, None, 2), {}),
    "squeeze.dim": ((MATRIX[:, :1], 1), {}),
    "squeeze.dims": ((MATRIX[:, :1], [1]), {}),
    "unsqueeze": ((MATRIX, 1), {}),
    "view": ((MATRIX, [-1, 2]), {}),
    "permute": ((BATCHED, [2, 0, 1]), {}),
    "transpose.int": ((MATRIX, 0, 1), {}),
    "expand": ((VECTOR, [3, -1]), {}),
    "cat": (([MATRIX, POSITIVE], 1), {}),
    "stack": (([MATRIX, POSITIVE], -1), {}),
    "split.Tensor": ((MATRIX, 2, 1), {}),
    "split_with_sizes": ((MATRIX, [1, 3], 1), {}),
    "flip": ((MATRIX, [1]), {}),
    "roll": ((MATRIX, [1], [1]), {}),
    "repeat": ((VECTOR, [3, 2]), {}),
    "diagonal": ((BATCHED, 0, -2, -1), {}),
    "select_scatter": ((MATRIX, torch.ones(3), 1, 2), {}),
    "slice_scatter": ((MATRIX, torch.ones(3, 2), 1, 2, None), {}),
    "constant_pad_nd": ((MATRIX, [1, 1], 0.5), {}),
    "_to_copy": ((MATRIX,), FLOAT64),
    "full": (([2, 3], 0.5), {"dtype": torch.float32}),
    "full_like": ((MATRIX, 0.5), FLOAT64),
    "zeros": (([2],), FLOAT64),
    "zeros_like": ((MATRIX,), FLOAT64),
    "ones": (([2],), {"dtype": torch.bool}),
    "scalar_tensor": ((0.5,), FLOAT64),
    "eye": ((3,), {}),
    "eye.m": ((3, 4), {}),
    "arange": ((5,), {"dtype": torch.float32}),
    "arange.start": ((1, 5), {}),
    "arange.start_step": ((1, 5, 2), {}),
    "linspace": ((0.0, 1.0, 5), {}),
}
UNARY_POSITIVE = {"log", "log2", "log10", "sqrt", "rsqrt", "acosh", "logit"}


def arguments(name):
    if name in ARGUMENTS:
        return ARGUMENTS[name]
    tensors = [p for p in OPS[name].parameters if p.kind == "Tensor" and not p.optional]
    if name == "acosh":
        return (POSITIVE + 1.0,), {}
    if name in UNARY_POSITIVE:
        return (POSITIVE / 2.0,), {}
    extra = [p for p in OPS[name].parameters if p.required and p.kind != "Tensor"]
    values = {"int": 1, "number": 0.1}
    return (*[MATRIX, POSITIVE][: len(tensors)], *(values[p.kind] for p in extra)), {}


@pytest.mark.parametrize("name", sorted(OPS))
def test_function_is_the_overload(name):
    base, _, overload = name.partition(".")
    target = getattr(getattr(torch.ops.aten, base), overload or "default")
    args, kwargs = arguments(name)
    got = OPS[name].function(*args, **kwargs)
    want = target(*args, **kwargs)
    several = isinstance(want, tuple | list)
    assert OPS[name].outputs == (1 if not several else None if isinstance(want, list) else len(want))
    for a, b in zip(got if several else [got], want if several else [want], strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        assert torch.allclose(a, b, rtol=0.0, atol=0.0, equal_nan=True)
