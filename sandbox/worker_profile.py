"""The second profile of confinement: a trusted process that has warmed up and goes on to compute verified graphs.

A training worker loads its task, which is the user's own code, warms up, and then permanently gives up rights that only
an attacker would use: files, sockets, programs, processes. Its threads and open descriptors stay. Unlike a sandbox's
child it is not a fork, has no limit on memory and is ended by its parent; and it also runs if a layer is missing, since
its rewards were verified before.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import ClassVar

from eureka.core.errors import SandboxError
from eureka.core.machine import resource
from eureka.core.processes import Child, child_environment, module_command
from eureka.sandbox.canaries import Canaries
from eureka.sandbox.environment import Environment
from eureka.sandbox.layer import Layer, Scope, confine
from eureka.sandbox.privileges import Privileges
from eureka.sandbox.results import LayerReport, Limits
from eureka.sandbox.rlimits import lower
from eureka.sandbox.seccomp import Seccomp
from eureka.sandbox.syscalls import unsupported

_LOG_BYTES = 16 << 20


class WorkerLimits(Layer):
    """Limits the size of the log, and disables core files."""

    name: ClassVar[str] = "rlimits"
    mandatory: ClassVar[bool] = False
    remedy: ClassVar[str] = "allow setrlimit"

    def apply(self, scope: Scope) -> str:  # noqa: ARG002 - the interface's
        """Set the limits."""
        assert resource is not None
        lower(resource.RLIMIT_FSIZE, _LOG_BYTES, _LOG_BYTES)
        lower(resource.RLIMIT_CORE, 0, 0)
        return f"a log of {_LOG_BYTES >> 20} MiB, no core file"


WORKER_LAYERS: tuple[Layer, ...] = (Environment(), Privileges(), WorkerLimits(), Seccomp(), Canaries())
"""The layers in order; seccomp needs what Privileges sets, and also covers existing threads."""


def confine_worker() -> tuple[LayerReport, ...]:
    """Confine the calling process and all of its threads permanently, as far as the machine allows, and report."""
    problem = unsupported()
    if problem:
        return tuple(layer.report("missing", problem) for layer in WORKER_LAYERS)
    scope = Scope(limits=Limits(), parent=os.getppid(), keep=_open_descriptors())
    return confine(WORKER_LAYERS, scope, "enforced", ())


def worker_unconfined(why: str) -> tuple[LayerReport, ...]:
    """The report of a worker that must keep the rights that the profile removes."""
    return tuple(layer.report("off", why) for layer in WORKER_LAYERS)


def _open_descriptors() -> frozenset[int]:
    """The descriptors passed to the process and those that its libraries hold; it can open no others."""
    return frozenset(int(entry.name) for entry in Path("/proc/self/fd").iterdir())


def inspect_worker_layers() -> tuple[LayerReport, ...]:
    """The state of every layer of this profile on this machine, found by confining one small process.

    Raises:
        SandboxError: the process could not be started, or ended early.
    """
    try:
        with Child(
            module_command("eureka.sandbox.worker_profile"), child_environment(os.environ), stdout=True
        ) as child:
            text = child.stdout.read()
            reason = child.reason()
    except OSError as error:
        raise SandboxError(f"a worker's confinement cannot be tried: {error.strerror}") from error
    if not text:
        raise SandboxError(f"a worker's confinement cannot be tried: {reason}")
    return tuple(LayerReport(**layer) for layer in json.loads(text))


def in_words(reports: Sequence[LayerReport]) -> str:
    """The confinement in force in words, for the terminal and the run's record."""
    states = {report.state for report in reports}
    if states == {"on"}:
        return "no files, sockets, programs or processes"
    if states == {"off"}:
        return f"not confined: {reports[0].detail}"
    return "; ".join(f"{report.name} {report.state}" for report in reports)


if __name__ == "__main__":
    os.write(1, json.dumps([asdict(report) for report in confine_worker()]).encode())
