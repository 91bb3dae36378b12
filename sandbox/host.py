"""`Sandbox`, the host's side: one warm zygote, a fresh confined child for every run."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from dataclasses import replace
from types import TracebackType

from eureka.core.errors import SandboxError, SandboxUnavailable
from eureka.sandbox.environment import Environment, clean_environment
from eureka.sandbox.launch import ZygoteLostError, ZygoteProcess
from eureka.sandbox.layer import lacking
from eureka.sandbox.output_cap import OutputCap
from eureka.sandbox.results import Failed, Finished, LayerReport, Limits, Mode
from eureka.sandbox.run import converse
from eureka.sandbox.stack import LAYERS
from eureka.sandbox.syscalls import unsupported
from eureka.sandbox.wire import Job

DEFAULT_LIMITS = Limits()
START_TIMEOUT_S = 300.0
_PROBE = "eureka.sandbox.child:echo"


class Sandbox:
    """Runs host-written functions that handle generated code, each call in a fresh confined process.

    Args:
        preload: `module:function`, called once without arguments in the zygote; it must import everything that targets
            need, since files are inaccessible afterwards.
        limits: default limits of a run.
        mode: `unsafe` runs without confinement, with clean environment, clock, byte caps and rlimits only.
        import_path: folders to add to the zygote's `sys.path`, for targets outside installed packages.
        without: names of layers to leave out, to test the others; the canaries still decide.
    """

    def __init__(
        self,
        preload: str | None = None,
        limits: Limits = DEFAULT_LIMITS,
        mode: Mode = "enforced",
        *,
        import_path: Iterable[str | os.PathLike[str]] = (),
        without: Iterable[str] = (),
    ) -> None:
        self._preload = preload
        self._limits = limits
        self._mode: Mode = mode
        self._import_path = tuple(os.path.abspath(path) for path in import_path)
        self._without = tuple(without)
        self._lock = threading.Lock()
        self._zygote: ZygoteProcess | None = None
        self._closed = False
        self._layers: tuple[LayerReport, ...] = ()

    @property
    def layers(self) -> tuple[LayerReport, ...]:
        """The layers of the last start, including missing mandatory ones that made it fail; empty before the first."""
        return self._layers

    def start(self) -> None:
        """Start the zygote, wait for its warm-up, and confine one child on trial.

        Raises:
            SandboxUnavailable: a mandatory layer is missing on this machine.
            SandboxError: the zygote or its warm-up failed.
        """
        self._ready()

    def run(self, target: str, payload: bytes, limits: Limits | None = None) -> Finished | Failed:
        """Call `target` ("module:function", bytes to bytes) on the payload in a fresh confined child.

        Thread-safe; calls from several threads run in parallel. If the zygote dies, it is started again and the
        call repeated, once.

        Raises:
            SandboxUnavailable: a mandatory layer is missing on this machine.
            SandboxError: the target cannot be imported, the zygote died twice, or the sandbox is closed.
        """
        job = self._job(target, limits or self._limits)
        zygote = self._ready()
        try:
            return converse(zygote, job, payload, self._require)
        except ZygoteLostError:
            self._retire(zygote)
        zygote = self._ready()
        try:
            return converse(zygote, job, payload, self._require)
        except ZygoteLostError as lost:
            self._retire(zygote)
            raise SandboxError(f"The sandbox failed twice on one job: {lost}.") from lost

    def close(self) -> None:
        """End the zygote and every child; runs in progress raise SandboxError."""
        with self._lock:
            self._closed = True
            zygote, self._zygote = self._zygote, None
        if zygote is not None:
            zygote.close()

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _ready(self) -> ZygoteProcess:
        with self._lock:
            if self._closed:
                raise SandboxError("The sandbox is closed; make a new one.")
            if self._zygote is None:
                self._zygote = self._launch()
            return self._zygote

    def _retire(self, zygote: ZygoteProcess) -> None:
        with self._lock:
            if self._zygote is zygote:
                self._zygote = None
                zygote.kill()

    def _launch(self) -> ZygoteProcess:
        problem = unsupported()
        if problem and self._mode == "enforced":
            self._layers = tuple(layer.report("missing", problem) for layer in LAYERS)
            self._require(self._layers)
        variables = os.environ if Environment.name in self._without else clean_environment()
        zygote = ZygoteProcess(self._preload, self._import_path, variables)
        try:
            zygote.wait_ready(START_TIMEOUT_S)
            converse(zygote, self._job(_PROBE, self._limits), b"", self._record)
        except ZygoteLostError as lost:
            zygote.kill()
            raise SandboxError(f"The sandbox failed at its start: {lost}.") from lost
        except BaseException:
            zygote.kill()
            raise
        return zygote

    def _job(self, target: str, limits: Limits) -> Job:
        if OutputCap.name in self._without:
            limits = replace(limits, output_bytes=sys.maxsize)
        return Job(target, limits, self._mode, self._without)

    def _record(self, reports: tuple[LayerReport, ...]) -> None:
        self._layers = reports
        self._require(reports)

    @staticmethod
    def _require(reports: tuple[LayerReport, ...]) -> None:
        missing = lacking(reports)
        if missing:
            what = "; ".join(f"{report.name} ({report.detail})" for report in missing)
            raise SandboxUnavailable(
                f"Generated code cannot be confined on this machine, for lack of {what}. "
                "Use the container (docs/installation.md); sandbox=unsafe is for a machine that holds nothing of worth."
            )


def inspect_layers() -> tuple[LayerReport, ...]:
    """The state of every layer on this machine, found by confining one small child; never raises for a missing one.

    Raises:
        SandboxError: even an unconfined child could not be started.
    """
    sandbox = Sandbox()
    try:
        sandbox.start()
    except SandboxUnavailable:
        pass
    finally:
        sandbox.close()
    return sandbox.layers
