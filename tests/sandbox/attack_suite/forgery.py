"""Hands forged traces to the real verifier of rewards."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from attack_suite.attack import VERIFIER, Attack
from attack_suite.columns import CONTROL, Cell, Column

from eureka.core.types import Candidate, FieldSpec, Rejected
from eureka.reward.trace.service import PRELOAD, TRACE, RewardVerifier
from eureka.sandbox import Failed, Finished, Limits, Sandbox

FORGE = "attack_suite.target:forge"
LIMITS = Limits(wall_s=20, cpu_s=20, memory_bytes=1 << 30)
ROWS = 256
FIELDS = tuple(FieldSpec(name, (), "float32", "", "", "") for name in ("speed", "height"))
SOURCE = "def compute_reward(speed):\n    run = speed * 0.5\n    return run, {'forward': run}\n"


class _Forger:
    """Answers for the trace with what the attack makes; all else goes to the sandbox."""

    def __init__(self, sandbox: Sandbox, source: str) -> None:
        self._sandbox = sandbox
        self._source = source

    def run(self, target: str, payload: bytes) -> Finished | Failed:
        if target != TRACE:
            return self._sandbox.run(target, payload)
        order = {"source": self._source, "request": payload.hex()}
        return self._sandbox.run(FORGE, json.dumps(order).encode())


class Forgery:
    """A sandbox that is warm for rewards. The control is the honest graph, which must be accepted."""

    def __init__(self, import_path: Path) -> None:
        self._sandbox = Sandbox(PRELOAD, LIMITS, import_path=[import_path])
        self._sandbox.start()
        speeds = torch.linspace(-2, 3, ROWS)
        self._transitions = {"speed": speeds, "height": speeds.flip(0)}

    def close(self) -> None:
        self._sandbox.close()

    def cell(self, attack: Attack, column: Column) -> Cell:
        """Whether the verifier takes the forged graph."""
        source = "" if column == CONTROL else attack.source
        verifier = RewardVerifier(FIELDS, self._transitions, _Forger(self._sandbox, source))
        candidate = Candidate("g00-c00", SOURCE, ("speed",))
        verdict = verifier.verify(candidate)
        if isinstance(verdict, Rejected):
            return Cell("stopped", VERIFIER, verdict.reason[:200])
        return Cell("open", "", "accepted")
