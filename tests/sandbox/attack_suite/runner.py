"""Runs attacks in the columns: in one warm zygote for each kind of machine, many at a time."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import pytest
from attack_suite.attack import HOST, VERIFIER, Attack, Evidence
from attack_suite.columns import CONTROL, CONTROL_WITH_CLOCK, FULL, Cell, Column, standing, stopped_by
from attack_suite.forgery import Forgery
from attack_suite.scene import KEY_NAME, Scene

from eureka.core.errors import SandboxError
from eureka.sandbox import Failed, Finished, LayerReport, Limits, Sandbox
from eureka.sandbox.launch import ZygoteLostError
from eureka.sandbox.layer import lacking
from eureka.sandbox.run import converse
from eureka.sandbox.wire import Job

HERE = Path(__file__).parent.parent
TARGET = "attack_suite.target:run"
SECOND_CLOCK_S = 2.0
AT_A_TIME = 2 * len(os.sched_getaffinity(0)) + 2


class RefusedError(Exception):
    """A wanted layer is missing in this zygote's children: generated code did not run."""


class Trial(NamedTuple):
    """What came of one run. `succeeded` is the oracle's word."""

    outcome: Finished | Failed
    following: Finished | Failed | None
    succeeded: bool


class _Kind(NamedTuple):
    """What tells zygotes apart. The `exposed` one serves the control, whose attacks can reach it."""

    warm_up: str
    with_environment: bool
    exposed: bool


class Zygote:
    """One warm zygote, and what its children can be confined with."""

    def __init__(self, warm_up: str, *, with_environment: bool) -> None:
        off = ("environment", "canaries") if with_environment else ()
        self._sandbox = Sandbox(f"attack_suite.target:{warm_up}", import_path=[HERE], without=off)
        self._sandbox.start()
        self.layers = {report.name: report for report in self._sandbox.layers}

    def run(self, column: Column, target: str, payload: bytes, limits: Limits) -> Finished | Failed:
        """As `Sandbox.run`, with the column's layers, and without a second try."""
        process = self._sandbox._zygote
        assert process is not None
        return converse(process, Job(target, limits, column.mode, column.without), payload, _require)

    def close(self) -> None:
        self._sandbox.close()


def _require(reports: tuple[LayerReport, ...]) -> None:
    if missing := lacking(reports):
        raise RefusedError("; ".join(f"{report.name}: {report.detail}" for report in missing))


def _order(sources: list[str], names: dict[str, object]) -> bytes:
    return json.dumps({"sources": sources, "names": names}).encode()


