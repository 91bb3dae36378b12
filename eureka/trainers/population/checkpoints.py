"""Checkpoints of trainings: as files, and as bytes exchanged between a worker and its parent.

A state is a tree of numbers, texts, lists and mappings with tensors in it. Its bytes are a line of JSON, in which
`{"tensor": "float32", "shape": [2, 3]}` stands for a tensor, and then the values of all tensors, one after the other. A
file begins with a further line of JSON that identifies the jobs of the state. The parent process reads and writes only
that line, and never parses what a worker computed.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from eureka.core.errors import TrainingError
from eureka.store.files import read_bounded, temporary_name
from eureka.trainers.population.group import GroupJob

Key = tuple[str, int]
"""The key of a group: its candidate's id and its seed."""

MAX_STATE_BYTES = 2 << 30
_MAX_HEADER_BYTES = 1 << 20
_DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (torch.float32, torch.float64, torch.int64, torch.int32, torch.uint8, torch.bool)
}


class StateError(ValueError):
    """Bytes that are not a valid state."""


def key_of(job: GroupJob) -> Key:
    """A job's key."""
    return job.candidate_id, job.seed


def fingerprint(jobs: Sequence[GroupJob]) -> str:
    """A digest that identifies the jobs of a checkpoint: their graphs, seeds and schedules, in order."""
    return hashlib.sha256(repr(tuple(jobs)).encode()).hexdigest()[:20]


# ---- states as bytes ---------------------------------------------------------------------------------------------


def pack(state: Mapping[str, Any]) -> bytes:
    """Encode a state as bytes."""
    tensors: list[torch.Tensor] = []

    def plain(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            tensors.append(value.detach().cpu().contiguous())
            return {"tensor": str(value.dtype).removeprefix("torch."), "shape": list(value.shape)}
        raise TypeError(f"a state holds no {type(value).__name__}")

    text = json.dumps(state, default=plain)
    values = [tensor.reshape(-1).view(torch.uint8).numpy().tobytes() for tensor in tensors]
    return b"".join([text.encode(), b"\n", *values])


def unpack(data: bytes) -> dict[str, Any]:
    """Decode a state written by `pack`.

    Raises:
        StateError: the bytes are not a valid state.
    """
    text, _, values = data.partition(b"\n")
    rest = memoryview(bytearray(values))
    place = 0

    def read(found: dict[str, Any]) -> Any:
        nonlocal place
        if "tensor" not in found:
            return found
        dtype, shape = _DTYPES[found["tensor"]], found["shape"]
        if any(type(size) is not int or size < 0 for size in shape):
            raise StateError("a tensor without a shape")
        size = math.prod(shape) * dtype.itemsize
        if size > len(rest) - place:
            raise StateError("a tensor that is cut off")
        place += size
        flat = torch.frombuffer(rest, dtype=torch.uint8, count=size, offset=place - size) if size else None
        return flat.clone().view(dtype).reshape(shape) if flat is not None else torch.zeros(shape, dtype=dtype)

    try:
        state = json.loads(text, object_hook=read)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StateError(f"no state: {error}") from error
    if not isinstance(state, dict):
        raise StateError("no state")
    return state


# ---- files -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StateHeader:
    """The header of a file: its groups, and the `fingerprint` of their jobs."""

    keys: tuple[Key, ...]
    fingerprint: str


def write_state(path: Path, jobs: Sequence[GroupJob], state: bytes) -> None:
    """Write the state of a population of `jobs` atomically: a reader finds the old one or the new one.

    Raises:
        TrainingError: the file cannot be written, for example because the disk is full.
    """
    header = json.dumps({"jobs": [key_of(job) for job in jobs], "fingerprint": fingerprint(jobs)})
    partial = temporary_name(path)
    try:
        path.parent.mkdir(exist_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666), "wb") as file:
            file.write(header.encode() + b"\n")
            file.write(state)
        os.replace(partial, path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise TrainingError(
            f"the training's checkpoint cannot be written to {path.parent}: {error.strerror}; "
            "make room there and resume the run, nothing that was recorded is lost"
        ) from error


def read_header(path: Path) -> StateHeader | None:
    """The header of a file, or None if the file is missing or invalid."""
    try:
        line, newline, _ = read_bounded(path, MAX_STATE_BYTES, first=_MAX_HEADER_BYTES).partition(b"\n")
        found = json.loads(line) if newline else {}
        keys = tuple((str(name), int(seed)) for name, seed in found["jobs"])
        return StateHeader(keys, str(found["fingerprint"])) if len(set(keys)) == len(keys) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def read_state(path: Path) -> bytes | None:
    """The state in a file, or None if there is none in the form that workers write."""
    try:
        return read_bounded(path, MAX_STATE_BYTES).partition(b"\n")[2]
    except OSError:
        return None
