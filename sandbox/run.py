"""One run: a job's pipes, the communication with zygote and child, and the result."""

from __future__ import annotations

import os
import select
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from eureka.core.errors import SandboxError
from eureka.sandbox.child import Channels
from eureka.sandbox.launch import ZygoteLostError, ZygoteProcess
from eureka.sandbox.results import Failed, Finished, LayerReport, Limits
from eureka.sandbox.wire import (
    ANSWER_OVERHEAD,
    Confined,
    Ended,
    Frames,
    GarbledError,
    Job,
    NotStarted,
    decode_answer,
    write_all,
)

GRACE_S = 10.0
"""Seconds after the wall-clock limit in which the zygote must report that it killed the child; then it counts as
lost."""

_POLL_S = 0.5
_CHUNK = 1 << 16
_TRACE_BYTES = 8192


@contextmanager
def _payload_file(payload: bytes) -> Iterator[int]:
    """A nameless file that holds the payload; in memory where the system can."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("payload")
        try:
            write_all(descriptor, payload)
            yield descriptor
        finally:
            os.close(descriptor)
    else:
        with tempfile.TemporaryFile(buffering=0) as file:
            write_all(file.fileno(), payload)
            yield file.fileno()


@dataclass
class Conversation:
    """The messages received for one job so far. `confined` is called once with the child's layers."""

    limits: Limits
    answer_pipe: int
    status_pipe: int
    confined: Callable[[tuple[LayerReport, ...]], None]

    def __post_init__(self) -> None:
        self._frames = Frames()
        self._answer = bytearray()
        self._started = time.monotonic()
        self._was_confined = False

    def hold(self, zygote: ZygoteProcess) -> Finished | Failed:
        """Receive messages until the child has ended or written too much.

        Raises:
            ZygoteLostError: the zygote died, stopped responding or sent an invalid message.
            SandboxError: the target could not be called.
        """
        poll = select.poll()
        poll.register(self.answer_pipe, select.POLLIN)
        poll.register(self.status_pipe, select.POLLIN)
        last_call = self._started + self.limits.wall_s + GRACE_S
        while True:
            ready = {descriptor for descriptor, _ in poll.poll(1000 * _POLL_S)}
            if self.answer_pipe in ready and not self._hear_answer():
                poll.unregister(self.answer_pipe)
            if len(self._answer) > self.limits.output_bytes + ANSWER_OVERHEAD:
                return Failed("output", f"The code answered with more than {_size(self.limits.output_bytes)}.")
            if self.status_pipe in ready and (ended := self._hear_status()):
                return self._verdict(ended)
            # Checked even if the child is busy: one that writes without end must not hide that the zygote stopped
            # responding.
            if time.monotonic() > last_call or (not ready and not zygote.alive()):
                raise ZygoteLostError("the zygote fell silent")

    def _hear_answer(self) -> bool:
        data = os.read(self.answer_pipe, _CHUNK)
        self._answer += data
        return bool(data)

    def _hear_status(self) -> Ended | None:
        data = os.read(self.status_pipe, _CHUNK)
        if not data:
            raise ZygoteLostError("the zygote died")
        try:
            messages = list(self._frames.feed(data))
        except GarbledError as garbled:
            raise ZygoteLostError(f"the zygote sent garbage: {garbled}") from garbled
        for message in messages:
            match message:
                case Confined(layers):
                    self._was_confined = True
                    self.confined(layers)
                case NotStarted(problem):
                    raise SandboxError(f"The sandbox could not start a job: {problem}.")
                case Ended():
                    return message
                case _:
                    raise ZygoteLostError(f"the zygote sent {message!r}")
        return None

    def _verdict(self, ended: Ended) -> Finished | Failed:
        os.set_blocking(self.answer_pipe, False)
        while self._pending() and self._hear_answer():
            pass
        if not self._was_confined and not ended.breach:
            how = _name(ended.signal) if ended.signal else f"exit code {ended.code}"
            raise SandboxError(f"The sandbox's child died before it was confined ({how}).")
        return verdict(ended, bytes(self._answer), self.limits, time.monotonic() - self._started)

    def _pending(self) -> bool:
        poll = select.poll()
        poll.register(self.answer_pipe, select.POLLIN)
        return len(self._answer) <= self.limits.output_bytes + ANSWER_OVERHEAD and bool(poll.poll(0))


def verdict(ended: Ended, data: bytes, limits: Limits, wall_s: float) -> Finished | Failed:
    """The result that follows from a child's end and its answer bytes."""
    match ended.breach:
        case "time":
            return Failed("timeout", f"The code did not finish within {limits.wall_s:g} s.")
        case "memory":
            return Failed("memory", f"The code held more than {_size(limits.resident_bytes)} of memory.")
        case "threads":
            return Failed("killed", f"The code ran more than {limits.threads} threads.")
    killed_by_clock = ended.signal == signal.SIGKILL and ended.cpu_s >= limits.cpu_s
    if ended.signal == signal.SIGXCPU or killed_by_clock:
        return Failed("timeout", f"The code used more than {limits.cpu_s} s of processor time.")
    if ended.signal == signal.SIGSYS:
        return Failed("killed", "The code made a forbidden system call and was ended.")
    if ended.signal:
        trace = data[:_TRACE_BYTES].decode(errors="replace")
        return Failed("killed", f"The code crashed its process ({_name(ended.signal)}).", trace)
    if len(data) > limits.output_bytes + ANSWER_OVERHEAD:
        return Failed("output", f"The code answered with more than {_size(limits.output_bytes)}.")
    answer = decode_answer(data)
    if ended.code or answer is None:
        return Failed("killed", f"The code ended its process without an answer (exit code {ended.code}).")
    if answer.kind == "output":
        return Finished(answer.body, wall_s)
    text = answer.body.decode(errors="replace")
    if answer.kind == "memory":
        return Failed("memory", f"The code needed more than {_size(limits.memory_bytes)} of memory ({text}).")
    return Failed("error", text)


def _name(number: int) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


def _size(count: int) -> str:
    for unit, shift in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if count >= 1 << shift:
            return f"{count / (1 << shift):g} {unit}"
    return f"{count} bytes"


def converse(
    zygote: ZygoteProcess,
    job: Job,
    payload: bytes,
    confined: Callable[[tuple[LayerReport, ...]], None],
) -> Finished | Failed:
    """Send one job to the zygote and wait for its end; an exception closes the pipes, whereupon the zygote kills the
    child.

    Raises:
        ZygoteLostError: the zygote died, stopped responding or sent an invalid message.
        SandboxError: the target could not be called.
        Whatever `confined` raises.
    """
    with _payload_file(payload) as payload_file, _pipe() as answer, _pipe() as status:
        zygote.submit(job, Channels(payload=payload_file, answer=answer.write, status=status.write))
        answer.close_write()
        status.close_write()
        return Conversation(job.limits, answer.read, status.read, confined).hold(zygote)


class _Pipe:
    def __init__(self) -> None:
        self.read, self.write = os.pipe()
        self._writable = True

    def close_write(self) -> None:
        if self._writable:
            os.close(self.write)
            self._writable = False


@contextmanager
def _pipe() -> Iterator[_Pipe]:
    pipe = _Pipe()
    try:
        yield pipe
    finally:
        pipe.close_write()
        os.close(pipe.read)