class Runner:
    """Zygotes are started as they are needed, by `run`."""

    def __init__(self) -> None:
        self._key, self._rival = (f"{kind}-{os.urandom(16).hex()}" for kind in ("key", "rival"))
        self._zygotes: dict[_Kind, Zygote] = {}
        self._forgery: Forgery | None = None
        self._patch = pytest.MonkeyPatch()

    def __enter__(self) -> Runner:
        self._patch.setenv(KEY_NAME, self._key)
        self._patch.setattr("eureka.sandbox.run.GRACE_S", SECOND_CLOCK_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for zygote in self._zygotes.values():
            zygote.close()
        if self._forgery:
            self._forgery.close()
        self._patch.undo()

    def run(self, pairs: Sequence[tuple[Attack, Column]]) -> dict[tuple[str, str], Cell]:
        """Their cells, by the attack's and the column's name; many at a time."""
        for attack, column in pairs:
            self._prepare(attack, column)
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            cells = pool.map(lambda pair: self._cell(*pair), pairs)
            return {(attack.name, column.name): cell for (attack, column), cell in zip(pairs, cells, strict=True)}

    def _prepare(self, attack: Attack, column: Column) -> None:
        if VERIFIER in attack.holders:
            self._forgery = self._forgery or Forgery(HERE)
        elif _reason_against(attack, column) is None and self._kind(attack, column) not in self._zygotes:
            kind = self._kind(attack, column)
            self._zygotes[kind] = Zygote(kind.warm_up, with_environment=kind.with_environment)
            # The secret of a candidate that came before.
            self._zygotes[kind].run(FULL, TARGET, _order([f"left = {self._rival!r}"], {}), Limits())

    @staticmethod
    def _kind(attack: Attack, column: Column) -> _Kind:
        if attack.torch:
            return _Kind("warm_torch", with_environment=False, exposed=False)
        return _Kind(column.zygote, with_environment="environment" in column.without, exposed=column == CONTROL)

    def _cell(self, attack: Attack, column: Column) -> Cell:
        if reason := _reason_against(attack, column):
            return Cell("n/a", "", reason)
        if VERIFIER in attack.holders:
            assert self._forgery
            return self._forgery.cell(attack, column)
        zygote = self._zygotes[self._kind(attack, column)]
        if column == CONTROL:
            return self._control(attack, zygote)
        holders = standing(attack, column, zygote.layers)
        if not holders:
            return Cell("n/a", "", f"only {', '.join(attack.holders)} can hold it")
        try:
            trial = self._try(attack, column, zygote, attack.limits)
        except RefusedError as refused:
            return Cell("stopped", "refusal", str(refused))
        if trial.succeeded:
            return Cell("open", "", f"{trial.outcome}, then {trial.following}")
        return Cell("stopped", stopped_by(trial.outcome, holders), _short(trial.outcome))

    def _control(self, attack: Attack, zygote: Zygote) -> Cell:
        generous = replace(attack.limits, wall_s=20, cpu_s=20, output_bytes=1 << 40)
        if attack.control == "hangs":
            trial = self._try(attack, CONTROL_WITH_CLOCK, zygote, replace(generous, wall_s=3 * attack.limits.wall_s))
            succeeded = isinstance(trial.outcome, Failed) and trial.outcome.kind == "timeout"
        else:
            trial = self._try(attack, CONTROL, zygote, generous)
            succeeded = trial.succeeded
        return Cell("open" if succeeded else "stopped", "", _short(trial.outcome))

    def _try(self, attack: Attack, column: Column, zygote: Zygote, limits: Limits) -> Trial:
        together = column == CONTROL and attack.control == "together"
        with Scene(attack.source + attack.then, self._key, self._rival) as scene:
            names = scene.names | ({"RIVAL": self._rival} if together else {})
            sources = [attack.before, attack.source, attack.then] if together else [attack.source]
            started = time.monotonic()
            outcome = self._outcome(zygote, column, _order(sources, names), limits)
            elapsed_s = time.monotonic() - started
            following = outcome if together else None
            if attack.then and not together:
                following = self._outcome(zygote, column, _order([attack.then], names), Limits())
            # The oracle compares with the attack's own limits, whatever a control runs under.
            succeeded = attack.succeeded(Evidence(outcome, following, elapsed_s, scene, attack.limits))
        return Trial(outcome, following, succeeded)

    @staticmethod
    def _outcome(zygote: Zygote, column: Column, payload: bytes, limits: Limits) -> Finished | Failed:
        try:
            return zygote.run(column, TARGET, payload, limits)
        except ZygoteLostError as lost:
            return Failed("timeout", f"{HOST}: {lost}")
        except SandboxError as error:
            return Failed("killed", f"{HOST}: {error}")


def _short(outcome: Finished | Failed) -> str:
    return str(outcome)[:200]


def _reason_against(attack: Attack, column: Column) -> str | None:
    """Why an attack is not tried in a column at all."""
    if attack.machine and attack.machine != platform.machine():
        return f"made for {attack.machine}"
    if column == CONTROL and attack.control == "none":
        return attack.why
    if column == CONTROL and attack.root and os.getuid() != 0:
        return "only root could do this unconfined"
    if VERIFIER in attack.holders and column not in (CONTROL, FULL):
        return "the parent judges bytes: no layer takes part"
    if attack.torch and column.zygote != "warm_up":
        return "tried with the machine's own layers only"
    return None
