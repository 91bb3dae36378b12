"""The memory that a reward takes while it is computed, from its graph alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch

from eureka.core.types import FieldSpec
from eureka.reward.graph.operations import DTYPES
from eureka.reward.graph.parse import parse_graph
from eureka.reward.graph.runtime import evaluate_nodes, spent_after
from eureka.reward.graph.shapes import BATCHES, tensors


@lru_cache(maxsize=256)
def bytes_per_row(graph: str, fields: Sequence[FieldSpec]) -> int:
    """The peak size of the values that a compiled graph holds at a time, in bytes for a row of its inputs.

    Values that share memory count once. What kernels allocate inside, as a sort does, is not known here.

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
    peak = 0
    for index, value in enumerate(evaluate_nodes(parsed, state, rows, device)):
        storages = [tensor.untyped_storage() for tensor in tensors(value)]
        held[index] = {one._cdata: one.nbytes() for one in storages if one._cdata not in given}
        peak = max(peak, sum({key: size for part in held.values() for key, size in part.items()}.values()))
        for earlier in spent.get(index, ()):
            held.pop(earlier, None)
    return -(-peak // rows)
