"""Layer: no privileges, none to be gained, no debugger, and death with the zygote."""

from __future__ import annotations

import os
import signal
import struct
import sys
from typing import ClassVar

from eureka.sandbox import libc
from eureka.sandbox.layer import Layer, Scope
from eureka.sandbox.syscalls import architecture

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522


def die_with(parent: int) -> None:
    """Be killed when the thread that forked this process ends; on systems without PDEATHSIG do nothing."""
    if sys.platform == "linux":
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


class Privileges(Layer):
    """Comes after the namespaces: entering those clears the death signal, and needs a dumpable process."""

    name: ClassVar[str] = "privileges"
    mandatory: ClassVar[bool] = True
    remedy: ClassVar[str] = "use Linux 3.5 or newer"

    def apply(self, scope: Scope) -> str:
        """Drop every capability, forbid new ones, hide from debuggers, die with the zygote."""
        header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
        libc.syscall(architecture().numbers["capset"], header, bytes(24))
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1)
        libc.prctl(PR_SET_DUMPABLE, 0)
        die_with(scope.parent)
        return "no capabilities, no new privileges, not dumpable, dies with the zygote"
