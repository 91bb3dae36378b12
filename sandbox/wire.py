"""Messages between the host, the zygote and a child that has not yet run generated code.

A frame is four bytes of length and a JSON text. The answer of generated code never travels this way: it has a pipe
of its own, whose bytes are one letter (`SandboxAnswer`), eight bytes of length, and the body.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

from eureka.sandbox.layer import Breach
from eureka.sandbox.results import LayerReport, Limits, Mode

_LENGTH = struct.Struct("=I")
_ANSWER = struct.Struct("=cQ")

MAX_FRAME_BYTES = 1 << 20


class GarbledError(Exception):
    """Bytes that are no message."""


@dataclass(frozen=True)
class Ready:
    """From the zygote: the preload is done, or failed for the reason `problem`."""

    problem: str | None = None


@dataclass(frozen=True)
class Job:
    """To the zygote, with three descriptors: the payload, and the write ends of the answer's and the status pipe.

    `without` are names of layers to leave out.
    """

    target: str
    limits: Limits
    mode: Mode = "enforced"
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Confined:
    """From a child, before it runs the target; where a mandatory layer is missing it never will."""

    layers: tuple[LayerReport, ...]


@dataclass(frozen=True)
class NotStarted:
    """From a child or the zygote: the host's part of the job failed, so that the target was never called."""

    problem: str


@dataclass(frozen=True)
class Ended:
    """From the zygote: how a child ended. `signal` is 0 where it exited; `cpu_s` its processor time.

    `breach` is the limit for which a guard of the zygote killed it.
    """

    code: int
    signal: int
    breach: Breach | None
    cpu_s: float


Message = Ready | Job | Confined | NotStarted | Ended


def encode(message: Message) -> bytes:
    """One frame."""
    body = json.dumps({"type": type(message).__name__, **asdict(message)}).encode()
    return _LENGTH.pack(len(body)) + body


def _decode(body: bytes) -> Message:
    fields = cast(dict[str, Any], json.loads(body))
    match fields.pop("type"):
        case "Ready":
            return Ready(**fields)
        case "Job":
            limits, without = Limits(**fields.pop("limits")), tuple(fields.pop("without"))
            return Job(limits=limits, without=without, **fields)
        case "Confined":
            return Confined(layers=tuple(LayerReport(**layer) for layer in fields["layers"]))
        case "NotStarted":
            return NotStarted(**fields)
        case "Ended":
            return Ended(**fields)
        case unknown:
            raise ValueError(f"unknown message {unknown}")


class Frames:
    """Collects bytes until they form complete frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are complete with this data.

        Raises:
            GarbledError: the bytes are no frame of ours.
        """
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > MAX_FRAME_BYTES:
                raise GarbledError(f"a frame of {length} bytes")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            try:
                yield _decode(body)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise GarbledError(str(error)) from error


AnswerKind = Literal["output", "error", "memory"]
_LETTERS: dict[AnswerKind, bytes] = {"output": b"o", "error": b"e", "memory": b"m"}
ANSWER_OVERHEAD = _ANSWER.size


@dataclass(frozen=True)
class SandboxAnswer:
    """The content of the answer pipe; generated code can forge it, completely or in part."""

    kind: AnswerKind
    body: bytes


def encode_answer(answer: SandboxAnswer) -> bytes:
    """The bytes of an answer."""
    return _ANSWER.pack(_LETTERS[answer.kind], len(answer.body)) + answer.body


def decode_answer(data: bytes) -> SandboxAnswer | None:
    """Decode an answer; None if the bytes are not exactly one."""
    if len(data) < _ANSWER.size:
        return None
    letter, length = _ANSWER.unpack_from(data)
    kinds = [kind for kind, known in _LETTERS.items() if known == letter]
    if not kinds or len(data) != _ANSWER.size + length:
        return None
    return SandboxAnswer(kind=kinds[0], body=data[_ANSWER.size :])


def write_all(descriptor: int, data: bytes) -> None:
    """Write all bytes, whatever the capacity of the pipe."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
