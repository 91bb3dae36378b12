"""What an attack is, and how it is seen from outside whether it succeeded."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from attack_suite.scene import Scene

from eureka.sandbox import Failed, Finished, Limits

PRIVATE_MEMORY = "private memory"
SECCOMP, LANDLOCK, NAMESPACES = "seccomp", "landlock", "namespaces"
PRIVILEGES, RLIMITS, DESCRIPTORS, ENVIRONMENT = "privileges", "rlimits", "descriptors", "environment"
CLOCK, WATCHDOG, OUTPUT_CAP = "clock", "watchdog", "output cap"
LANDLOCK_TRUNCATE, LANDLOCK_TCP, LANDLOCK_SCOPE, LANDLOCK_UDP = (
    "landlock>=3",
    "landlock>=4",
    "landlock>=6",
    "landlock>=10",
)
LANDLOCK_UNIX = "landlock>=9"

FORK = "own process"
"""Every candidate's process is forked from the same zygote and never seen by the next: no switch, it is the design."""
HOST = "host"
"""The host's own care: how it reads answers, and its second clock."""
VERIFIER = "verifier"
"""`eureka.reward`, which takes nothing for granted of what comes back."""

QUICK = Limits(wall_s=10, cpu_s=10)
HANG = Limits(wall_s=0.1, cpu_s=1)
GREED = Limits(wall_s=10, cpu_s=10, memory_bytes=32 << 20, resident_bytes=16 << 20, threads=64)
FLOOD = Limits(wall_s=10, cpu_s=10, output_bytes=1 << 20)

Control = Literal["unconfined", "together", "hangs", "none"]


class Evidence(NamedTuple):
    """What came of one attack. `next` is what an honest candidate answered that ran after it in the same zygote."""

    outcome: Finished | Failed
    next: Finished | Failed | None
    elapsed_s: float
    scene: Scene
    limits: Limits


Oracle = Callable[[Evidence], bool]


@dataclass(frozen=True)
class Attack:
    """One attack.

    Args:
        name: unique in the suite.
        source: what the candidate executes; the names it may use are in `Scene.names` and `target.run`.
        succeeded: whether it did, judged by the parent.
        holders: all that stop it, each without the others; the first is what stops it where everything is on.
        control: how it is shown to succeed where nothing holds it: `unconfined`, all layers off; `together`, it and
            `then` in one process; `hangs`, it runs until it is killed; `none`, for the reason `why`.
        root: only root could do this even unconfined.
        then: what the next candidate executes.
        before: what the control executes first in the same process, where a candidate cannot.
        machine: the only architecture on which it makes sense.
    """

    name: str
    source: str
    succeeded: Oracle
    holders: tuple[str, ...]
    limits: Limits = QUICK
    control: Control = "unconfined"
    why: str = ""
    root: bool = False
    then: str = ""
    before: str = ""
    machine: str = ""
    torch: bool = False


def done(evidence: Evidence) -> bool:
    """The forbidden act did not fail."""
    return isinstance(evidence.outcome, Finished)


def says_true(evidence: Evidence) -> bool:
    """The candidate found what it looked for."""
    return isinstance(evidence.outcome, Finished) and evidence.outcome.output == b"True"


def told(evidence: Evidence) -> bool:
    """A secret is in what the candidate answered."""
    said = evidence.outcome.output if isinstance(evidence.outcome, Finished) else evidence.outcome.detail.encode()
    return any(secret.encode() in said for secret in evidence.scene.secrets)


def changed(evidence: Evidence) -> bool:
    """The folder is not what it was."""
    return evidence.scene.changed()


def received(evidence: Evidence) -> bool:
    """Something arrived at one of the listeners."""
    return evidence.scene.received()


def victim_hurt(evidence: Evidence) -> bool:
    """The other process was ended or stopped."""
    return evidence.scene.victim_hurt()


def overran(evidence: Evidence) -> bool:
    """It went on long after its time, or had its answer counted all the same."""
    return isinstance(evidence.outcome, Finished) or evidence.elapsed_s > evidence.limits.wall_s + 5


def flooded(evidence: Evidence) -> bool:
    """The host took more bytes than it allows."""
    return isinstance(evidence.outcome, Finished) and len(evidence.outcome.output) > evidence.limits.output_bytes


def lingers(evidence: Evidence) -> bool:
    """A process that the candidate named in its answer is alive after the candidate's end."""
    if not isinstance(evidence.outcome, Finished):
        return False
    pid = int(evidence.outcome.output)
    evidence.scene.strays.append(pid)
    return os.path.exists(f"/proc/{pid}")


def poisoned(evidence: Evidence) -> bool:
    """The next candidate found what this one left."""
    return isinstance(evidence.next, Finished) and evidence.next.output == b"True"


def next_told(evidence: Evidence) -> bool:
    """A secret is in what the next candidate answered."""
    return evidence.next is not None and told(evidence._replace(outcome=evidence.next))


def forged(evidence: Evidence) -> bool:
    """The host took for an answer what was none."""
    return isinstance(evidence.outcome, Finished)
