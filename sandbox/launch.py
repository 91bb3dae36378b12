"""The host's handle on one zygote process: starts it, sends it jobs, ends it."""

from __future__ import annotations

import os
import site
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import eureka
from eureka.core.errors import SandboxError
from eureka.core.processes import Child, module_command
from eureka.sandbox.child import Channels
from eureka.sandbox.options import Options
from eureka.sandbox.wire import Frames, GarbledError, Job, Ready, encode

_POLL_S = 0.5
_CLOSING_S = 5.0


class ZygoteLostError(Exception):
    """The zygote died, or sent an invalid message."""


def _import_root() -> dict[str, str]:
    """The variables that make `eureka` importable in a bare interpreter; empty if it is installed as a wheel."""
    root = str(Path(eureka.__file__).parent.parent)
    installed = {*site.getsitepackages(), site.getusersitepackages()}
    return {} if root in installed else {"PYTHONPATH": root}


class ZygoteProcess:
    """A running zygote, started by exec with `variables` as its environment. `submit` may be called from any thread."""

    def __init__(self, preload: str | None, import_path: Sequence[str], variables: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        options = Options(
            control=theirs.fileno(),
            host=os.getpid(),
            preload=preload,
            import_path=(*import_path, *filter(os.path.isabs, sys.path)),
        )
        with theirs:
            try:
                self._process = Child(
                    module_command("eureka.sandbox.zygote", options.to_argument()),
                    {**variables, **_import_root()},
                    folder=Path("/"),
                    pass_fds=(theirs.fileno(),),
                )
            except OSError as error:
                self._control.close()
                raise SandboxError(f"The sandbox's zygote could not be started: {error}.") from error

    @property
    def pid(self) -> int:
        """The zygote's process id."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.returncode is None

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until the preload is done.

        Raises:
            SandboxError: the preload failed, or did not finish in time.
        """
        deadline, frames = time.monotonic() + timeout_s, Frames()
        self._control.settimeout(_POLL_S)
        while time.monotonic() < deadline:
            try:
                data = self._control.recv(4096)
                messages = list(frames.feed(data))
            except TimeoutError:
                continue
            except GarbledError as garbled:
                raise SandboxError(f"The sandbox's zygote sent garbage while it started: {garbled}.") from garbled
            if not data:
                raise SandboxError(f"The sandbox's zygote ended while it started: {self._process.reason()}.")
            if messages:
                self._control.settimeout(None)
                return self._check(messages[0])
        raise SandboxError(f"The sandbox's zygote was not ready after {timeout_s:g} s; its warm-up hangs.")

    @staticmethod
    def _check(message: object) -> None:
        if not isinstance(message, Ready):
            raise SandboxError(f"The sandbox's zygote began with {message!r}; it is of another version.")
        if message.problem:
            raise SandboxError(f"The sandbox's warm-up failed: {message.problem}.")

    def submit(self, job: Job, channels: Channels) -> None:
        """Send a job with its descriptors, which stay open here.

        Raises:
            ZygoteLostError: the zygote has ended.
        """
        descriptors = [channels.payload, channels.answer, channels.status]
        try:
            with self._lock:
                socket.send_fds(self._control, [encode(job)], descriptors)
        except OSError as error:
            raise ZygoteLostError(f"the zygote takes no job: {error.strerror}") from error

    def close(self) -> None:
        """End the zygote, and with it every child."""
        self._control.close()
        self._process.wait(_CLOSING_S)
        self._process.close()

    def kill(self) -> None:
        """Kill a zygote that may not end by itself."""
        self._process.end()
        self.close()
