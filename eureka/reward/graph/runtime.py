"""Reward graphs: the format, the fixed table of operations, and the compiler to straight-line torch.

This one file needs torch and the standard library only, so that it can be copied into another interpreter. A graph is
a list of pure tensor operations in JSON; whatever wrote it is not trusted: every
argument is checked against the operation's declared type, and no text of the graph is ever executed.

    {"version": 1, "inputs": ["speed"], "constants": {"weight": 0.5},
     "nodes": [{"op": "mul.Tensor", "args": [{"input": "speed"}, {"constant": "weight"}], "line": 4, "name": "run"}],
     "total": {"node": 0}, "components": [{"name": "forward", "value": {"node": 0}}]}

Arguments: JSON numbers, booleans, null and lists stand for themselves, and
`{"node": i}` is the value of an earlier node, `{"node": i, "item": k}` one of several values that it gave;
`{"input": name}` a field of the state; `{"constant": name}` a named constant, with `"negative": true` its negation;
`{"batch": k}` is k times the number of environments; `{"dtype": "bool"}` a tensor type; `{"float": "inf"}` a
non-finite number. The pseudo-operation `tensor` (values, shape, dtype) is a literal tensor.
"""

from __future__ import annotations

import json
import keyword
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch

VERSION = 1
MAX_BYTES = 1 << 20
MAX_DEPTH = 8
MAX_NODES = 2000
MAX_CONSTANTS = 512
MAX_INPUTS = 128
MAX_COMPONENTS = 64
MAX_NAME = 64
MAX_LIST = 128
MAX_TENSOR_VALUES = 4096
MAX_LINE = 100_000
MAX_INT = 2**53

DTYPES = {
    name: getattr(torch, name)
    for name in ("float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")
}


class GraphError(ValueError):
    """A graph that is malformed or that asks for what no reward may do; the text says what and at which node."""


# ---------------------------------------------------------------------------------------------- the table


class Parameter(NamedTuple):
    """One declared argument: `kind` is the schema's type without `Optional`/`List` (`Tensor`, `int`, `number`, ...)."""

    name: str
    kind: str
    optional: bool
    is_list: bool
    keyword_only: bool
    required: bool


class Operation(NamedTuple):
    """An entry of the table: what is called, what it takes, and whether it gives several tensors."""

    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    outputs: int | None
    takes_device: bool


_NAMES = """
add.Tensor sub.Tensor rsub.Scalar rsub.Tensor mul.Tensor div.Tensor div.Tensor_mode floor_divide neg abs sign sgn exp
exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal pow.Tensor_Scalar pow.Tensor_Tensor pow.Scalar sin cos tan asin
acos atan atan2 sinh cosh tanh asinh acosh atanh sigmoid relu leaky_relu elu gelu silu softplus hardtanh hardsigmoid
hardswish mish threshold deg2rad rad2deg logaddexp logit copysign.Tensor log_sigmoid_forward floor ceil round
round.decimals trunc frac fmod.Scalar fmod.Tensor remainder.Scalar remainder.Tensor erf erfc hypot sinc heaviside
maximum minimum fmax fmin clamp clamp.Tensor clamp_min clamp_min.Tensor clamp_max clamp_max.Tensor lerp.Scalar
lerp.Tensor addcmul addcdiv where.self masked_fill.Scalar masked_fill.Tensor gt.Scalar gt.Tensor ge.Scalar ge.Tensor
lt.Scalar lt.Tensor le.Scalar le.Tensor eq.Scalar eq.Tensor ne.Scalar ne.Tensor logical_and logical_or logical_xor
logical_not bitwise_and.Tensor bitwise_or.Tensor bitwise_xor.Tensor bitwise_not isnan isinf nan_to_num sum
sum.dim_IntList mean mean.dim prod prod.dim_int amax amin max max.dim min min.dim any any.dim any.dims all all.dim
all.dims argmax argmin std.correction var.correction std_mean.correction var_mean.correction linalg_vector_norm cumsum
cumprod sort topk logsumexp _softmax _log_softmax median.dim nansum count_nonzero count_nonzero.dim_IntList
linalg_cross bmm mm mv dot addmm baddbmm addmv _cdist_forward _euclidean_dist smooth_l1_loss huber_loss mse_loss
select.int slice.Tensor unsqueeze squeeze squeeze.dim squeeze.dims view permute transpose.int t
expand cat stack unbind.int split.Tensor split_with_sizes flip roll repeat diagonal tril triu select_scatter
slice_scatter constant_pad_nd _to_copy full full_like zeros zeros_like ones ones_like scalar_tensor eye eye.m arange
arange.start arange.start_step linspace
"""
_IGNORED = frozenset({"layout", "device", "pin_memory", "memory_format", "non_blocking", "implicit"})
_SIZES = frozenset({"size", "shape", "repeats"})
_STRINGS = frozenset({"floor", "trunc", "none", "tanh"})


