"""Decides whether an operation of a graph combines, moves or numbers environments, by the shapes of its operands alone.

Every tensor of a graph has at most one dimension that grows with the number of environments, its batch dimension, and
each place along it belongs to one environment. This holds by induction over the nodes: `shapes` refuses tensors with
two such dimensions, broadcasting aligns them, and no operation may work along one. The rule is the same for tensors
that no State field enters: a constant whose rows differ would treat environments differently by their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from eureka.reward.graph.format import Argument, Node, Ref
from eureka.reward.graph.operations import OPS, Operation, RowRule


class Form(NamedTuple):
    """A tensor's shape with its batch dimension; None if no size depends on the number of environments."""

    tensor: torch.Tensor
    batch: int | None


def mixes_rows(node: Node, operands: Sequence[Form], results: Sequence[Form]) -> bool:
    """Whether a node works along the batch dimension of one of its operands.

    Args:
        operands: the tensors that it reads, in the order of `node.tensors`.
        results: the tensors that it gives.
    """
    if node.op not in OPS or not operands:
        return False
    operation, given = OPS[node.op], node.given
    first = operands[0]
    if operation.rows is RowRule.RESHAPE:
        return _elements_before(first) != _elements_before(results[0])
    if operation.rows is RowRule.CONTRACTION:
        factors = [p.name for p in operation.parameters if p.kind == "Tensor" and not p.is_list][-2:]
        places = dict(zip(_tensor_names(operation, given), operands, strict=True))
        first = places[factors[0]]
        return first.batch is not None and first.batch == first.tensor.dim() - 1
    # Operands with fewer dimensions are single numbers, or the part that is written into the first.
    alike = [form for form in operands if form.tensor.dim() == first.tensor.dim()]
    return any(form.batch in _worked_along(operation, given, form.tensor.dim()) for form in alike)


def _elements_before(form: Form) -> int | None:
    """The number of elements before the batch dimension; None if there is none."""
    return None if form.batch is None else form.tensor.shape[: form.batch].numel()


def _tensor_names(operation: Operation, given: dict[str, Argument]) -> list[str]:
    return [p.name for p in operation.parameters if isinstance(given.get(p.name), Ref)]


def _worked_along(operation: Operation, given: dict[str, Argument], dims: int) -> set[int]:
    """The dimensions along which an operation works, for an operand with `dims` dimensions."""
    every = set(range(dims))
    values = {parameter.name: given.get(parameter.name, parameter.default) for parameter in operation.parameters}
    rule = operation.rows
    if rule is RowRule.NONE or not dims:
        return set()
    if rule is RowRule.LOSS:
        return set() if values["reduction"] == 0 else every
    if rule is RowRule.LAST_TWO:
        return {dims - 2, dims - 1}
    if rule is RowRule.DIAGONAL:
        return _places([values["dim1"], values["dim2"]], dims)
    if rule is RowRule.PADDING:
        # Two numbers for each dimension, from the last one on.
        pads = _whole(values["pad"])
        return {dims - 1 - index // 2 for index, pad in enumerate(pads) if pad}
    if rule is RowRule.REPETITION:
        # There may be more numbers than dimensions; the last one is for the last dimension.
        repeats = values["repeats"]
        assert isinstance(repeats, tuple)
        return {dims - len(repeats) + index for index, times in enumerate(repeats) if times != 1}
    if rule is RowRule.PART and values["start"] in (None, 0) and values["end"] is None and values["step"] == 1:
        return set()
    named = values["dim"] if "dim" in values else values.get("dims")
    places = _whole(named)
    return _places(places, dims) if places else every


def _whole(argument: Argument) -> list[int]:
    elements = argument if isinstance(argument, tuple | list) else (argument,)
    return [element for element in elements if type(element) is int]


def _places(dims: Sequence[Argument], count: int) -> set[int]:
    return {dim % count for dim in dims if type(dim) is int}
