"""Writes each operation of a reward graph as ordinary torch code that TorchScript also accepts.

Operations with a customary operator, method or function are written with it; the others as `torch.<name>(...)`, or as
`torch.ops.aten.<name>(...)` if torch has no such function. Every spelling calls the operation of the graph itself,
so that its values are bitwise the same.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from eureka.reward.export.syntax import attribute, call, dotted, name, number, sequence
from eureka.reward.graph.format import Argument, ConstantRef, DType, Node
from eureka.reward.graph.operations import OPS, Operation, OperationParameter, Written

_POSITIONAL = frozenset({"unsqueeze", "squeeze", "transpose", "eye"})
_CASTS = {"float32": "float", "float64": "double", "float16": "half", "int64": "long", "int32": "int"}
_LOSS_REDUCTIONS = ("none", "mean", "sum")
_NOT_KEYWORDS = frozenset({"Tensor", "number", "float"})
Value = Callable[[Argument], ast.expr]


@dataclass(frozen=True)
class TorchCall:
    """One operation with its arguments by name.

    `value` writes a tensor, a constant or the number of environments; `device` is the expression of the device,
    `dtype` the type of the first result.
    """

    op: str
    given: Mapping[str, Argument]
    value: Value
    device: ast.expr
    dtype: str

    @property
    def operation(self) -> Operation:
        """The operation's entry in the table."""
        return OPS[self.op]

    def __getitem__(self, key: str) -> ast.expr:
        parameter = next(p for p in self.operation.parameters if p.name == key)
        return self._write(parameter, self.given[key])

    def _write(self, parameter: OperationParameter, argument: Argument) -> ast.expr:
        if isinstance(argument, tuple):
            if not argument:
                return dotted_call("torch.jit.annotate", _INT_LIST, sequence([]))
            return sequence([self._write(parameter, element) for element in argument])
        if isinstance(argument, DType):
            return dotted(f"torch.{argument.name}")
        if argument is None or isinstance(argument, str):
            return ast.Constant(argument)
        if parameter.kind == "float":
            if isinstance(argument, ConstantRef):
                return call(name("float"), self.value(argument))
            return number(float(argument)) if isinstance(argument, int) else self.value(argument)
        if parameter.kind == "Tensor" and isinstance(argument, bool):
            # TorchScript treats a bare `True` as the integer 1, which would turn masks into integers.
            return _scalar(number(argument), "bool", self.device)
        return self.value(argument)


_INT_LIST = ast.Subscript(name("List"), name("int"), ast.Load())


def dotted_call(path: str, *args: ast.expr, **keywords: ast.expr) -> ast.Call:
    """`torch.full(a, key=b)` for `dotted_call("torch.full", a, key=b)`."""
    return call(dotted(path), *args, **keywords)


def expression(call_: TorchCall) -> ast.expr:
    """The operation as an expression; if it has several results, of all of them, see `selections.result`."""
    writer = _WRITERS.get(call_.operation.written)
    written = writer(call_) if writer else None
    return _generic(call_) if written is None else written


# ---------------------------------------------------------------------------------------------- the common forms


def _generic(call_: TorchCall) -> ast.expr:
    """`torch.name(tensors and numbers, key=other)`, or the same as a method of the first tensor."""
    operation = call_.operation
    path = f"torch.{operation.base}" if operation.written is Written.OPERATOR else operation.spelling
    if path.startswith("torch.") and not path.startswith("torch.linalg.") and not _public(path[6:]):
        return _aten(call_)
    args, keywords = _arguments(call_)
    if call_.operation.takes_device:
        keywords |= {"dtype": dotted(f"torch.{call_.dtype}"), "device": call_.device}
    if call_.operation.written in (Written.METHOD, Written.CLAMP, Written.DEVIATION):
        return call(attribute(args[0], call_.operation.base), *args[1:], **keywords)
    return dotted_call(path, *args, **keywords)


def _public(function: str) -> bool:
    return not function.startswith("_") and hasattr(torch, function)


