"""What is recorded of an operation, before it becomes a node of a graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from eureka.reward.graph.format import DType, InputRef, NodeRef, Ref


@dataclass(frozen=True)
class Literal:
    """A number among an operation's arguments; `name` is the candidate's constant that it came from, if any."""

    value: float
    name: str | None = None
    negative: bool = False


ODD_SIZE = (
    "it reads a size that depends on the number of environments in an unusual way",
    "Keep the first dimension, num_envs, whole: slice and join along the other dimensions.",
)

Recorded = Ref | DType | Literal | int | bool | str | None | tuple["Recorded", ...]


@dataclass
class RecordedOperation:
    """One recorded operation. `args` and `kwargs` are keyed by the operation's own parameter names."""

    op: str
    args: tuple[Recorded, ...]
    kwargs: tuple[tuple[str, Recorded], ...]
    line: int | None
    name: str | None = None


def refs_in(argument: Recorded) -> Iterator[Ref]:
    """The values that an argument consists of."""
    if isinstance(argument, tuple):
        for element in argument:
            yield from refs_in(element)
    elif isinstance(argument, NodeRef | InputRef):
        yield argument


def operation_name(target: torch._ops.OpOverload[..., Any]) -> str:
    """The name of an overload: `mul.Tensor` for aten::mul's overload Tensor, `exp` for aten::exp's only one."""
    schema = target._schema
    namespace, _, base = schema.name.partition("::")
    name = f"{base}.{schema.overload_name}" if schema.overload_name else base
    return name if namespace == "aten" else f"{namespace}::{name}"
