"""Layer: a seccomp filter that lets through some sixty harmless system calls; all others fail with EPERM.

What is left: memory, reading and writing open descriptors, threads of the process itself, clocks. Gone are files,
sockets, new processes, signals to others, and every interface by which past kernel holes were reached (io_uring,
bpf, perf, keys, userfaultfd, ...). Calls of another architecture's table kill the process.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from eureka.sandbox import libc
from eureka.sandbox.layer import Layer, Scope
from eureka.sandbox.syscalls import Architecture, architecture

RET_KILL_PROCESS = 0x80000000
RET_ERRNO = 0x00050000
RET_ALLOW = 0x7FFF0000

LOAD_WORD = 0x20
JUMP_EQUAL = 0x15
JUMP_AT_LEAST = 0x35
JUMP_ANY_BIT = 0x45
RETURN = 0x06

_OFFSET_NUMBER, _OFFSET_ARCH, _OFFSET_ARGUMENTS = 0, 4, 16
_X32_BIT = 0x40000000

_SET_MODE_FILTER = 1
_FILTER_FLAG_TSYNC = 1

CLONE_THREAD = 0x00010000
CLONE_NEW_ANY = 0x7E020000
MAP_SHARED = 0x01
PR_SET_NAME, PR_GET_NAME, PR_SET_VMA = 15, 16, 0x53564D41


class Instruction(NamedTuple):
    """One `struct sock_filter`: jumps are relative to the next instruction."""

    code: int
    if_true: int
    if_false: int
    value: int


@dataclass(frozen=True)
class Condition:
    """A test of one 32-bit half of an argument: `one_of` the values, `any_bit` of the mask, or `no_bit` of it."""

    argument: int
    test: Literal["one_of", "any_bit", "no_bit"]
    values: tuple[int, ...]
    high_half: bool = False

    def instructions(self) -> list[Instruction]:
        """Go on after the last instruction where the test holds, otherwise return EPERM."""
        load = Instruction(LOAD_WORD, 0, 0, _OFFSET_ARGUMENTS + 8 * self.argument + 4 * self.high_half)
        deny = Instruction(RETURN, 0, 0, RET_ERRNO | errno.EPERM)
        if self.test == "any_bit":
            return [load, Instruction(JUMP_ANY_BIT, 1, 0, self.values[0]), deny]
        if self.test == "no_bit":
            return [load, Instruction(JUMP_ANY_BIT, 0, 1, self.values[0]), deny]
        jumps = [Instruction(JUMP_EQUAL, len(self.values) - i, 0, value) for i, value in enumerate(self.values)]
        return [load, *jumps, deny]


def conditions(pid: int) -> dict[str, tuple[Condition, ...]]:
    """The calls that are allowed only with certain arguments, in the process `pid`.

    clone: only threads, no namespaces. tgkill: only the process itself (abort, pthread_kill). prlimit64: only to
    read one's own limits. prctl: only names of threads and of memory areas, so that the death signal stays. mmap: no
    shared memory, whose pages can outlive their mapping and are then in no limit.
    """
    null = (Condition(2, "one_of", (0,)), Condition(2, "one_of", (0,), high_half=True))
    return {
        "clone": (Condition(0, "any_bit", (CLONE_THREAD,)), Condition(0, "no_bit", (CLONE_NEW_ANY,))),
        "mmap": (Condition(3, "no_bit", (MAP_SHARED,)),),
        "tgkill": (Condition(0, "one_of", (pid,)),),
        "prlimit64": (Condition(0, "one_of", (0, pid)), *null),
        "prctl": (Condition(0, "one_of", (PR_SET_NAME, PR_GET_NAME, PR_SET_VMA)),),
    }


def program(table: Architecture, pid: int) -> list[Instruction]:
    """The filter for the process `pid` as classic BPF. clone3, whose flags no filter can see, looks unimplemented."""
    allow = Instruction(RETURN, 0, 0, RET_ALLOW)
    kill = Instruction(RETURN, 0, 0, RET_KILL_PROCESS)
    code = [
        Instruction(LOAD_WORD, 0, 0, _OFFSET_ARCH),
        Instruction(JUMP_EQUAL, 1, 0, table.audit),
        kill,
        Instruction(LOAD_WORD, 0, 0, _OFFSET_NUMBER),
        Instruction(JUMP_AT_LEAST, 0, 1, _X32_BIT),
        kill,
    ]
    for number in table.allowed:
        code += [Instruction(JUMP_EQUAL, 0, 1, number), allow]
    for name, tests in conditions(pid).items():
        body = [instruction for test in tests for instruction in test.instructions()]
        code += [Instruction(JUMP_EQUAL, 0, len(body) + 1, table.numbers[name]), *body, allow]
    unimplemented = Instruction(RETURN, 0, 0, RET_ERRNO | errno.ENOSYS)
    code += [Instruction(JUMP_EQUAL, 0, 1, table.numbers["clone3"]), unimplemented]
    return [*code, Instruction(RETURN, 0, 0, RET_ERRNO | errno.EPERM)]


def install(code: list[Instruction]) -> None:
    """Make a program the filter of every thread of this process (TSYNC), for good.

    Raises:
        OSError: the kernel's error, or a thread that has another filter already.
    """
    packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
    instructions = ctypes.create_string_buffer(packed, len(packed))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(code), ctypes.addressof(instructions)))
    number = architecture().numbers["seccomp"]
    unsynchronised = libc.syscall(number, _SET_MODE_FILTER, _FILTER_FLAG_TSYNC, header)
    if unsynchronised:
        raise OSError(errno.ESRCH, f"thread {unsynchronised} could not be filtered")


class Seccomp(Layer):
    """The filter, on every thread of the process (TSYNC), inherited by threads to come. Needs NO_NEW_PRIVS."""

    name: ClassVar[str] = "seccomp"
    mandatory: ClassVar[bool] = True
    remedy: ClassVar[str] = "use a Linux kernel with CONFIG_SECCOMP_FILTER, and in a container allow seccomp(2)"

    def apply(self, scope: Scope) -> str:  # noqa: ARG002 - the interface's
        """Install the filter."""
        table = architecture()
        install(program(table, os.getpid()))
        return f"{len(table.allowed)} system calls allowed, none of them on files, sockets or processes"
