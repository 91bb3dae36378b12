"""A confined child process, from the fork to the end of its job."""

from __future__ import annotations

import faulthandler
import importlib
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn, cast

from eureka.sandbox.layer import Scope, confine, lacking
from eureka.sandbox.privileges import die_with
from eureka.sandbox.stack import LAYERS
from eureka.sandbox.wire import Confined, Job, NotStarted, SandboxAnswer, encode, encode_answer, write_all

MAX_ERROR_CHARACTERS = 4000


@dataclass(frozen=True)
class Channels:
    """A job's descriptors: the payload to read from its start, the answer's and the status pipe to write to."""

    payload: int
    answer: int
    status: int

    def close(self) -> None:
        """Close all three."""
        for descriptor in (self.payload, self.answer, self.status):
            os.close(descriptor)


class UnknownTargetError(Exception):
    """A `module:function` that cannot be imported."""


def resolve(target: str) -> Callable[..., object]:
    """The function that `module:function` names.

    Raises:
        UnknownTargetError: the module or function does not exist.
    """
    module, _, function = target.partition(":")
    try:
        return cast(Callable[..., object], getattr(importlib.import_module(module), function))
    except (ImportError, AttributeError, ValueError) as error:
        raise UnknownTargetError(f"{target!r} is not an importable module:function: {error}") from error


def live(job: Job, channels: Channels, parent: int) -> NoReturn:
    """Confine this process, run the target, write its answer, and exit: with 0 if an answer was written."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        code = _serve(job, channels, parent)
    finally:
        os._exit(code)


def _serve(job: Job, channels: Channels, parent: int) -> int:
    payload = _read_payload(channels.payload)
    try:
        target = cast(Callable[[bytes], bytes], resolve(job.target))
    except UnknownTargetError as unknown:
        write_all(channels.status, encode(NotStarted(str(unknown))))
        return 1
    scope = Scope(limits=job.limits, parent=parent, keep=frozenset({channels.answer, channels.status}))
    reports = confine(LAYERS, scope, job.mode, job.without)
    if job.mode == "unsafe":
        die_with(parent)
    write_all(channels.status, encode(Confined(reports)))
    # From here on only the answer pipe is open: generated code cannot impersonate the layers or the zygote.
    os.close(channels.status)
    if lacking(reports):
        return 1
    # On a crash, the executed lines are written there in place of an answer.
    faulthandler.enable(channels.answer, all_threads=False)
    answer = _call(target, payload)
    write_all(channels.answer, encode_answer(answer))
    return 0


def _read_payload(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb", closefd=True) as file:
        file.seek(0)
        return file.read()


def _call(target: Callable[[bytes], bytes], payload: bytes) -> SandboxAnswer:
    try:
        return SandboxAnswer("output", bytes(target(payload)))
    except BaseException as error:  # noqa: BLE001 - whatever the target raises is the job's answer
        # The traceback keeps the frames alive, and with them the memory that ran out.
        error.__traceback__ = None
        text = _describe(error)
        out_of_memory = isinstance(error, MemoryError) or "allocate memory" in text
        return SandboxAnswer("memory" if out_of_memory else "error", text.encode(errors="replace"))


def _describe(error: BaseException) -> str:
    text = ""
    # An exception class of generated code can raise in its own __str__.
    with suppress(Exception):
        text = str(error)[:MAX_ERROR_CHARACTERS]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def echo(payload: bytes) -> bytes:
    """The smallest target: returns its payload."""
    return payload