def _arguments(call_: TorchCall) -> tuple[list[ast.expr], dict[str, ast.expr]]:
    """Tensors and numbers by position, everything else (and everything after an absent one) by keyword."""
    args: list[ast.expr] = []
    keywords: dict[str, ast.expr] = {}
    named = False
    for parameter in call_.operation.parameters:
        if call_.given.get(parameter.name) is None:
            named = True
            continue
        value = call_[parameter.name]
        if parameter.name == "dim" and isinstance(value, ast.List):
            value = value.elts[0] if len(value.elts) == 1 else ast.Tuple(value.elts, ast.Load())
        plain = parameter.kind in _NOT_KEYWORDS or call_.operation.base in _POSITIONAL
        if plain and not parameter.keyword_only and not named:
            args.append(value)
            continue
        if parameter.name == "keepdim" and call_.given["keepdim"] is False:
            continue
        keywords[parameter.name] = value
        named = True
    return args, keywords


def _aten(call_: TorchCall) -> ast.expr:
    """`torch.ops.aten.name(...)`, for operations without a function of their own."""
    keywords = {p.name: call_[p.name] for p in call_.operation.parameters if p.keyword_only and p.name in call_.given}
    args = [call_[p.name] for p in call_.operation.parameters if not p.keyword_only and p.name in call_.given]
    return dotted_call(f"torch.ops.aten.{call_.operation.base}", *args, **keywords)


# ---------------------------------------------------------------------------------------------- particular forms


def is_scalar(argument: Argument) -> bool:
    """Whether an argument is a plain number or a constant."""
    return isinstance(argument, int | float | ConstantRef) and not isinstance(argument, bool)


def _operator(call_: TorchCall) -> ast.expr | None:
    if call_.given.get("alpha", 1) != 1:
        return None
    symbol = call_.operation.spelling
    left, right, *_ = [*(p.name for p in call_.operation.parameters), ""]
    if not right:
        return ast.UnaryOp(ast.USub() if symbol == "-" else ast.Invert(), call_[left])
    # By convention the weight is written first; multiplication is commutative bitwise.
    if symbol == "*" and is_scalar(call_.given[right]):
        left, right = right, left
    form = ast.parse(f"a {symbol} b", mode="eval").body
    if isinstance(form, ast.Compare):
        return ast.Compare(call_[left], form.ops, [call_[right]])
    assert isinstance(form, ast.BinOp)
    return ast.BinOp(call_[left], form.op, call_[right])


def _reversed(call_: TorchCall) -> ast.expr | None:
    if call_.given.get("alpha", 1) != 1:
        return None
    return ast.BinOp(call_["other"], ast.Sub(), call_["self"])


def _cast(call_: TorchCall) -> ast.expr:
    dtype = call_.given.get("dtype")
    if not isinstance(dtype, DType):
        return call_["self"]
    if dtype.name in _CASTS:
        return call(attribute(call_["self"], _CASTS[dtype.name]))
    return call(attribute(call_["self"], "to"), call_["dtype"])


def _sizes(argument: ast.expr) -> list[ast.expr]:
    """A list of sizes as separate arguments; one that cannot be spread is kept."""
    return argument.elts if isinstance(argument, ast.List) and argument.elts else [argument]


def _spread(call_: TorchCall) -> ast.expr:
    function = "reshape" if call_.op == "view" else call_.op
    key = call_.operation.parameters[1].name
    return call(attribute(call_["self"], function), *_sizes(call_[key]))


def _filled(call_: TorchCall) -> ast.expr:
    """`full`, `zeros`, `ones`: the size as one integer or a tuple."""
    size = call_["size"]
    if isinstance(size, ast.List):
        size = ast.Tuple(size.elts, ast.Load()) if len(size.elts) > 1 or call_.op == "full" else size.elts[0]
    value = [call_["fill_value"]] if call_.op == "full" else []
    return dotted_call(
        f"torch.{call_.operation.base}", size, *value, dtype=dotted(f"torch.{call_.dtype}"), device=call_.device
    )


def _scalar_tensor(call_: TorchCall) -> ast.expr:
    return _scalar(call_["s"], call_.dtype, call_.device)


def _scalar(value: ast.expr, dtype: str, device: ast.expr) -> ast.expr:
    return dotted_call("torch.scalar_tensor", value, dtype=dotted(f"torch.{dtype}"), device=device)


