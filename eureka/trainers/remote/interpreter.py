"""Controls the other interpreter: starts it with the files of `inside`, sends requests over the wire, ends it."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from eureka.core.errors import ConfigError, TrainingError
from eureka.core.processes import Child, child_environment
from eureka.trainers.remote.inside.wire import RemoteMessage, RemoteWireError, decode, encode

OPENING_S = 1800.0
"""Time limit in seconds for opening an environment: simulators compile for minutes the first time."""
SILENCE_S = 900.0
_ABOUT_S = 120.0
_ENDING_S = 20.0
_OWN_PREFIXES = ("MJLAB_", "WARP_", "ISAAC", "OMNI_", "XDG_", "MUJOCO_", "ACCEPT_EULA", "VK_", "MS_ASSET_DIR")


class InterpreterDied(Exception):
    """The process ended, stopped responding or sent an invalid answer; the text says which."""


class RemoteRefusal(Exception):
    """A failure reported by the other interpreter, in its own sentence."""


class Interpreter:
    """The user's own Python interpreter with a simulator.

    Args:
        key: the config key that names it, for messages.
        python: its path.
        environment: environment variables, of which it gets only those it needs, and no keys.

    Raises:
        ConfigError: there is no such program.
    """

    def __init__(self, key: str, python: str, environment: Mapping[str, str]) -> None:
        path = Path(python).expanduser().absolute()
        if not path.is_file() or not os.access(path, os.X_OK):
            what = "is a folder: name the program in it, such as bin/python" if path.is_dir() else "is no program"
            raise ConfigError(f"{key}={python}: {path} {what}")
        self._key, self._path = key, path
        own = {name: value for name, value in environment.items() if name.startswith(_OWN_PREFIXES)}
        self._environment = {**child_environment(environment), **own, "WANDB_MODE": "disabled"}
        self._child: Child | None = None
        self._unread = b""

    def start(self, folder: Path | None = None) -> None:
        """Start the process if it does not run.

        Args:
            folder: folder for its log, `remote.log`.

        Raises:
            ConfigError: it cannot be started.
        """
        if self._child is not None:
            return
        command = [str(self._path), str(Path(__file__).parent / "inside" / "__main__.py")]
        log = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            log = folder / "remote.log"
        try:
            self._child = Child(command, self._environment, folder=folder, log=log, stdin=True, stdout=True)
        except OSError as error:
            raise ConfigError(f"{self._key}={self._path}: it cannot be started: {error.strerror}") from error
        self._unread = b""

    @property
    def is_running(self) -> bool:
        """Whether its process runs."""
        return self._child is not None and self._child.returncode is None

    def about(self) -> Mapping[str, Any]:
        """Versions and device of the interpreter, see `about` in the server.

        Raises:
            ConfigError: the interpreter cannot be used, for example because it is too old or lacks torch.
        """
        self.start()
        try:
            return self.ask(RemoteMessage("about"), _ABOUT_S).data
        except InterpreterDied as error:
            said = str(error)
            if "No module named 'torch'" in said:
                said = f"it has no torch, which the simulator needs too: {self._path} -m pip install torch"
            elif "SyntaxError" in said or "has no attribute" in said or "cannot import name" in said:
                said = f"it must be Python 3.10 or newer ({said})"
            raise ConfigError(f"{self._key}={self._path}: {said}") from error

    def ask(self, request: RemoteMessage, silence_s: float = SILENCE_S) -> RemoteMessage:
        """The one answer to a request.

        Raises:
            InterpreterDied: there was no answer.
            RemoteRefusal: the request failed.
        """
        self._send(request)
        return self._answer(silence_s)

    def answers(self, request: RemoteMessage) -> Iterator[RemoteMessage]:
        """Yield the answers to a request that has several, up to and without `end`; raises as `ask` does."""
        self._send(request)
        while (answer := self._answer(SILENCE_S)).kind != "end":
            yield answer

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.close()
            self._child = None

    # ---- bytes -----------------------------------------------------------------------------------------------------

    def _send(self, request: RemoteMessage) -> None:
        if self._child is None:
            raise TrainingError("the other interpreter does not run")
        view = memoryview(encode(request))
        try:
            while view:
                view = view[os.write(self._child.stdin.fileno(), view) :]
        except BrokenPipeError as error:
            raise InterpreterDied(self._child.reason()) from error

    def _answer(self, silence_s: float) -> RemoteMessage:
        try:
            answer = decode(lambda: self._line(silence_s), lambda size: self._bytes(size, silence_s))
        except RemoteWireError as error:
            raise InterpreterDied(f"it answered what is no message: {error}") from error
        if answer.kind == "error":
            raise RemoteRefusal(str(answer.data.get("sentence", "it does not say why"))[:1000])
        return answer

    def _line(self, silence_s: float) -> bytes:
        while b"\n" not in self._unread:
            self._more(silence_s)
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _bytes(self, size: int, silence_s: float) -> bytes:
        parts, missing = [self._unread[:size]], size - len(self._unread)
        self._unread = self._unread[size:]
        while missing > 0:
            self._more(silence_s)
            parts.append(self._unread[:missing])
            self._unread, missing = self._unread[missing:], missing - len(self._unread)
        return b"".join(parts)

    def _more(self, silence_s: float) -> None:
        assert self._child is not None
        self._child.heard()
        descriptor = self._child.stdout.fileno()
        while not select.select([descriptor], [], [], min(silence_s, 5.0))[0]:
            if self._child.is_silent(silence_s):
                raise InterpreterDied(f"it was silent for {silence_s:.0f} s")
        read = os.read(descriptor, 1 << 20)
        if not read:
            # Its output closes before the process ends, which can take a simulator a while.
            raise InterpreterDied(self._child.reason() if self._child.wait(_ENDING_S) else "it closed its output")
        self._unread += read