def _to_copy(tensor: torch.Tensor, *, dtype: torch.dtype | None = None) -> torch.Tensor:
    return tensor if dtype is None else tensor.to(dtype)


def _expand(tensor: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    return tensor.expand(size)


# A recorded `view` is valid for the strides it was traced with; `reshape` is the same for every stride.
_FUNCTIONS: dict[str, Callable[..., Any]] = {"_to_copy": _to_copy, "expand": _expand, "view": torch.reshape}
_BINDINGS = (torch, torch._C._linalg)  # type: ignore[attr-defined]


def _operation(name: str) -> Operation | None:
    base, _, overload = name.partition(".")
    packet = getattr(torch.ops.aten, base, None)
    target = getattr(packet, overload or "default", None)
    if target is None:
        return None
    schema = target._schema
    parameters = []
    for argument in schema.arguments:
        if argument.name in _IGNORED:
            continue
        kind = str(getattr(argument, "real_type", argument.type))
        optional = kind.startswith("Optional[")
        kind = kind[9:-1] if optional else kind
        is_list = kind.startswith("List[")
        kind = kind[5:-1] if is_list else kind
        required = not argument.has_default_value() and not (optional and argument.kwarg_only)
        parameters.append(Parameter(argument.name, kind, optional, is_list, argument.kwarg_only, required))
    kinds = [str(value.type) for value in schema.returns]
    outputs = 1 if kinds == ["Tensor"] else len(kinds) if len(kinds) > 1 else None
    takes_device = all(p.kind != "Tensor" for p in parameters)
    # Plain C bindings are microseconds faster to call than an overload.
    bound = (getattr(place, base, None) for place in _BINDINGS)
    fast = next((function for function in bound if type(function) is type(torch.mul)), target)
    function = _FUNCTIONS.get(base, fast)
    return Operation(function, tuple(parameters), outputs, takes_device)


#: Every operation that a graph may use, by its name in torch's `aten` library. All are pure functions of their
#: arguments: none draws random numbers, writes in place, reads files or memory, indexes by computed integers, or
#: raises for some values of its tensors (but for divisions of integers, which `verify` looks at).
#: `outputs` is None where the number of results depends on the arguments.
OPS: dict[str, Operation] = {name: op for name in _NAMES.split() if (op := _operation(name)) is not None}


# ---------------------------------------------------------------------------------------------- the format


@dataclass(frozen=True)
class NodeRef:
    """The value of node `index`, or its `item`-th value."""

    index: int
    item: int | None = None


@dataclass(frozen=True)
class InputRef:
    """A field of the state."""

    name: str


@dataclass(frozen=True)
class ConstantRef:
    """A named constant, or its negation."""

    name: str
    negative: bool = False


@dataclass(frozen=True)
class Batch:
    """`multiple` times the number of environments."""

    multiple: int


@dataclass(frozen=True)
class DType:
    """A tensor type by name (a key of `DTYPES`)."""

    name: str


Ref = NodeRef | InputRef
Argument = Ref | ConstantRef | Batch | DType | int | float | bool | str | None | tuple["Argument", ...]


@dataclass(frozen=True)
class Node:
    """One operation. `line` is the line of the source it came from, `name` the variable that its value was given."""

    op: str
    args: tuple[Argument, ...]
    kwargs: tuple[tuple[str, Argument], ...] = ()
    line: int | None = None
    name: str | None = None


@dataclass(frozen=True)
class Component:
    """A named part of the reward, shown to people and models; `name` is any printable text."""

    name: str
    value: Ref


@dataclass(frozen=True)
class Graph:
    """A reward as pure tensor operations; nodes refer to earlier nodes only."""

    inputs: tuple[str, ...]
    constants: Mapping[str, float]
    nodes: tuple[Node, ...]
    total: Ref
    components: tuple[Component, ...]


def references(argument: Argument) -> Iterable[NodeRef | InputRef | ConstantRef]:
    """Everything that an argument refers to, lists included."""
    if isinstance(argument, tuple):
        for element in argument:
            yield from references(element)
    elif isinstance(argument, (NodeRef, InputRef, ConstantRef)):
        yield argument


# ---------------------------------------------------------------------------------------------- reading


def _object(value: Any, where: str, required: str, optional: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        raise GraphError(f"{where}: expected an object")
    missing = set(required.split()) - value.keys()
    unknown = value.keys() - set(required.split()) - set(optional.split())
    if missing or unknown:
        raise GraphError(f"{where}: missing keys {sorted(missing)}, unknown keys {sorted(unknown)}")
    return value


def _list(value: Any, where: str, limit: int, least: int = 0) -> list[Any]:
    if not isinstance(value, list) or not least <= len(value) <= limit:
        raise GraphError(f"{where}: expected a list of {least} to {limit} elements")
    return value


def is_name(value: object) -> bool:
    """Whether `value` is a plain ASCII identifier that is no keyword and not too long."""
    return (
        isinstance(value, str)
        and len(value) <= MAX_NAME
        and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value) is not None
        and not keyword.iskeyword(value)
    )


def _name(value: Any, where: str) -> str:
    if not is_name(value):
        raise GraphError(f"{where}: expected a plain identifier of at most {MAX_NAME} characters")
    return str(value)


def _integer(value: Any, where: str, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise GraphError(f"{where}: expected an integer from {low} to {high}")
    return value


def _number(value: Any, where: str) -> float:
    if type(value) is int:
        return _integer(value, where, -MAX_INT, MAX_INT)
    if type(value) is float and math.isfinite(value):
        return value
    raise GraphError(f"{where}: expected a finite number")


class _Reader:
    """Turns decoded JSON into a `Graph`, checking everything on the way."""

    def __init__(self, document: Any) -> None:
        top = _object(document, "graph", "version inputs constants nodes total components")
        if type(top["version"]) is not int or top["version"] != VERSION:
            raise GraphError(f"graph: version {top['version']!r:.20} is not {VERSION}")
        inputs = [_name(v, "inputs") for v in _list(top["inputs"], "inputs", MAX_INPUTS, 1)]
        if len(set(inputs)) != len(inputs):
            raise GraphError("inputs: a name stands twice")
        constants = top["constants"]
        if not isinstance(constants, dict) or len(constants) > MAX_CONSTANTS:
            raise GraphError(f"constants: expected an object of at most {MAX_CONSTANTS} numbers")
        self.inputs = tuple(inputs)
        self.constants = {_name(k, "constants"): _number(v, f"constant {k}") for k, v in sorted(constants.items())}
        self.nodes: list[Node] = []
        for entry in _list(top["nodes"], "nodes", MAX_NODES):
            self.nodes.append(self.node(entry, f"node {len(self.nodes)}"))
        self.total = self.ref(top["total"], "total")
        self.components = self.read_components(top["components"])

    def read_components(self, entries: Any) -> tuple[Component, ...]:
        components = []
        for entry in _list(entries, "components", MAX_COMPONENTS, 1):
            entry = _object(entry, "component", "name value")
            name = entry["name"]
            if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or not name.isprintable():
                raise GraphError(f"component: expected a printable name of at most {MAX_NAME} characters")
            components.append(Component(name, self.ref(entry["value"], "component")))
        if len({c.name for c in components}) != len(components):
            raise GraphError("components: a name stands twice")
        return tuple(components)

    def ref(self, value: Any, where: str) -> Ref:
        argument = self.argument(value, where)
        if not isinstance(argument, (NodeRef, InputRef)):
            raise GraphError(f"{where}: expected a reference to a node or an input")
        return argument

    def node(self, entry: Any, where: str) -> Node:
        entry = _object(entry, where, "op args", "kwargs line name")
        op, kwargs = entry["op"], entry.get("kwargs", {})
        if not isinstance(op, str) or (op not in OPS and op != "tensor"):
            raise GraphError(f"{where}: operation {op!r:.60} is not among those that a reward may use")
        if not isinstance(kwargs, dict):
            raise GraphError(f"{where}: expected an object of keyword arguments")
        limit = MAX_TENSOR_VALUES if op == "tensor" else MAX_LIST
        node = Node(
            op,
            tuple(self.argument(a, where, limit) for a in _list(entry["args"], where, 8)),
            tuple((key, self.argument(value, where)) for key, value in sorted(kwargs.items())),
            _integer(entry["line"], f"{where}: line", 1, MAX_LINE) if "line" in entry else None,
            _name(entry["name"], f"{where}: name") if "name" in entry else None,
        )
        _check_literal(node, where) if op == "tensor" else _check_call(node, OPS[op], where)
        return node

    def argument(self, value: Any, where: str, limit: int = MAX_LIST, nested: bool = False) -> Argument:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            if value not in _STRINGS:
                raise GraphError(f"{where}: the text {value!r:.40} is not an argument of any operation")
            return value
        if isinstance(value, (int, float)):
            return _number(value, where)
        if isinstance(value, list):
            if nested:
                raise GraphError(f"{where}: lists may not be nested")
            return tuple(self.argument(element, where, nested=True) for element in _list(value, where, limit))
        if isinstance(value, dict):
            return self.reference(value, where)
        raise GraphError(f"{where}: a value of an unknown kind")

    def reference(self, value: dict[str, Any], where: str) -> Argument:
        if "node" in value:
            _object(value, where, "node", "item")
            index = _integer(value["node"], f"{where}: node", 0, len(self.nodes) - 1)
            op = OPS.get(self.nodes[index].op)
            outputs = 1 if op is None else op.outputs
            if (outputs == 1) == ("item" in value):
                raise GraphError(f"{where}: one of several values is referred to by its item, a single one without")
            if outputs == 1:
                return NodeRef(index)
            return NodeRef(index, _integer(value["item"], f"{where}: item", 0, (outputs or MAX_LIST) - 1))
        if "input" in value:
            _object(value, where, "input")
            if value["input"] not in self.inputs:
                raise GraphError(f"{where}: no such input")
            return InputRef(value["input"])
        if "constant" in value:
            _object(value, where, "constant", "negative")
            if not isinstance(value["constant"], str) or value["constant"] not in self.constants:
                raise GraphError(f"{where}: no such constant")
            if value.get("negative", True) is not True:
                raise GraphError(f"{where}: `negative` is true or absent")
            return ConstantRef(value["constant"], "negative" in value)
        key, content = next(iter(_object(value, where, "", "batch dtype float").items()), ("", None))
        if len(value) != 1:
            raise GraphError(f"{where}: expected one key")
        if key == "batch":
            return Batch(_integer(content, where, 1, MAX_TENSOR_VALUES))
        if key == "dtype" and isinstance(content, str) and content in DTYPES:
            return DType(content)
        if key == "float" and isinstance(content, str) and content in ("inf", "-inf", "nan"):
            return float(content)
        raise GraphError(f"{where}: {key} has an unknown value")


def _check_literal(node: Node, where: str) -> None:
    """A literal tensor: `args` are its values (row-major) and its shape, `dtype` its type."""
    dtype = dict(node.kwargs).get("dtype")
    if len(node.args) != 2 or len(node.kwargs) != 1 or not isinstance(dtype, DType):
        raise GraphError(f"{where}: a literal tensor takes values, shape and dtype")
    values, shape = node.args
    if not isinstance(values, tuple) or not isinstance(shape, tuple) or len(shape) > 8:
        raise GraphError(f"{where}: a literal tensor takes lists of values and sizes")
    sizes = [_integer(size, f"{where}: shape", 0, MAX_TENSOR_VALUES) for size in shape]
    if math.prod(sizes) != len(values):
        raise GraphError(f"{where}: a literal tensor has {len(values)} values for shape {sizes}")
    wanted = (bool,) if dtype.name == "bool" else (int, float) if DTYPES[dtype.name].is_floating_point else (int,)
    whole = wanted == (int,)
    low, high = (torch.iinfo(DTYPES[dtype.name]).min, torch.iinfo(DTYPES[dtype.name]).max) if whole else (0, 0)
    for value in values:
        if type(value) not in wanted or (whole and not low <= value <= high):  # type: ignore[operator]
            raise GraphError(f"{where}: values that are not of type {dtype.name}")


def _check_call(node: Node, operation: Operation, where: str) -> None:
    positional = [p for p in operation.parameters if not p.keyword_only]
    if len(node.args) > len(positional):
        raise GraphError(f"{where}: {node.op} takes at most {len(positional)} positional arguments")
    given = dict(zip((p.name for p in positional), node.args, strict=False))
    by_name = {p.name: p for p in operation.parameters}
    for key, value in node.kwargs:
        if key not in by_name or key in given:
            raise GraphError(f"{where}: {node.op} takes no further argument {key!r:.40}")
        given[key] = value
    for parameter in operation.parameters:
        if parameter.name not in given:
            if parameter.required:
                raise GraphError(f"{where}: {node.op} needs {parameter.name}")
        elif not _accepts(parameter, given[parameter.name], node.op):
            raise GraphError(f"{where}: {node.op} cannot take this {parameter.name}")


def _accepts(parameter: Parameter, value: Argument, op: str) -> bool:
    if value is None:
        return parameter.optional
    if parameter.is_list:
        element = parameter._replace(is_list=False, optional=False)
        return isinstance(value, tuple) and all(_accepts(element, v, op) for v in value)
    number = type(value) in (int, float, bool) or isinstance(value, ConstantRef)
    if parameter.kind == "Tensor":
        return isinstance(value, (NodeRef, InputRef)) or (number and parameter.name == "other" and op in _PROMOTING)
    if parameter.kind in ("number", "float"):
        return number
    if parameter.kind in ("int", "SymInt"):
        sized = isinstance(value, Batch) and parameter.name in _SIZES
        return sized or (type(value) is int and abs(value) < 2**31)
    if parameter.kind == "bool":
        return type(value) is bool
    return isinstance(value, DType) if parameter.kind == "ScalarType" else isinstance(value, str)


#: Operations whose second tensor may be a plain number, as in `tensor * 0.5`.
_PROMOTING = frozenset(
    [
        "add.Tensor",
        "sub.Tensor",
        "rsub.Tensor",
        "mul.Tensor",
        "div.Tensor",
        "div.Tensor_mode",
        "floor_divide",
        "fmod.Tensor",
        "remainder.Tensor",
        "bitwise_and.Tensor",
        "bitwise_or.Tensor",
        "bitwise_xor.Tensor",
    ]
)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise GraphError("graph: a key stands twice in one object")
    return value


def _no_constant(text: str) -> None:
    raise GraphError(f"graph: {text} is not JSON")


_BRACKET_OR_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]')


def _check_depth(text: str) -> None:
    """Raises where objects and lists are nested deeper than any graph's, before a JSON parser recurses into them."""
    depth = 0
    for match in _BRACKET_OR_STRING.finditer(text):
        bracket = match[0]
        depth += 1 if bracket in "[{" else -1 if bracket in "]}" else 0
        if depth > MAX_DEPTH:
            raise GraphError(f"graph: nested deeper than {MAX_DEPTH} levels")


def parse_graph(text: str) -> Graph:
    """Reads a graph; anything that is not one raises `GraphError`, whatever it is."""
    if len(text) > MAX_BYTES:
        raise GraphError(f"graph: longer than {MAX_BYTES} characters")
    _check_depth(text)
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except GraphError:
        raise
    except (ValueError, RecursionError) as error:
        raise GraphError(f"graph: not JSON ({type(error).__name__})") from error
    reader = _Reader(document)
    return Graph(reader.inputs, reader.constants, tuple(reader.nodes), reader.total, reader.components)


# ---------------------------------------------------------------------------------------------- running


class _Literal:
    """A literal tensor, built once for each device that asks for it."""

    def __init__(self, node: Node) -> None:
        values, shape = node.args
        dtype = dict(node.kwargs)["dtype"]
        assert isinstance(dtype, DType)
        self._tensor = torch.tensor(values, dtype=DTYPES[dtype.name]).reshape(shape)  # type: ignore[arg-type]
        self._copies: dict[torch.device, torch.Tensor] = {}

    def __call__(self, device: torch.device) -> torch.Tensor:
        if device not in self._copies:
            self._copies[device] = self._tensor.to(device)
        return self._copies[device]


def resolve(
    argument: Argument,
    values: Sequence[Any],
    state: Mapping[str, torch.Tensor],
    constants: Mapping[str, Any],
    num_envs: int,
) -> Any:
    """What an argument stands for, given the values of the nodes before it."""
    if isinstance(argument, NodeRef):
        value = values[argument.index]
        return value if argument.item is None else value[argument.item]
    if isinstance(argument, InputRef):
        return state[argument.name]
    if isinstance(argument, Batch):
        return argument.multiple * num_envs
    if isinstance(argument, tuple):
        return [resolve(element, values, state, constants, num_envs) for element in argument]
    return _literal(argument, constants)


def _literal(argument: Argument, constants: Mapping[str, Any]) -> Any:
    """The Python value of an argument that refers to neither nodes, inputs nor the batch."""
    if isinstance(argument, ConstantRef):
        return -constants[argument.name] if argument.negative else constants[argument.name]
    return DTYPES[argument.name] if isinstance(argument, DType) else argument


#: What torch's kernels and their meta versions raise for arguments that do not fit.
KERNEL_ERRORS = (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError)


def evaluate(graph: Graph, state: Mapping[str, torch.Tensor], num_envs: int, device: torch.device) -> list[Any]:
    """Every node's value: for checks and explanations; `compile_graph` is the fast way. See `evaluate_nodes`."""
    return list(evaluate_nodes(graph, state, num_envs, device))


def call_operation(op: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """What an operation of the table gives."""
    return OPS[op].function(*args, **kwargs)


def evaluate_nodes(
    graph: Graph,
    state: Mapping[str, torch.Tensor],
    num_envs: int,
    device: torch.device,
    call: Callable[[str, Sequence[Any], Mapping[str, Any]], Any] = call_operation,
) -> Iterator[Any]:
    """Every node's value in turn, so that each can be looked at before the next is computed.

    Works on the meta device too. Torch's own errors are raised as `GraphError` with the node's number.

    Args:
        call: stands in for `call_operation`.
    """
    values: list[Any] = []

    def value_of(argument: Argument) -> Any:
        return resolve(argument, values, state, graph.constants, num_envs)

    for index, node in enumerate(graph.nodes):
        try:
            if node.op == "tensor":
                value: Any = _Literal(node)(device)
            else:
                kwargs = {key: value_of(argument) for key, argument in node.kwargs}
                if OPS[node.op].takes_device:
                    kwargs["device"] = device
                value = call(node.op, [value_of(argument) for argument in node.args], kwargs)
        except KERNEL_ERRORS as error:
            first_line = next(iter(str(error).splitlines()), "")
            raise GraphError(f"node {index} ({node.op}): {type(error).__name__}: {first_line:.200}") from error
        values.append(value)
        yield value


class RewardFunction:
    """A compiled reward: `reward(state)` gives the total and the components, each `(num_envs,)` float32.

    `inputs` are the State fields that it reads, `components` the names of its parts, `graph` what it was built from.
    It runs on the device of its inputs, without gradients, and never writes to them. Its results may share memory
    with the state and with each other: read them, or clone them before writing.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.inputs = graph.inputs
        self.components = tuple(c.name for c in graph.components)
        self._function = _build(graph)

    def __call__(self, state: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """`state` maps field names to tensors of shape `(num_envs, ...)`; fields that are not read may be there."""
        if torch.is_grad_enabled():
            with torch.no_grad():
                return self._function(state)
        return self._function(state)

    def with_constants(self, **values: float) -> RewardFunction:
        """The same reward with other numbers for some of its named constants (`graph.constants`); nothing is traced.

        Raises:
            GraphError: a constant of that name is not there, or a value is not a finite number.
        """
        return RewardFunction(replace(self.graph, constants=set_constants(self.graph, values)))


def set_constants(graph: Graph, values: Mapping[str, float]) -> dict[str, float]:
    """The graph's constants with `values` in their places; raises `GraphError` where one does not fit."""
    for name, value in values.items():
        if name not in graph.constants:
            known = ", ".join(graph.constants) or "none"
            raise GraphError(f"constants: there is no {name!r:.80}; there are {known}")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise GraphError(f"constant {name}: expected a finite number")
        _number(value, f"constant {name}")
    return {**graph.constants, **values}


def compile_graph(text: str) -> RewardFunction:
    """Reads a graph and builds its function; raises `GraphError` for a text that is no graph."""
    return RewardFunction(parse_graph(text))


def _build(graph: Graph) -> Callable[[Mapping[str, torch.Tensor]], tuple[torch.Tensor, dict[str, torch.Tensor]]]:
    """Straight-line code of our own names over the table: operations `f`, values `v`, inputs `s`, literals `c`."""
    inputs = {name: f"s{i}" for i, name in enumerate(graph.inputs)}
    scope: dict[str, Any] = {}

    def bind(prefix: str, value: Any) -> str:
        name = f"{prefix}{len(scope)}"
        scope[name] = value
        return name

    def text(argument: Argument) -> str:
        if isinstance(argument, NodeRef):
            return f"v{argument.index}" + ("" if argument.item is None else f"[{argument.item:d}]")
        if isinstance(argument, InputRef):
            return inputs[argument.name]
        if isinstance(argument, Batch):
            return f"{argument.multiple:d} * n"
        if isinstance(argument, tuple):
            return "[" + ", ".join(text(element) for element in argument) + "]"
        return bind("c", _literal(argument, graph.constants))

    lines = ["def reward(state):"]
    lines += [f" {own} = state[{bind('k', name)}]" for name, own in inputs.items()]
    lines += [" n, device = s0.shape[0], s0.device"]
    spent = _spent(graph)
    for index, node in enumerate(graph.nodes):
        if node.op == "tensor":
            call = f"{bind('f', _Literal(node))}(device)"
        else:
            operation = OPS[node.op]
            # The keys were matched with the operation's own parameters: they are the table's names, not the graph's.
            keywords = [f"{p.name}={text(v)}" for p in operation.parameters for k, v in node.kwargs if k == p.name]
            keywords += ["device=device"] if operation.takes_device else []
            call = f"{bind('f', operation.function)}({', '.join([*map(text, node.args), *keywords])})"
        lines.append(f" v{index} = {call}")
        if index in spent:
            lines.append(" del " + ", ".join(f"v{i}" for i in spent[index]))
    components = ", ".join(f"{bind('k', c.name)}: {text(c.value)}" for c in graph.components)
    lines.append(f" return {text(graph.total)}, {{{components}}}")
    exec(compile("\n".join(lines), "<reward graph>", "exec"), scope)
    function: Callable[..., tuple[torch.Tensor, dict[str, torch.Tensor]]] = scope["reward"]
    return function


def _spent(graph: Graph) -> dict[int, list[int]]:
    """For each node the earlier ones that nothing needs after it."""
    last_use: dict[int, int] = {}
    for index, node in enumerate(graph.nodes):
        for argument in (*node.args, *(value for _, value in node.kwargs)):
            last_use.update({r.index: index for r in references(argument) if isinstance(r, NodeRef)})
    kept = {r.index for r in (graph.total, *(c.value for c in graph.components)) if isinstance(r, NodeRef)}
    spent: dict[int, list[int]] = {}
    for used, last in sorted(last_use.items()):
        if used not in kept:
            spent.setdefault(last, []).append(used)
    return spent
