"""Runs reward graphs: node by node for checks, and compiled to straight-line torch code for training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from eureka.reward.graph.format import (
    Argument,
    Batch,
    ConstantRef,
    DType,
    Graph,
    GraphError,
    InputRef,
    Node,
    NodeRef,
    references,
)
from eureka.reward.graph.operations import DTYPES, OPS
from eureka.reward.graph.parse import finite_number, parse_graph


class _Literal:
    """A literal tensor, built once per device."""

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
    """The value of an argument, given the values of earlier nodes."""
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
    """The value of an argument that refers to neither nodes, inputs nor the batch."""
    if isinstance(argument, ConstantRef):
        return -constants[argument.name] if argument.negative else constants[argument.name]
    return DTYPES[argument.name] if isinstance(argument, DType) else argument


# : Exceptions of torch's kernels and their meta versions for unsuitable arguments.
KERNEL_ERRORS = (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError)


def evaluate(graph: Graph, state: Mapping[str, torch.Tensor], num_envs: int, device: torch.device) -> list[Any]:
    """Every node's value, for checks and explanations; `compile_graph` is the fast way. See `evaluate_nodes`."""
    return list(evaluate_nodes(graph, state, num_envs, device))


def call_operation(op: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """The result of an operation of the table."""
    return OPS[op].function(*args, **kwargs)


def evaluate_nodes(
    graph: Graph,
    state: Mapping[str, torch.Tensor],
    num_envs: int,
    device: torch.device,
    call: Callable[[str, Sequence[Any], Mapping[str, Any]], Any] = call_operation,
) -> Iterator[Any]:
    """Yield every node's value in turn, so that each can be checked before the next is computed.

    Works on the meta device too. Torch's own errors are raised as `GraphError` with the node's number.

    Args:
        call: replaces `call_operation`.
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
        """`state` maps field names to tensors of shape `(num_envs, ...)`; may contain fields that are not read."""
        if torch.is_grad_enabled():
            with torch.no_grad():
                return self._function(state)
        return self._function(state)

    def with_constants(self, **values: float) -> RewardFunction:
        """The same reward with other values for some of its named constants (`graph.constants`), without tracing it
        again.

        Raises:
            GraphError: there is no constant of that name, or a value is not a finite number.
        """
        return RewardFunction(replace(self.graph, constants=set_constants(self.graph, values)))


def set_constants(graph: Graph, values: Mapping[str, float]) -> dict[str, float]:
    """The graph's constants updated with `values`; raises `GraphError` if one does not fit."""
    for name, value in values.items():
        if name not in graph.constants:
            known = ", ".join(graph.constants) or "none"
            raise GraphError(f"constants: there is no {name!r:.80}; there are {known}")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise GraphError(f"constant {name}: expected a finite number")
        finite_number(value, f"constant {name}")
    return {**graph.constants, **values}


def compile_graph(text: str) -> RewardFunction:
    """Parse a graph and build its function; raises `GraphError` for an invalid text."""
    return RewardFunction(parse_graph(text))


def _build(graph: Graph) -> Callable[[Mapping[str, torch.Tensor]], tuple[torch.Tensor, dict[str, torch.Tensor]]]:
    """Generate straight-line code that only uses our own names: operations `f`, values `v`, inputs `s`, literals
    `c`."""
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
    spent = spent_after(graph)
    for index, node in enumerate(graph.nodes):
        if node.op == "tensor":
            call = f"{bind('f', _Literal(node))}(device)"
        else:
            operation = OPS[node.op]
            # Keys were matched with the operation's parameters, so they are names from the table, not from the graph.
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


def spent_after(graph: Graph) -> dict[int, list[int]]:
    """For each node, the earlier nodes whose values can be freed after it."""
    last_use: dict[int, int] = {}
    for index, node in enumerate(graph.nodes):
        for argument in node.arguments:
            last_use.update({r.index: index for r in references(argument) if isinstance(r, NodeRef)})
    kept = {r.index for r in (graph.total, *(c.value for c in graph.components)) if isinstance(r, NodeRef)}
    spent: dict[int, list[int]] = {}
    for used, last in sorted(last_use.items()):
        if used not in kept:
            spent.setdefault(last, []).append(used)
    return spent
