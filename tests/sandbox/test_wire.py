"""Messages and answers: what goes in comes out, and what is no message is known as none."""

from __future__ import annotations

import os
import signal
import struct
import threading
import time
from contextlib import suppress

import pytest

from eureka.core.errors import SandboxError
from eureka.sandbox import Failed, Finished, LayerReport, Limits
from eureka.sandbox.launch import ZygoteLostError
from eureka.sandbox.options import Options
from eureka.sandbox.run import Conversation, verdict
from eureka.sandbox.wire import (
    Confined,
    Ended,
    Frames,
    GarbledError,
    Job,
    NotStarted,
    Ready,
    SandboxAnswer,
    decode_answer,
    encode,
    encode_answer,
)

REPORT = LayerReport("seccomp", "on", True, "äöü")
MESSAGES = [
    Ready(),
    Ready("no wood"),
    Job("m:f", Limits(wall_s=1.5)),
    Job("m:f", Limits(), "unsafe", ("clock", "seccomp")),
    Confined((REPORT, REPORT)),
    NotStarted("why"),
    Ended(code=0, signal=9, breach="time", cpu_s=0.25),
]
LIMITS = Limits(wall_s=2.0, cpu_s=3, memory_bytes=1 << 30, resident_bytes=512 << 20, threads=7, output_bytes=100)

TOO_MUCH_CPU = Failed("timeout", "The code used more than 3 s of processor time.")


class LivingZygote:
    """Stands in for the process: only asked whether it lives."""

    def alive(self) -> bool:
        return True


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_messages_survive_any_fragmentation(step: int) -> None:
    data = b"".join(encode(message) for message in MESSAGES)
    frames = Frames()
    got = [message for at in range(0, len(data), step) for message in frames.feed(data[at : at + step])]
    assert got == MESSAGES


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        struct.pack("=I", 3) + b"abc",
        struct.pack("=I", 2) + b"[]",
        struct.pack("=I", 2) + b"{}",
        struct.pack("=I", 16) + b'{"type":"Ready"}'[:16],
        struct.pack("=I", 15) + b'{"type":"Ende"}',
        struct.pack("=I", 16) + b'{"type":"Ended"}',
        struct.pack("=I", 2) + b"\xff\xfe",
    ],
)
def test_garbage_is_known_as_such(data: bytes) -> None:
    if data.endswith(b'{"type":"Ready"}'):
        assert list(Frames().feed(data)) == [Ready()]
        return
    with pytest.raises(GarbledError):
        list(Frames().feed(data))


@pytest.mark.parametrize("kind", ["output", "error", "memory"])
def test_answers_survive(kind: str) -> None:
    answer = SandboxAnswer(kind, b"\0body")
    assert decode_answer(encode_answer(answer)) == answer


@pytest.mark.parametrize("spoil", [lambda d: d[:-1], lambda d: d + b"x", lambda d: b"?" + d[1:], lambda d: b"o"])
def test_anything_but_one_answer_is_none(spoil) -> None:
    assert decode_answer(spoil(encode_answer(SandboxAnswer("output", b"body")))) is None


def test_options_survive() -> None:
    options = Options(control=5, host=1, preload=None, import_path=("/a:b", "/c"))
    assert Options.from_argument(options.to_argument()) == options


