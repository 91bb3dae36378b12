"""Layers one by one: what is reported, what holds when one is missing, and when the sandbox refuses."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from eureka.core.errors import SandboxUnavailable
from eureka.sandbox import Failed, Finished, Sandbox, inspect_layers
from eureka.sandbox.canaries import Canary, canaries
from eureka.sandbox.landlock import rights
from eureka.sandbox.layer import Scope
from eureka.sandbox.private_memory import Mapping, shared_mappings
from eureka.sandbox.results import Limits
from eureka.sandbox.stack import LAYERS

HERE = Path(__file__).parent
TARGET = "jail_targets:python"
OUTSIDE = ["clock", "watchdog", "output cap"]
INSIDE = [
    "environment",
    "descriptors",
    "private memory",
    "namespaces",
    "privileges",
    "rlimits",
    "landlock",
    "seccomp",
    "canaries",
]
NAMES = [*OUTSIDE, *INSIDE]
OPTIONAL = {"watchdog", "namespaces", "landlock"}


def jailed(preload: str = "warm_up", without: tuple[str, ...] = ()) -> Sandbox:
    return Sandbox(f"jail_targets:{preload}", import_path=[HERE], without=without)


def states(sandbox: Sandbox) -> dict[str, str]:
    return {report.name: report.state for report in sandbox.layers}


@pytest.mark.process
def test_every_layer_reports(jail: Sandbox) -> None:
    assert [report.name for report in jail.layers] == NAMES
    assert {report.name for report in jail.layers if not report.mandatory} == OPTIONAL
    assert all(report.state == "on" for report in jail.layers if report.mandatory)
    assert all(report.detail for report in jail.layers)


@pytest.mark.process
def test_inspect_layers_needs_no_torch_and_agrees(jail: Sandbox) -> None:
    assert inspect_layers() == jail.layers


@pytest.mark.process
def test_unsafe_mode_says_off(open_jail: Sandbox) -> None:
    kept = {*OUTSIDE, "environment", "descriptors", "rlimits"}
    assert states(open_jail) == {name: "on" if name in kept else "off" for name in NAMES}


@pytest.mark.process
def test_unsafe_mode_keeps_clock_caps_and_rlimits(open_jail: Sandbox) -> None:
    limits = Limits(wall_s=0.3, memory_bytes=256 << 20, output_bytes=1000)
    cases = {"import time; time.sleep(9)": "timeout", "bytearray(1 << 30)": "memory", "result = 'x' * 2000": "output"}
    for source, kind in cases.items():
        outcome = open_jail.run(TARGET, source.encode(), limits)
        assert isinstance(outcome, Failed)
        assert outcome.kind == kind


@pytest.mark.process
def test_canary_that_succeeds_is_refused_by_the_property_it_names() -> None:
    with pytest.raises(SandboxUnavailable, match=r"lack of canaries \(generated code could still .*start processes"):
        jailed(without=("seccomp",)).start()


@pytest.mark.process
@pytest.mark.parametrize(
    ("without", "property_lost"),
    [("descriptors", "use a descriptor it was not given"), ("rlimits", "raise its own limits")],
)
def test_canaries_watch_more_than_seccomp(without: str, property_lost: str) -> None:
    """Without the filter as well, so that only the named layer could have given the property."""
    names = {"descriptors": ("descriptors",), "rlimits": ("rlimits", "seccomp")}[without]
    with pytest.raises(SandboxUnavailable, match=property_lost):
        jailed(without=names).start()


@pytest.mark.process
def test_generated_code_does_not_run_when_a_canary_succeeds(tmp_path: Path) -> None:
    """The refusal comes from the child itself, before the target is called."""
    sandbox = jailed(without=("seccomp", "landlock", "namespaces", "rlimits"))
    witness = tmp_path / "witness"
    with pytest.raises(SandboxUnavailable):
        sandbox.run(TARGET, f"open({str(witness)!r}, 'w')".encode())
    assert not witness.exists()


@pytest.mark.process
@pytest.mark.parametrize(
    ("layer", "source"),
    [
        ("landlock", "open('/etc/passwd')"),
        ("landlock", "import os; os.execv('/bin/true', ['true'])"),
        ("landlock", "import os; os.kill(os.getppid(), 0)"),
        ("landlock", "import os; os.mkdir('/tmp/x')"),
        ("seccomp", "open('/etc/passwd')"),
        ("seccomp", "import os; os.fork()"),
        ("seccomp", "import socket; socket.socket()"),
        ("namespaces", "import socket; socket.create_connection(('127.0.0.1', 1), 1)"),
    ],
)
def test_layer_holds_alone(jail: Sandbox, layer: str, source: str) -> None:
    """The layers overlap: each stops its own acts while the other two and the canaries are off."""
    if states(jail)[layer] != "on":
        pytest.skip(f"{layer} is not to be had on this machine")
    others = tuple({"landlock", "seccomp", "namespaces", "canaries"} - {layer})
    with jailed(without=others) as sandbox:
        outcome = sandbox.run(TARGET, source.encode())
    assert isinstance(outcome, Failed)
    # In an empty network namespace even the loopback device is down.
    assert ("Network is unreachable" if layer == "namespaces" else "PermissionError") in outcome.detail


@pytest.mark.parametrize(
    ("module", "name", "value", "text"),
    [
        (platform, "machine", lambda: "riscv64", "confinement knows 64-bit x86_64 and aarch64, this is riscv64"),
        (sys, "platform", "darwin", "confinement needs Linux, this is darwin"),
    ],
)
def test_other_platforms_are_refused(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, value: object, text: str
) -> None:
    monkeypatch.setattr(module, name, value)
    with pytest.raises(SandboxUnavailable, match=text):
        Sandbox().start()
    assert {report.state for report in inspect_layers()} == {"missing"}
    assert [report.name for report in inspect_layers()] == [layer.name for layer in LAYERS]


def test_at_least_twelve_canaries_with_distinct_acts() -> None:
    acts = [canary.act for canary in canaries(Scope(Limits(), parent=1, keep=frozenset()))]
    assert len(acts) == len(set(acts)) >= 12


def test_canary_reads_only_refusals_as_refused() -> None:
    def no_such_file() -> None:
        raise FileNotFoundError(2, "No such file or directory")

    def refused() -> None:
        raise PermissionError(1, "Operation not permitted")

    assert Canary("a", refused).sings()
    assert not Canary("b", no_such_file).sings()
    assert not Canary("c", lambda: None).sings()


@pytest.mark.parametrize(
    ("abi", "files", "network", "scoped", "size"),
    [
        # Sums of the bits in include/uapi/linux/landlock.h; the structure grew in versions 4 and 6.
        (1, 0x1FFF, 0, 0, 8),
        (2, 0x3FFF, 0, 0, 8),
        (3, 0x7FFF, 0, 0, 8),
        (4, 0x7FFF, 0x3, 0, 16),
        (5, 0xFFFF, 0x3, 0, 16),
        (6, 0xFFFF, 0x3, 0x3, 24),
        (8, 0xFFFF, 0x3, 0x3, 24),
        (9, 0x1FFFF, 0x3, 0x3, 24),
        (10, 0x1FFFF, 0xF, 0x3, 24),
    ],
)
def test_landlock_rights_follow_the_abi(abi: int, files: int, network: int, scoped: int, size: int) -> None:
    found = rights(abi)
    assert (found.files, found.network, found.scoped) == (files, network, scoped)
    assert len(found.attribute()) == size


def test_shared_mappings_are_told_from_private_ones() -> None:
    maps = (
        "7f0000000000-7f0000002000 rw-s 00000000 00:01 7 /dev/zero (deleted)\n"
        "7f0000002000-7f0000003000 r--s 00000000 fe:00 8 /usr/lib/gconv-modules.cache\n"
        "7f0000003000-7f0000004000 ---s 00000000 00:01 9 /dev/zero\n"
        "7f0000004000-7f0000005000 rw-p 00000000 00:00 0 [heap]\n"
    )
    assert list(shared_mappings(maps)) == [
        Mapping(0x7F0000000000, 0x2000, "rw-s"),
        Mapping(0x7F0000002000, 0x1000, "r--s"),
    ]


@pytest.mark.process
def test_torch_works_confined() -> None:
    limits = Limits(wall_s=60, cpu_s=60, memory_bytes=1 << 30)
    with Sandbox("jail_targets:warm_torch", limits, import_path=[HERE]) as sandbox:
        outcome = sandbox.run("jail_targets:torch_sum", b"100000")
        assert isinstance(outcome, Finished)
        assert outcome.output == b"100000.0"
        too_much = sandbox.run("jail_targets:torch_sum", b"1000000000")
        assert isinstance(too_much, Failed)
        assert too_much.kind == "memory"