def _clamp(call_: TorchCall) -> ast.expr | None:
    if call_.given.get("max") is not None or call_.given.get("min") is None:
        return None
    return call(attribute(call_["self"], "clamp"), min=call_["min"])


def _vector_norm(call_: TorchCall) -> ast.expr | None:
    if call_.given.get("ord", 2) != 2:
        return None
    given = {key: value for key, value in call_.given.items() if key != "ord"}
    return _generic(TorchCall(call_.op, given, call_.value, call_.device, call_.dtype))


def _softmax(call_: TorchCall) -> ast.expr:
    if call_.given["half_to_float"]:
        return _aten(call_)
    return dotted_call(call_.operation.spelling, call_["self"], dim=call_["dim"])


def _elu(call_: TorchCall) -> ast.expr | None:
    plain = all(call_.given.get(key, 1) == 1 for key in ("scale", "input_scale"))
    if not plain:
        return _aten(call_)
    return dotted_call("F.elu", call_["self"], *([call_["alpha"]] if "alpha" in call_.given else []))


def _loss(call_: TorchCall) -> ast.expr | None:
    reduction = call_.given.get("reduction", 1)
    assert isinstance(reduction, int)
    keywords = {key: call_[key] for key in ("weight", "beta", "delta") if call_.given.get(key) is not None}
    tensors = (call_["self"], call_["target"])
    return dotted_call(
        call_.operation.spelling, *tensors, reduction=ast.Constant(_LOSS_REDUCTIONS[reduction]), **keywords
    )


def _standard_deviation(call_: TorchCall) -> ast.expr | None:
    """`std` and `var`: TorchScript distinguishes their forms by the keyword `correction`."""
    if call_.given.get("correction", 1) in (1, None):
        given = {key: value for key, value in call_.given.items() if key != "correction"} | {"correction": 1}
        return _generic(TorchCall(call_.op, given, call_.value, call_.device, call_.dtype))
    return None


_WRITERS: dict[Written, Callable[[TorchCall], ast.expr | None]] = {
    Written.ATEN: _aten,
    Written.OPERATOR: _operator,
    Written.REVERSED: _reversed,
    Written.SIZES: _spread,
    Written.FILLED: _filled,
    Written.SCALAR: _scalar_tensor,
    Written.CAST: _cast,
    Written.CLAMP: _clamp,
    Written.NORM: _vector_norm,
    Written.SOFTMAX: _softmax,
    Written.ELU: _elu,
    Written.LOSS: _loss,
    Written.DEVIATION: _standard_deviation,
}
"""Writers of operations that are not plain calls of a function or a method; if a writer returns None, a plain call is
written."""


def literal_tensor(node: Node, device: ast.expr) -> ast.expr:
    """A literal tensor as nested lists of numbers."""
    values, shape = node.args
    dtype = dict(node.kwargs)["dtype"]
    assert isinstance(values, tuple)
    assert isinstance(shape, tuple)
    assert isinstance(dtype, DType)
    keywords = {"dtype": dotted(f"torch.{dtype.name}"), "device": device}
    if not shape:
        value = values[0]
        assert isinstance(value, int | float)
        return _scalar(number(value), dtype.name, device)
    if not values:
        return dotted_call("torch.zeros", sequence([number(s) for s in shape if isinstance(s, int)]), **keywords)
    floating = dtype.name.startswith(("float", "bfloat"))
    numbers = [float(v) if floating else v for v in values if isinstance(v, int | float)]
    elements: list[ast.expr] = [number(v) for v in numbers]
    if floating and dtype.name != "float32" and any(_rounded(v) != v for v in numbers):
        # TorchScript rounds the numbers of a list to float32 first.
        scalars = sequence([_scalar(element, dtype.name, device) for element in elements])
        sizes = [number(s) for s in shape if isinstance(s, int)]
        return call(attribute(dotted_call("torch.stack", scalars), "reshape"), *sizes)
    for size in reversed([s for s in shape if isinstance(s, int)]):
        elements = [sequence(elements[start : start + size]) for start in range(0, len(elements), size)]
    return dotted_call("torch.tensor", elements[0], **keywords)


def _rounded(value: float) -> float:
    return torch.tensor(value, dtype=torch.float32).item()
