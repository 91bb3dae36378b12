"""Forbidden acts that a child tries on itself before any generated code runs. None may succeed.

A layer reports what it did; a canary tests the effect. Every act is harmless even if it succeeds.
"""

from __future__ import annotations

import errno
import mmap
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from eureka.core.machine import resource
from eureka.sandbox import libc
from eureka.sandbox.layer import Layer, LayerMissingError, Scope
from eureka.sandbox.privileges import PR_SET_DUMPABLE
from eureka.sandbox.rlimits import MAX_DESCRIPTORS
from eureka.sandbox.syscalls import architecture

REFUSALS = frozenset({errno.EPERM, errno.EACCES, errno.ENOSYS})
"""Errors that count as a refusal. Any other error, such as "no such file", shows that the act itself was possible."""

_AF_NETLINK = 16
_CLONE_NEWUSER = 0x10000000
_PTRACE_PEEKDATA = 2
_NOWHERE = b"/tmp/eureka-canary"
_NOBODYS_KEY = 0x65756B61
"""Key of shared memory that does not exist: the attempt leaves nothing behind."""


@dataclass(frozen=True)
class Canary:
    """One forbidden act. `attempt` raises OSError if it is refused."""

    act: str
    attempt: Callable[[], object]

    def sings(self) -> bool:
        """Whether the act was refused."""
        try:
            self.attempt()
        except OSError as error:
            return error.errno in REFUSALS
        return False


def canaries(scope: Scope) -> Iterator[Canary]:
    """The acts, for a child of this scope."""
    yield from _on_files(scope.parent)
    yield from _on_processes(scope.parent)
    yield from _on_sockets()
    yield from _on_kernel()
    yield Canary("read environment variables", _read_environment)
    yield Canary("use a descriptor it was not given", lambda: _read_foreign_descriptor(scope.keep))
    yield Canary("raise its own limits", _raise_limits)


def _on_files(parent: int) -> Iterator[Canary]:
    yield Canary("open files", lambda: os.close(os.open("/etc/passwd", os.O_RDONLY)))
    yield Canary("read other processes' environment", lambda: Path(f"/proc/{parent}/environ").read_bytes())
    yield Canary("list directories", lambda: os.listdir("/"))
    yield Canary("make directories", _make_directory)
    yield Canary("delete files", lambda: os.unlink(_NOWHERE))
    yield Canary("make links", lambda: os.symlink(b"", _NOWHERE))


def _on_processes(parent: int) -> Iterator[Canary]:
    number = architecture().numbers
    yield Canary("start processes", lambda: _fork(number["clone"]))
    yield Canary("execute programs", lambda: libc.syscall(number["execve"], _NOWHERE, None, None))
    yield Canary("signal other processes", lambda: os.kill(parent, 0))
    yield Canary("trace other processes", lambda: libc.syscall(number["ptrace"], _PTRACE_PEEKDATA, parent, 0, 0))
    yield Canary(
        "read other processes' memory", lambda: libc.syscall(number["process_vm_readv"], parent, None, 0, None, 0, 0)
    )
    yield Canary("hold other processes", lambda: os.close(libc.syscall(number["pidfd_open"], parent, 0)))


def _on_sockets() -> Iterator[Canary]:
    yield Canary("open inet sockets", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).close())
    yield Canary("open inet6 sockets", lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close())
    yield Canary("open unix sockets", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close())
    yield Canary("open netlink sockets", lambda: socket.socket(_AF_NETLINK, socket.SOCK_RAW).close())


def _on_kernel() -> Iterator[Canary]:
    number = architecture().numbers
    yield Canary("enter namespaces", lambda: libc.unshare(_CLONE_NEWUSER))
    yield Canary("mount file systems", lambda: libc.syscall(number["mount"], None, None, None, 0, None))
    yield Canary("use io_uring", lambda: os.close(libc.syscall(number["io_uring_setup"], 1, bytes(120))))
    yield Canary("use bpf", lambda: libc.syscall(number["bpf"], 0, None, 0))
    yield Canary("use perf events", lambda: libc.syscall(number["perf_event_open"], None, 0, -1, -1, 0))
    yield Canary("use keyrings", lambda: libc.syscall(number["keyctl"], 0, -3, 0))
    yield Canary("use userfaultfd", lambda: os.close(libc.syscall(number["userfaultfd"], 0)))
    yield Canary("make files in memory", lambda: os.close(libc.syscall(number["memfd_create"], b"canary", 0)))
    yield Canary("make shared memory", lambda: libc.syscall(number["shmget"], _NOBODYS_KEY, 4096, 0))
    yield Canary("hold memory that no limit counts", _map_shared_memory)
    yield Canary("control descriptors", lambda: libc.syscall(number["fcntl"], 0, 3, 0))
    yield Canary("show itself to debuggers", lambda: libc.prctl(PR_SET_DUMPABLE, 1))


def _make_directory() -> None:
    os.mkdir(_NOWHERE)
    os.rmdir(_NOWHERE)


def _fork(clone: int) -> None:
    if (pid := libc.syscall(clone, int(signal.SIGCHLD), 0, 0, 0, 0)) == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _read_foreign_descriptor(keep: frozenset[int]) -> None:
    for descriptor in set(range(3, MAX_DESCRIPTORS)) - keep:
        with suppress(OSError):
            os.read(descriptor, 0)
            return
    raise PermissionError(errno.EPERM, "every other descriptor is closed")


def _read_environment() -> None:
    if not os.environ:
        raise PermissionError(errno.EPERM, "the environment is empty")


def _map_shared_memory() -> None:
    mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS).close()


def _raise_limits() -> None:
    assert resource is not None
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    try:
        resource.setrlimit(resource.RLIMIT_AS, unlimited)
    except ValueError as error:
        # Python's word for EPERM here: "not allowed to raise maximum limit".
        raise PermissionError(errno.EPERM, str(error)) from error


class Canaries(Layer):
    """The last layer: it confines nothing itself, and fails if the other layers allow a forbidden act."""

    name: ClassVar[str] = "canaries"
    mandatory: ClassVar[bool] = True
    remedy: ClassVar[str] = "see the layers that are missing or off"

    def apply(self, scope: Scope) -> str:
        """Try every forbidden act.

        Raises:
            LayerMissingError: at least one act succeeded; the message names all that did.
        """
        cages = list(canaries(scope))
        possible = [canary.act for canary in cages if not canary.sings()]
        if possible:
            raise LayerMissingError(f"generated code could still {', '.join(possible)}")
        return f"{len(cages)} forbidden acts tried, none succeeded"
