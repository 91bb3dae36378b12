"""Layer: user, network, IPC and UTS namespaces of the child's own. Optional: Ubuntu and Docker deny them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from eureka.sandbox import libc
from eureka.sandbox.layer import Layer, Scope

CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000


class Namespaces(Layer):
    """An empty network and no shared memory of others. Entered after the fork: a threaded process is refused."""

    name: ClassVar[str] = "namespaces"
    mandatory: ClassVar[bool] = False
    remedy: ClassVar[str] = "allow unprivileged user namespaces (kernel.apparmor_restrict_unprivileged_userns=0)"

    def apply(self, scope: Scope) -> str:  # noqa: ARG002 - the interface's
        """Enter the namespaces and map only the child's own user and group into them."""
        user, group = os.getuid(), os.getgid()
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)
        own = Path("/proc/self")
        (own / "setgroups").write_text("deny", encoding="utf-8")
        (own / "uid_map").write_text(f"{user} {user} 1", encoding="utf-8")
        (own / "gid_map").write_text(f"{group} {group} 1", encoding="utf-8")
        return "own user, network, IPC and UTS namespaces"
