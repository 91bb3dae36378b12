"""Inputs and results of the sandbox: limits, reports of layers, and the two ways a run can end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["enforced", "unsafe"]
State = Literal["on", "missing", "off"]
FailureKind = Literal["timeout", "memory", "output", "killed", "error"]


@dataclass(frozen=True)
class Limits:
    """Limits of one run.

    `wall_s` is kept by the trusted side; `cpu_s` is processor time of all threads together; `memory_bytes` is what
    the child may map on top of what the warm zygote had mapped already, `resident_bytes` what it may fill on top of
    what that held; `output_bytes` caps the answer.
    """

    wall_s: float = 20.0
    cpu_s: int = 20
    memory_bytes: int = 4 << 30
    resident_bytes: int = 2 << 30
    threads: int = 256
    output_bytes: int = 8 << 20


@dataclass(frozen=True)
class LayerReport:
    """The state of one layer of confinement in a child: `on`, `missing` (wanted, but not to be had) or `off`."""

    name: str
    state: State
    mandatory: bool
    detail: str


@dataclass(frozen=True)
class Finished:
    """The target returned. `output` was written by a process that ran generated code, so it is untrusted."""

    output: bytes
    wall_s: float


@dataclass(frozen=True)
class Failed:
    """The run gave no answer. `detail` is one sentence; for `error` it is the text of the target's exception.

    `trace` is Python's report of a crash with the executed lines; generated code can forge it.
    """

    kind: FailureKind
    detail: str
    trace: str = ""
