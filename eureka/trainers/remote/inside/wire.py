"""Messages between Eureka and the other interpreter: a line of JSON, then the bytes of tensors and files. No pickle.

The JSON is an object with `kind`, the message's own keys in `data`, and `tensors` and `blobs`, which list in order what
follows: names with types and shapes, and names with lengths. Only torch is imported.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

MAX_LINE = 1 << 24
MAX_BYTES = 1 << 31
_DTYPES = {"float32": torch.float32, "float64": torch.float64, "bool": torch.bool, "int64": torch.int64}


class RemoteWireError(Exception):
    """Bytes that are not a valid message; the text says why."""


@dataclass(frozen=True)
class RemoteMessage:
    """One message. `data` must be JSON values."""

    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, torch.Tensor] = field(default_factory=dict)
    blobs: Mapping[str, bytes] = field(default_factory=dict)


def encode(message: RemoteMessage) -> bytes:
    """The bytes of a message; tensors may be on any device."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in message.tensors.items()}
    head = {
        "kind": message.kind,
        "data": message.data,
        "tensors": [[name, str(value.dtype)[6:], list(value.shape)] for name, value in tensors.items()],
        "blobs": [[name, len(value)] for name, value in message.blobs.items()],
    }
    parts = [json.dumps(head).encode() + b"\n"]
    parts += [value.numpy().tobytes() for value in tensors.values()]
    return b"".join([*parts, *message.blobs.values()])


def decode(read_line: Callable[[], bytes], read: Callable[[int], bytes]) -> RemoteMessage:
    """Read the next message.

    Args:
        read_line: returns the bytes up to and including the next newline.
        read: returns the given number of bytes.

    Raises:
        RemoteWireError: the data is not a valid message, or too large.
    """
    line = read_line()
    try:
        head = json.loads(line)
        kind, data = head["kind"], head["data"]
        shapes = [(str(name), _DTYPES[dtype], [int(size) for size in shape]) for name, dtype, shape in head["tensors"]]
        lengths = [(str(name), int(length)) for name, length in head["blobs"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RemoteWireError(f"{type(error).__name__}: {line[:80]!r}") from error
    if not isinstance(kind, str) or not isinstance(data, dict):
        raise RemoteWireError(f"no kind and data: {line[:80]!r}")
    sizes = [math.prod(shape) * dtype.itemsize for _, dtype, shape in shapes] + [length for _, length in lengths]
    if any(size < 0 for size in sizes) or sum(sizes) > MAX_BYTES or any(min(s, default=0) < 0 for _, _, s in shapes):
        raise RemoteWireError(f"it announces {sum(sizes)} bytes")
    tensors = {}
    for (name, dtype, shape), size in zip(shapes, sizes, strict=False):
        content = bytearray(read(size))
        tensors[name] = (
            torch.frombuffer(content, dtype=dtype).reshape(shape) if size else torch.zeros(shape, dtype=dtype)
        )
    return RemoteMessage(kind, data, tensors, {name: read(length) for name, length in lengths})
