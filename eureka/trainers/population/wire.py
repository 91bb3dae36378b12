"""Messages between a worker and the pool: JSON, and the bytes of checkpoints. They cannot contain code.

A message is a frame: the lengths of its two parts, a text (the type and its JSON), and bytes, which only states of
trainings have. A worker executes candidates' rewards, so its messages are treated as untrusted: only known types are
accepted, with a size limit, and the pool never blocks on them.
"""

from __future__ import annotations

import os
import select
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from eureka.core.serialize import DecodeError, dumps, loads
from eureka.core.training import Progress, TrainingResult, WorkerRestarted
from eureka.core.types import Rejected
from eureka.sandbox import LayerReport
from eureka.sandbox.wire import GarbledError
from eureka.trainers.population.checkpoints import MAX_STATE_BYTES
from eureka.trainers.population.group import GroupJob

_LENGTHS = struct.Struct("=IQ")
MAX_TEXT_BYTES = 64 << 20
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Setup:
    """To a worker, once: the task to train on, and further folders to look for it."""

    task: str
    task_dirs: tuple[str, ...]


@dataclass(frozen=True)
class Order:
    """To a worker: a population to train.

    The bytes that follow hold the states from which its groups are continued, if any, of the lengths `states`;
    `carried` has for every job the state and its place in it. `threads` step its worlds where the engine runs on cores.
    """

    jobs: tuple[GroupJob, ...]
    threads: int = 1
    states: tuple[int, ...] = ()
    carried: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Confinement:
    """From a worker, once: it has warmed up; these are the layers of confinement in force."""

    layers: tuple[LayerReport, ...]


@dataclass(frozen=True)
class Checkpoint:
    """From a worker: the state of these groups after so many updates, in the bytes that follow.

    `ended` marks the final state of one group's training, from which a longer one can be continued.
    """

    keys: tuple[tuple[str, int], ...]
    updates: int
    ended: bool = False


@dataclass(frozen=True)
class WorkDone:
    """From a worker: the population is trained, and all its results have been sent."""


@dataclass(frozen=True)
class WorkerFailure:
    """From a worker: it failed for a reason that is not a candidate's fault; has a sentence for the user."""

    message: str


Message = (
    Setup
    | Order
    | Confinement
    | Checkpoint
    | WorkDone
    | WorkerFailure
    | Progress
    | Rejected
    | TrainingResult
    | WorkerRestarted
)
_TYPES: dict[str, type[Any]] = {cls.__name__: cls for cls in get_args(Message)}


@dataclass(frozen=True)
class Received:
    """A message with its bytes."""

    message: Message
    data: bytes


def _encode(message: Message) -> bytes:
    return f"{type(message).__name__} {dumps(message)}".encode(errors="surrogatepass")


def _decode(text: bytes) -> Message:
    name, _, value = text.decode(errors="surrogatepass").partition(" ")
    message: Message = loads(_TYPES[name], value)
    return message


class Line:
    """One end of the socket between the pool and a worker, read and written by plain calls that a filter allows.

    Args:
        descriptor: descriptor of a stream socket, owned by this object.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = bytearray()

    def fileno(self) -> int:
        """The descriptor, for `select`."""
        return self._descriptor

    def close(self) -> None:
        """Close the connection."""
        os.close(self._descriptor)

    def send(self, message: Message, data: bytes = b"", timeout_s: float | None = None) -> None:
        """Send one message.

        Raises:
            BrokenPipeError: the other end is closed, or did not read for `timeout_s`.
        """
        text = _encode(message)
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        for part in (_LENGTHS.pack(len(text), len(data)) + text, data):
            view = memoryview(part)
            while view:
                if deadline is not None:
                    self._wait_writable(deadline)
                try:
                    view = view[os.write(self._descriptor, view[:_CHUNK]) :]
                except BlockingIOError:
                    continue
                except ConnectionResetError as error:
                    raise BrokenPipeError from error

    def _wait_writable(self, deadline: float) -> None:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        if not poll.poll(max(deadline - time.monotonic(), 0.0) * 1000):
            raise BrokenPipeError("nobody listens")

    def receive(self) -> Received:
        """Wait for one message.

        Raises:
            EOFError: the other end has closed the connection.
            GarbledError: the data is not a valid message.
        """
        while (found := self._next()) is None:
            self._read()
        return found

    def arrived(self) -> Iterator[Received]:
        """Yield the complete messages received so far; call it when there is something to read.

        Raises:
            EOFError: the other end has closed the connection.
            GarbledError: the data is not a valid message.
        """
        self._read()
        while (found := self._next()) is not None:
            yield found

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return
        except ConnectionResetError as error:
            raise EOFError from error
        if not data:
            raise EOFError
        self._buffer += data

    def _next(self) -> Received | None:
        if len(self._buffer) < _LENGTHS.size:
            return None
        text, size = _LENGTHS.unpack_from(self._buffer)
        if text > MAX_TEXT_BYTES or size > MAX_STATE_BYTES:
            raise GarbledError(f"a message of {text + size} bytes")
        begin = _LENGTHS.size + text
        if len(self._buffer) < begin + size:
            return None
        try:
            message = _decode(bytes(self._buffer[_LENGTHS.size : begin]))
        except (DecodeError, KeyError, ValueError) as error:
            raise GarbledError(str(error)[:200]) from error
        data = bytes(self._buffer[begin : begin + size])
        del self._buffer[: begin + size]
        return Received(message, data)
