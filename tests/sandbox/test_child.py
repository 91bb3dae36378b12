"""The child's and the layers' own paths, in this process: in a real child their lines end with a kill or an exit."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from eureka.core.errors import SandboxError
from eureka.sandbox import LayerReport, Limits, Sandbox, canaries, child
from eureka.sandbox.canaries import Canaries, Canary
from eureka.sandbox.child import Channels
from eureka.sandbox.layer import Layer, LayerMissingError, Scope, confine, lacking
from eureka.sandbox.wire import Confined, Frames, Job, NotStarted, SandboxAnswer, decode_answer

HERE = Path(__file__).parent
SCOPE = Scope(Limits(), parent=1, keep=frozenset())


class Pipes:
    """A payload file and two pipes, as the host hands them over."""

    def __init__(self, payload: bytes) -> None:
        payload_file = os.memfd_create("payload")
        os.write(payload_file, payload)
        self.answer, answer = os.pipe()
        self.status, status = os.pipe()
        self.channels = Channels(payload_file, answer, status)

    def said(self) -> tuple[object, bytes]:
        """The first message and the answer's bytes; closes everything."""
        os.close(self.channels.answer)
        (message,) = Frames().feed(os.read(self.status, 1 << 16))
        answer = os.read(self.answer, 1 << 16)
        os.close(self.status)
        os.close(self.answer)
        return message, answer


@pytest.mark.parametrize(
    ("target", "kind", "body"),
    [
        (lambda payload: payload, "output", b"x"),
        (lambda payload: [1], "output", b"\1"),
        (lambda payload: 1 / 0, "error", b"ZeroDivisionError: division by zero"),
        (lambda payload: {}["k"], "error", b"KeyError: 'k'"),
        (lambda payload: bytearray(1 << 62), "memory", b"MemoryError"),
    ],
)
def test_whatever_a_target_does_is_an_answer(target, kind: str, body: bytes) -> None:
    assert child._call(target, b"x") == SandboxAnswer(kind, body)


def test_unknown_target_is_not_started() -> None:
    pipes = Pipes(b"")
    assert child._serve(Job("jail_targets:absent", Limits()), pipes.channels, 1) == 1
    os.close(pipes.channels.status)
    message, answer = pipes.said()
    assert isinstance(message, NotStarted)
    assert "jail_targets:absent" in message.problem
    assert answer == b""


@pytest.mark.parametrize(("state", "code", "answered"), [("on", 0, b"x"), ("missing", 1, None)])
def test_target_is_called_only_where_nothing_mandatory_is_missing(
    monkeypatch: pytest.MonkeyPatch, state: str, code: int, answered: bytes | None
) -> None:
    reports = (LayerReport("seccomp", state, True, ""),)
    monkeypatch.setattr(child, "confine", lambda *arguments: reports)
    pipes = Pipes(b"x")
    assert child._serve(Job("eureka.sandbox.child:echo", Limits()), pipes.channels, 1) == code
    message, answer = pipes.said()
    assert message == Confined(reports)
    decoded = decode_answer(answer)
    assert (decoded.body if decoded else None) == answered


class Sulking(Layer):
    name: ClassVar[str] = "sulking"
    mandatory: ClassVar[bool] = True
    remedy: ClassVar[str] = "be kind"

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    def apply(self, scope: Scope) -> str:
        if self._error:
            raise self._error
        return "content"


def test_layer_that_cannot_be_had_is_missing_with_its_remedy() -> None:
    layers = [
        Sulking(None),
        Sulking(LayerMissingError("no mood")),
        Sulking(OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))),
    ]
    reports = confine(layers, SCOPE, "enforced", ())
    assert [(report.state, report.detail) for report in reports] == [
        ("on", "content"),
        ("missing", "no mood; be kind"),
        ("missing", "the kernel said: Function not implemented; be kind"),
    ]
    assert lacking(reports) == reports[1:]
    assert lacking(confine(layers, SCOPE, "enforced", ["sulking"])) == ()
    assert {report.detail for report in confine(layers, SCOPE, "unsafe", ())} == {"sandbox=unsafe"}


def test_every_act_that_succeeds_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise PermissionError(errno.EPERM, "no")

    def acts(scope: Scope) -> Iterator[Canary]:
        yield from (Canary("fly", lambda: None), Canary("swim", refused), Canary("sing", lambda: None))

    monkeypatch.setattr(canaries, "canaries", acts)
    with pytest.raises(LayerMissingError, match=r"^generated code could still fly, sing$"):
        Canaries().apply(SCOPE)


def test_acts_are_possible_here() -> None:
    """Unconfined, as this process is: a canary that could not succeed anywhere would show nothing."""
    possible = {
        "open files",
        "list directories",
        "make directories",
        "delete files",
        "make links",
        "open inet sockets",
        "open unix sockets",
        "make files in memory",
        "make shared memory",
        "hold memory that no limit counts",
        "read environment variables",
        "control descriptors",
    }
    acts = {canary.act: canary for canary in canaries.canaries(SCOPE)}
    assert [act for act in sorted(possible) if acts[act].sings()] == []


@pytest.mark.process
def test_zygote_that_cannot_fork_says_so() -> None:
    with pytest.raises(SandboxError, match="no process could be forked: Resource temporarily unavailable"):
        Sandbox("attack_suite.target:without_processes", import_path=[HERE]).start()
