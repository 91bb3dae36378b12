"""Layer: Landlock. Everything that the running kernel's version can forbid is forbidden; no path is excepted.

Optional: on kernels without it the seccomp filter, which knows no file calls, carries the weight.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import ClassVar

from eureka.sandbox import libc
from eureka.sandbox.layer import Layer, Scope
from eureka.sandbox.syscalls import architecture

_CREATE_RULESET_VERSION = 1


@dataclass(frozen=True)
class Rights:
    """Bit masks of what a ruleset of one ABI version handles (include/uapi/linux/landlock.h)."""

    files: int
    network: int
    scoped: int

    def attribute(self) -> bytes:
        """`struct landlock_ruleset_attr`, as short as the oldest kernel that knows these bits wants it."""
        words = [self.files, self.network, self.scoped]
        while len(words) > 1 and words[-1] == 0:
            words.pop()
        return struct.pack(f"={len(words)}Q", *words)


def rights(abi: int) -> Rights:
    """Everything that a kernel of this ABI version can forbid.

    Version 1 knows 13 file rights; 2 adds REFER, 3 TRUNCATE, 4 TCP bind and connect, 5 device ioctl, 6 the scopes
    of abstract sockets and signals, 9 named sockets, 10 UDP.
    """
    files = (1 << 13) - 1
    for since, bit in ((2, 13), (3, 14), (5, 15), (9, 16)):
        files |= (abi >= since) << bit
    network = (0b0011 if abi >= 4 else 0) | (0b1100 if abi >= 10 else 0)
    return Rights(files=files, network=network, scoped=0b11 if abi >= 6 else 0)


class Landlock(Layer):
    """No file, directory, TCP port, abstract socket or foreign signal."""

    name: ClassVar[str] = "landlock"
    mandatory: ClassVar[bool] = False
    remedy: ClassVar[str] = "use Linux 5.13 or newer with landlock in CONFIG_LSM or the boot option lsm="

    def apply(self, scope: Scope) -> str:  # noqa: ARG002 - the interface's
        """Restrict this thread, the only one after a fork, to a ruleset without rules. Needs NO_NEW_PRIVS."""
        numbers = architecture().numbers
        create = numbers["landlock_create_ruleset"]
        abi = libc.syscall(create, None, 0, _CREATE_RULESET_VERSION)
        attribute = rights(abi).attribute()
        ruleset = libc.syscall(create, attribute, len(attribute), 0)
        try:
            libc.syscall(numbers["landlock_restrict_self"], ruleset, 0)
        finally:
            os.close(ruleset)
        return f"ABI {abi}, nothing allowed"