@pytest.mark.parametrize(
    ("ended", "data", "outcome"),
    [
        (Ended(0, 0, None, 0.1), encode_answer(SandboxAnswer("output", b"x")), Finished(b"x", 0.5)),
        (Ended(0, 0, None, 0.1), encode_answer(SandboxAnswer("error", b"E: x")), Failed("error", "E: x")),
        (
            Ended(0, 0, None, 0.1),
            encode_answer(SandboxAnswer("memory", b"MemoryError")),
            Failed("memory", "The code needed more than 1 GiB of memory (MemoryError)."),
        ),
        (Ended(0, signal.SIGKILL, "memory", 0.1), b"", Failed("memory", "The code held more than 512 MiB of memory.")),
        (Ended(0, signal.SIGKILL, "threads", 0.1), b"", Failed("killed", "The code ran more than 7 threads.")),
        # The clock wins over an answer: it may have been forged before the hang.
        (
            Ended(0, signal.SIGKILL, "time", 0.1),
            encode_answer(SandboxAnswer("output", b"x")),
            Failed("timeout", "The code did not finish within 2 s."),
        ),
        (
            Ended(0, signal.SIGXCPU, None, 3.0),
            b"",
            TOO_MUCH_CPU,
        ),
        (
            Ended(0, signal.SIGKILL, None, 4.0),
            b"",
            TOO_MUCH_CPU,
        ),
        (Ended(0, signal.SIGKILL, None, 0.1), b"", Failed("killed", "The code crashed its process (SIGKILL).")),
        (Ended(0, 40, None, 0.1), b"", Failed("killed", "The code crashed its process (signal 40).")),
        (Ended(0, 0, None, 0.1), bytes(1000), Failed("output", "The code answered with more than 100 bytes.")),
        (
            Ended(7, 0, None, 0.1),
            encode_answer(SandboxAnswer("output", b"x")),
            Failed("killed", "The code ended its process without an answer (exit code 7)."),
        ),
    ],
)
def test_verdict(ended: Ended, data: bytes, outcome: object) -> None:
    assert verdict(ended, data, LIMITS, 0.5) == outcome


def hold(status: bytes, answer: bytes = b"") -> object:
    """A conversation in which zygote and child have already said everything."""
    answer_read, answer_write = os.pipe()
    status_read, status_write = os.pipe()
    try:
        os.write(status_write, status)
        os.write(answer_write, answer)
        os.close(answer_write)
        os.close(status_write)
        return Conversation(LIMITS, answer_read, status_read, lambda layers: None).hold(LivingZygote())
    finally:
        os.close(answer_read)
        os.close(status_read)


def test_conversation_that_ends_well() -> None:
    outcome = hold(encode(Confined((REPORT,))) + encode(MESSAGES[-1]))
    assert outcome == Failed("timeout", "The code did not finish within 2 s.")


@pytest.mark.parametrize(
    ("status", "error", "text"),
    [
        (b"\xff" * 100, ZygoteLostError, "garbage"),
        (b"", ZygoteLostError, "died"),
        (encode(Ready()), ZygoteLostError, "sent Ready"),
        (encode(NotStarted("no process could be forked: full")), SandboxError, "forked: full"),
        (encode(Ended(1, 0, None, 0.0)), SandboxError, r"before it was confined \(exit code 1\)"),
        (encode(Ended(0, 11, None, 0.0)), SandboxError, r"before it was confined \(SIGSEGV\)"),
    ],
)
def test_conversation_that_fails(status: bytes, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        hold(status)


def test_silent_zygote_is_noticed_beside_a_busy_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that writes without end, in drips that never reach the cap, and a clock that nobody keeps."""
    monkeypatch.setattr("eureka.sandbox.run.GRACE_S", 0.1)
    answer_read, answer_write = os.pipe()
    status_read, status_write = os.pipe()
    limits = Limits(wall_s=0.1)

    def drip() -> None:
        with suppress(BrokenPipeError):
            while True:
                os.write(answer_write, b"x")
                time.sleep(0.001)

    thread = threading.Thread(target=drip)
    thread.start()
    started = time.monotonic()
    try:
        with pytest.raises(ZygoteLostError, match="fell silent"):
            Conversation(limits, answer_read, status_read, lambda layers: None).hold(LivingZygote())
    finally:
        os.close(answer_read)
        thread.join()
        for descriptor in (answer_write, status_read, status_write):
            os.close(descriptor)
    assert time.monotonic() - started < 3


def test_answer_that_arrives_with_the_end_is_read() -> None:
    ended = Ended(code=0, signal=0, breach=None, cpu_s=0.1)
    outcome = hold(encode(Confined((REPORT,))) + encode(ended), encode_answer(SandboxAnswer("output", b"late")))
    assert isinstance(outcome, Finished)
    assert outcome.output == b"late"
