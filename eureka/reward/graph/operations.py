"""The operations of a reward graph: one table, used by all other modules.

A graph may use the operations of this table and no others. All are pure functions of their arguments: none draws
random numbers, writes in place, reads files or memory, indexes by computed integers, or raises for some values of its
tensors (`divides` marks the exceptions, divisions of integers, which `shapes` restricts). Parameters, their types and
the number of results come from torch's own schema of the operation, shapes and types of results from torch's meta
kernels; what torch does not say is declared in `_GROUPS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, NamedTuple

import torch

DTYPES = {
    name: getattr(torch, name)
    for name in ("float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")
}
CHEAP, COSTLY, SORTING = 1, 8, 64
"""Costs per element of the largest tensor, in approximate nanoseconds of one core: upper bounds that cover slow
kernels."""
STRING_ARGUMENTS = frozenset({"floor", "trunc", "none", "tanh"})
"""All text arguments of operations: rounding modes, approximations."""


class RowRule(Enum):
    """The dimensions along which an operation combines, moves or numbers elements. None of them may be the batch
    dimension.

    An operation that works along the batch dimension would make a reward depend on the other environments, or on the
    place of an environment among them. `eureka.reward.graph.rows` applies the rules.
    """

    NONE = auto()
    """Each element, with broadcasting; or dimensions are added, exchanged or removed without moving elements."""
    DIMS = auto()
    """Along the dimensions that its `dim` or `dims` names; along all where it names none."""
    PART = auto()
    """Takes or writes a part of `dim`; along none where the part is the whole."""
    LAST_TWO = auto()
    """Along the last two dimensions."""
    DIAGONAL = auto()
    """Along `dim1` and `dim2`."""
    CONTRACTION = auto()
    """Sums over the last dimension of the first of its two factors."""
    PADDING = auto()
    """Along the dimensions whose `pad` is not zero."""
    REPETITION = auto()
    """Along the dimensions whose number of `repeats` is not one."""
    RESHAPE = auto()
    """Keeps the elements of an environment together only where as many elements stand before the batch dimension."""
    LOSS = auto()
    """Along all dimensions, or none where `reduction` is 0."""


class Written(Enum):
    """How an operation is written in exported code; `export.operations` has a writer for each."""

    FUNCTION = auto()
    """`torch.name(x, y, key=z)`, or by the operation's `spelling`; `torch.ops.aten.name` where there is none."""
    METHOD = auto()
    """`x.name(y, key=z)`."""
    ATEN = auto()
    """`torch.ops.aten.name(x, y, key=z)`."""
    OPERATOR = auto()
    """`x + y`, `-x` with the operator that is its `spelling`."""
    REVERSED = auto()
    """`y - x`."""
    SIZES = auto()
    """`x.name(2, 3)`."""
    FILLED = auto()
    """`torch.name(size, value, dtype=..., device=...)`."""
    SCALAR = auto()
    CAST = auto()
    CLAMP = auto()
    NORM = auto()
    SOFTMAX = auto()
    ELU = auto()
    LOSS = auto()
    DEVIATION = auto()


class OperationParameter(NamedTuple):
    """One declared parameter: `kind` is the schema's type without `Optional`/`List` (`Tensor`, `int`, `number`,
    ...)."""

    name: str
    kind: str
    optional: bool
    is_list: bool
    keyword_only: bool
    required: bool
    default: Any


