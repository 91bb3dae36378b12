"""The memory that a reward takes while it is computed, from its graph alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch

from eureka.core.types import FieldSpec
from eureka.reward.graph.operations import DTYPES
from eureka.reward.graph.parse import parse_graph
from eureka.reward.graph.runtime import call_operation, evaluate_nodes, spent_after
from eureka.reward.graph.shapes import BATCHES, tensors


@lru_cache(maxsize=256)
def bytes_per_row(graph: str, fields: Sequence[FieldSpec]) -> int:
    """The peak size of the values that a compiled graph holds at a time, in bytes for a row of its inputs.

    Values that share memory count once. Of the operations that take wide values, `logsumexp` alone works on a copy of
    its input on the CPU; what a sort takes are its values and indices.

    Args:
        graph: text of a verified graph.
        fields: the State's fields, those of the inputs among them.
    """
    parsed, rows, device = parse_graph(graph), BATCHES[1], torch.device("meta")
    state = {
        field.name: torch.empty((rows, *field.shape), dtype=DTYPES[field.dtype], device=device)
        for field in fields
        if field.name in parsed.inputs
    }
    given = {value.untyped_storage()._cdata for value in state.values()}
    spent = spent_after(parsed)
    held: dict[int, dict[int, int]] = {}
    peak = inside = 0

    def call(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        nonlocal inside
        inside = args[0].nbytes if name == "logsumexp" else 0
        return call_operation(name, args, kwargs)

    for index, value in enumerate(evaluate_nodes(parsed, state, rows, device, call)):
        storages = [tensor.untyped_storage() for tensor in tensors(value)]
        held[index] = {one._cdata: one.nbytes() for one in storages if one._cdata not in given}
        together = sum({key: size for part in held.values() for key, size in part.items()}.values())
        peak, inside = max(peak, together + inside), 0
        for earlier in spent.get(index, ()):
            held.pop(earlier, None)
    return -(-peak // rows)
