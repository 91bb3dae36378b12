"""Messages between the parent and the sandbox: a JSON header and raw tensors, nothing that can execute.

8 bytes, big-endian: length of the header
the header: {"body": {...}, "tensors": [[name, dtype, shape], ...]}
the tensors' values, one after the other, row-major, in native byte order
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from eureka.reward.graph.operations import DTYPES


class WireError(ValueError):
    """Bytes that are not a message."""


@dataclass(frozen=True)
class Parcel:
    """A JSON object and named tensors."""

    body: dict[str, Any]
    tensors: dict[str, torch.Tensor]


def pack(body: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> bytes:
    """The message's bytes; tensors must be on the CPU."""
    layout = [[name, str(value.dtype).removeprefix("torch."), list(value.shape)] for name, value in tensors.items()]
    header = json.dumps({"body": dict(body), "tensors": layout}).encode()
    values = [value.detach().contiguous().numpy().tobytes() for value in tensors.values()]
    return b"".join([len(header).to_bytes(8, "big"), header, *values])


def unpack(data: bytes) -> Parcel:
    """Parse a message; raises `WireError` for invalid bytes."""
    length = int.from_bytes(data[:8], "big")
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise WireError(f"the header is not JSON ({type(error).__name__})") from error
    if len(data) < 8 + length or not isinstance(header, dict) or header.keys() != {"body", "tensors"}:
        raise WireError("the header is incomplete")
    if not isinstance(header["body"], dict) or not isinstance(header["tensors"], list):
        raise WireError("the header has the wrong form")
    tensors = {}
    offset = 8 + length
    for entry in header["tensors"]:
        name, dtype, shape = _layout(entry)
        count = math.prod(shape)
        size = count * dtype.itemsize
        if size > len(data) - offset:
            raise WireError("the tensors are incomplete")
        chunk = bytearray(data[offset : offset + size])
        tensors[name] = (torch.frombuffer(chunk, dtype=dtype) if count else torch.empty(0, dtype=dtype)).reshape(shape)
        offset += size
    if offset != len(data):
        raise WireError("bytes are left over")
    return Parcel(header["body"], tensors)


def request(
    source: str,
    inputs: tuple[str, ...],
    first: Mapping[str, torch.Tensor],
    second: Mapping[str, torch.Tensor],
    rows: int,
) -> bytes:
    """The payload for `eureka.reward.trace.child:trace`: two batches of states, `(num_envs, ...)`, of different
    sizes, and the number of rows on which a training calls a reward."""
    tensors = {f"first/{name}": first[name] for name in inputs} | {f"second/{name}": second[name] for name in inputs}
    return pack({"source": source, "inputs": list(inputs), "rows": rows}, tensors)


def _layout(entry: Any) -> tuple[str, torch.dtype, list[int]]:
    if not isinstance(entry, list) or len(entry) != 3:
        raise WireError("a tensor's entry has the wrong form")
    name, dtype, shape = entry
    if not isinstance(name, str) or not isinstance(dtype, str) or dtype not in DTYPES or not isinstance(shape, list):
        raise WireError("a tensor's entry has the wrong form")
    if len(shape) > 8 or not all(type(size) is int and 0 <= size < 2**31 for size in shape):
        raise WireError("a tensor's shape has the wrong form")
    return name, DTYPES[dtype], shape