@dataclass(frozen=True)
class Operation:
    """One operation: the called function, its parameters and results, and properties used by checks, tracing and
    export.

    Attributes:
        outputs: number of result tensors; None if that depends on the arguments.
        work: `CHEAP`, `COSTLY` or `SORTING`; a contraction is counted by its multiplications.
        takes_number: its second tensor may be a plain number, as in `tensor * 0.5`.
        divides: it divides; with integers and a divisor of 0 or -1 this can end the process (SIGFPE).
        selects: it only selects a part of its operand, so that exported code may write it at each use.
        takes_device: it makes a tensor from numbers alone, so that a device must be given.
        fill: for an operation whose result has one value everywhere, that number or the parameter that holds it.
        result_names: names of its results in torch, if they have names.
    """

    name: str
    function: Callable[..., Any]
    parameters: tuple[OperationParameter, ...]
    outputs: int | None
    work: int
    rows: RowRule
    takes_number: bool
    divides: bool
    selects: bool
    written: Written
    spelling: str
    fill: float | str | None
    result_names: tuple[str, ...]

    @property
    def base(self) -> str:
        """The name without its overload."""
        return self.name.partition(".")[0]

    @property
    def takes_device(self) -> bool:
        return all(parameter.kind != "Tensor" for parameter in self.parameters)

    def named(self, args: Sequence[Any], kwargs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        """The arguments by name of the parameters."""
        positional = (parameter.name for parameter in self.parameters if not parameter.keyword_only)
        return dict(zip(positional, args, strict=False)) | dict(kwargs)


@dataclass(frozen=True)
class _Group:
    """A group of similar operations: names in torch's `aten` library, some with their spelling in exported code."""

    names: str
    work: int = CHEAP
    rows: RowRule = RowRule.NONE
    written: Written = Written.FUNCTION
    takes_number: bool = False
    divides: bool = False
    selects: bool = False
    fill: float | str | None = None
    result_names: tuple[str, ...] = ()

    def operations(self) -> Iterator[Operation]:
        for entry in self.names.split():
            name, _, spelling = entry.partition(":")
            base, _, overload = name.partition(".")
            target = getattr(getattr(torch.ops.aten, base, None), overload or "default", None)
            # The available operations differ slightly between torch releases.
            if target is None:
                continue
            returned = [str(value.type) for value in target._schema.returns]
            yield Operation(
                name,
                _function(base, target),
                tuple(_parameters(target)),
                1 if returned == ["Tensor"] else len(returned) if len(returned) > 1 else None,
                self.work,
                self.rows,
                self.takes_number,
                self.divides,
                self.selects,
                self.written,
                spelling or f"torch.{base}",
                self.fill,
                self.result_names,
            )


_GROUPS = (
    # ---- each element by itself
    _Group("add.Tensor:+ sub.Tensor:- mul.Tensor:* div.Tensor:/", takes_number=True, written=Written.OPERATOR),
    _Group(
        "bitwise_and.Tensor:& bitwise_or.Tensor:| bitwise_xor.Tensor:^", takes_number=True, written=Written.OPERATOR
    ),
    _Group("gt.Scalar:> gt.Tensor:> ge.Scalar:>= ge.Tensor:>= lt.Scalar:< lt.Tensor:<", written=Written.OPERATOR),
    _Group("le.Scalar:<= le.Tensor:<= eq.Scalar:== eq.Tensor:== ne.Scalar:!= ne.Tensor:!=", written=Written.OPERATOR),
    _Group("neg:- bitwise_not:~", written=Written.OPERATOR),
    _Group("pow.Tensor_Scalar:** pow.Tensor_Tensor:** pow.Scalar:**", COSTLY, written=Written.OPERATOR),
    _Group("rsub.Scalar", written=Written.REVERSED),
    _Group("rsub.Tensor", written=Written.REVERSED, takes_number=True),
    _Group("floor_divide://", COSTLY, written=Written.OPERATOR, takes_number=True, divides=True),
    _Group("remainder.Tensor:%", COSTLY, written=Written.OPERATOR, takes_number=True, divides=True),
    _Group("remainder.Scalar:%", COSTLY, written=Written.OPERATOR, divides=True),
    _Group("div.Tensor_mode", takes_number=True, divides=True),
    _Group("fmod.Tensor", COSTLY, takes_number=True, divides=True),
    _Group("fmod.Scalar", COSTLY, divides=True),
    _Group("sign relu maximum minimum fmax fmin where.self logical_and logical_or logical_xor logical_not isnan isinf"),
    _Group("clamp_min clamp_min.Tensor clamp_max clamp_max.Tensor"),
    _Group("abs masked_fill.Scalar masked_fill.Tensor", written=Written.METHOD),
    _Group("clamp clamp.Tensor", written=Written.CLAMP),
    _Group(
        "sgn exp exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal sin cos tan asin acos atan atan2 sinh cosh tanh "
        "asinh acosh atanh sigmoid deg2rad rad2deg logaddexp logit copysign.Tensor log_sigmoid_forward floor ceil "
        "round round.decimals trunc frac erf erfc hypot sinc heaviside lerp.Scalar lerp.Tensor addcmul addcdiv",
        COSTLY,
    ),
    _Group(
        "leaky_relu:F.leaky_relu gelu:F.gelu silu:F.silu softplus:F.softplus hardtanh:F.hardtanh mish:F.mish "
        "hardsigmoid:F.hardsigmoid hardswish:F.hardswish threshold:F.threshold",
        COSTLY,
    ),
    _Group("elu:F.elu", COSTLY, written=Written.ELU),
    _Group("nan_to_num", COSTLY, written=Written.METHOD),
    _Group(
        "smooth_l1_loss:F.smooth_l1_loss huber_loss:F.huber_loss mse_loss:F.mse_loss",
        COSTLY,
        RowRule.LOSS,
        Written.LOSS,
    ),
    # ---- along dimensions
    _Group("sum sum.dim_IntList mean mean.dim amax amin", CHEAP, RowRule.DIMS, Written.METHOD),
    _Group("any any.dim any.dims all all.dim all.dims", CHEAP, RowRule.DIMS, Written.METHOD),
    _Group("prod prod.dim_int argmax argmin cumsum cumprod nansum max min", COSTLY, RowRule.DIMS, Written.METHOD),
    _Group("max.dim min.dim", COSTLY, RowRule.DIMS, Written.METHOD, result_names=("values", "indices")),
    _Group("std.correction var.correction", COSTLY, RowRule.DIMS, Written.DEVIATION),
    _Group("std_mean.correction var_mean.correction logsumexp", COSTLY, RowRule.DIMS),
    _Group("count_nonzero count_nonzero.dim_IntList linalg_cross:torch.linalg.cross", COSTLY, RowRule.DIMS),
    _Group("linalg_vector_norm:torch.linalg.vector_norm", COSTLY, RowRule.DIMS, Written.NORM),
    _Group("_softmax:torch.softmax _log_softmax:torch.log_softmax", COSTLY, RowRule.DIMS, Written.SOFTMAX),
    _Group("sort topk median.dim", SORTING, RowRule.DIMS, Written.METHOD, result_names=("values", "indices")),
    _Group("bmm mm mv dot addmm baddbmm addmv _cdist_forward _euclidean_dist", CHEAP, RowRule.CONTRACTION),
    # ---- parts, places and shapes
    _Group("select.int unbind.int", CHEAP, RowRule.DIMS, selects=True),
    _Group("slice.Tensor", CHEAP, RowRule.PART, selects=True),
    _Group("split.Tensor split_with_sizes", CHEAP, RowRule.DIMS, Written.ATEN, selects=True),
    _Group("select_scatter cat flip roll", CHEAP, RowRule.DIMS),
    _Group("slice_scatter", CHEAP, RowRule.PART),
    _Group("constant_pad_nd:F.pad", CHEAP, RowRule.PADDING),
    _Group("repeat", CHEAP, RowRule.REPETITION, Written.SIZES),
    _Group("view", CHEAP, RowRule.RESHAPE, Written.SIZES),
    _Group("permute expand", CHEAP, RowRule.NONE, Written.SIZES),
    _Group("unsqueeze squeeze transpose.int t", CHEAP, RowRule.NONE, Written.METHOD),
    _Group("squeeze.dim squeeze.dims", CHEAP, RowRule.DIMS, Written.METHOD),
    _Group("stack", CHEAP),
    _Group("diagonal", CHEAP, RowRule.DIAGONAL),
    _Group("tril triu", COSTLY, RowRule.LAST_TWO),
    _Group("_to_copy", CHEAP, written=Written.CAST),
    # ---- new tensors
    _Group("full", written=Written.FILLED, fill="fill_value"),
    _Group("zeros", written=Written.FILLED, fill=0.0),
    _Group("ones", written=Written.FILLED, fill=1.0),
    _Group("full_like", fill="fill_value"),
    _Group("zeros_like", fill=0.0),
    _Group("ones_like", fill=1.0),
    _Group("scalar_tensor", written=Written.SCALAR, fill="s"),
    _Group("eye eye.m arange arange.start arange.start_step linspace", COSTLY),
)
_IGNORED = frozenset({"layout", "device", "pin_memory", "memory_format", "non_blocking", "implicit"})


def _to_copy(tensor: torch.Tensor, *, dtype: torch.dtype | None = None) -> torch.Tensor:
    return tensor if dtype is None else tensor.to(dtype)


def _expand(tensor: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    return tensor.expand(size)


# A recorded `view` is valid for the strides it was traced with; `reshape` is the same for every stride.
_FUNCTIONS: dict[str, Callable[..., Any]] = {"_to_copy": _to_copy, "expand": _expand, "view": torch.reshape}
_BINDINGS = (torch, torch._C._linalg)  # type: ignore[attr-defined]


def _function(base: str, target: Callable[..., Any]) -> Callable[..., Any]:
    """The callable of an operation: plain C bindings are microseconds faster to call than an overload."""
    bound = (getattr(place, base, None) for place in _BINDINGS)
    fast = next((function for function in bound if type(function) is type(torch.mul)), target)
    return _FUNCTIONS.get(base, fast)


def _parameters(target: Any) -> Iterator[OperationParameter]:
    for argument in target._schema.arguments:
        if argument.name in _IGNORED:
            continue
        kind = str(getattr(argument, "real_type", argument.type))
        optional = kind.startswith("Optional[")
        kind = kind[9:-1] if optional else kind
        is_list = kind.startswith("List[")
        kind = kind[5:-1] if is_list else kind
        required = not argument.has_default_value() and not (optional and argument.kwarg_only)
        default = argument.default_value if argument.has_default_value() else None
        yield OperationParameter(argument.name, kind, optional, is_list, argument.kwarg_only, required, default)


OPS: dict[str, Operation] = {operation.name: operation for group in _GROUPS for operation in group.operations()}
"""All operations that a graph may use, by name in torch's `aten` library."""
