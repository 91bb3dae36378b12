"""The seccomp filter, executed by a small BPF machine on both architectures' tables."""

from __future__ import annotations

import errno
import os
import re
import struct
from pathlib import Path

import pytest

from eureka.sandbox.seccomp import (
    JUMP_ANY_BIT,
    JUMP_AT_LEAST,
    JUMP_EQUAL,
    LOAD_WORD,
    RET_ALLOW,
    RET_ERRNO,
    RET_KILL_PROCESS,
    RETURN,
    program,
)
from eureka.sandbox.syscalls import ALLOWED, ARCHITECTURES, Architecture

PID = 4321
ALLOWED_WORD = RET_ALLOW
DENIED = RET_ERRNO | errno.EPERM
HEADERS = {
    "x86_64": (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), r"#define __NR_(\w+) (\d+)"),
    "aarch64": (Path("/usr/include/asm-generic/unistd.h"), r"#define __NR(?:3264)?_(\w+) (\d+)"),
}


def execute(table: Architecture, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the filter returns for one call: an interpreter of classic BPF over `struct seccomp_data`."""
    words = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, table.audit if audit is None else audit, 0, *words)
    code, accumulator, at = program(table, PID), 0, 0
    while True:
        operation, if_true, if_false, value = code[at]
        at += 1
        if operation == LOAD_WORD:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif operation == RETURN:
            return value
        else:
            tests = {
                JUMP_EQUAL: accumulator == value,
                JUMP_AT_LEAST: accumulator >= value,
                JUMP_ANY_BIT: bool(accumulator & value),
            }
            at += if_true if tests[operation] else if_false


@pytest.fixture(params=ARCHITECTURES)
def table(request: pytest.FixtureRequest) -> Architecture:
    return ARCHITECTURES[request.param]


def test_exactly_the_allowed_calls_pass(table: Architecture) -> None:
    passed = {number for number in range(1024) if execute(table, number, *[2**64 - 1] * 6) == ALLOWED_WORD}
    assert passed == set(table.allowed)
    assert len(table.allowed) == len(set(table.allowed))
    assert set(ALLOWED) <= set(table.numbers)


def test_foreign_tables_kill(table: Architecture) -> None:
    i386 = 0x40000003
    assert execute(table, table.numbers["read"], audit=i386) == RET_KILL_PROCESS
    assert execute(table, 0x40000000 | table.numbers["read"]) == RET_KILL_PROCESS


@pytest.mark.parametrize(
    ("call", "arguments", "word"),
    [
        # The flags of pthread_create: CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, SETTLS, two TID bits.
        ("clone", (0x3D0F00,), ALLOWED_WORD),
        ("clone", (17,), DENIED),
        ("clone", (0x4111,), DENIED),
        ("clone", (0x3D0F00 | 0x10000000,), DENIED),
        ("clone", (0x3D0F00 | 0x40000000,), DENIED),
        ("clone", (0x3D0F00 | 0x00020000,), DENIED),
        ("clone3", (0, 88), RET_ERRNO | errno.ENOSYS),
        ("tgkill", (PID, PID, 6), ALLOWED_WORD),
        ("tgkill", (PID + 1, PID + 1, 6), DENIED),
        ("tgkill", (0, 0, 9), DENIED),
        ("prlimit64", (0, 7, 0, 0x7FFE0000), ALLOWED_WORD),
        ("prlimit64", (PID, 7, 0, 0x7FFE0000), ALLOWED_WORD),
        ("prlimit64", (PID + 1, 7, 0, 0x7FFE0000), DENIED),
        ("prlimit64", (0, 7, 0x7FFE0000, 0), DENIED),
        ("prlimit64", (0, 7, 0x7F00000000, 0), DENIED),
        ("prctl", (15, 0x7FFE0000), ALLOWED_WORD),
        ("prctl", (1, 0), DENIED),
        ("prctl", (4, 1), DENIED),
        ("execve", (), DENIED),
        ("ptrace", (), DENIED),
        ("fcntl", (0, 8, 1), DENIED),
        ("ioctl", (0, 0x5412), DENIED),
    ],
)
def test_arguments_decide(table: Architecture, call: str, arguments: tuple[int, ...], word: int) -> None:
    assert execute(table, table.numbers[call], *arguments) == word


def test_every_jump_lands_inside(table: Architecture) -> None:
    code = program(table, PID)
    assert len(code) < 4096
    assert code[-1].code == RETURN
    for at, (operation, if_true, if_false, _) in enumerate(code):
        if operation not in (LOAD_WORD, RETURN):
            assert max(at + 1 + if_true, at + 1 + if_false) < len(code)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_numbers_agree_with_the_kernels_headers(name: str) -> None:
    header, pattern = HEADERS[name]
    if not os.path.exists(header):
        pytest.skip("the kernel's headers are not installed")
    known = {match[1]: int(match[2]) for match in re.finditer(pattern, header.read_text())}
    numbers = ARCHITECTURES[name].numbers
    assert {call: known.get(call) for call in numbers} == dict(numbers)
