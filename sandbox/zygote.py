"""The zygote: `python -m eureka.sandbox.zygote OPTIONS`, a preloaded interpreter that forks one confined child per job.

It is started by exec with an empty environment, runs the host's warm-up, then serves jobs from one socket. Payloads and
answers never pass through it, so that no child can find another's in the memory that it inherits. It never blocks on a
child: it runs their guards, kills those that break a limit or whose caller is gone, reaps them and reports how they
ended. It ends when the host closes the socket or dies.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from eureka.core.machine import resource
from eureka.sandbox.child import Channels, UnknownTargetError, live, resolve
from eureka.sandbox.layer import Breach, LayerGuard
from eureka.sandbox.options import Options
from eureka.sandbox.rlimits import lower
from eureka.sandbox.stack import GUARDED
from eureka.sandbox.wire import Ended, Frames, Job, NotStarted, Ready, encode, write_all

MAX_ZYGOTE_DESCRIPTORS = 1024
_POLL_S = 1.0


@dataclass
class _Child:
    status: int
    guards: tuple[LayerGuard, ...]
    breach: Breach | None = None

    def patience_s(self) -> float:
        return min((guard.patience_s() for guard in self.guards), default=_POLL_S)

    def found_guilty(self) -> bool:
        """Check the guards; True once, when one of them reports a breach."""
        if self.breach:
            return False
        for guard in self.guards:
            self.breach = self.breach or guard.breach()
        return self.breach is not None

    def close(self) -> None:
        for guard in self.guards:
            guard.close()
        os.close(self.status)


class Zygote:
    """The serving loop over the control socket and the children."""

    def __init__(self, control: socket.socket, options: Options) -> None:
        self._control = control
        self._options = options
        self._children: dict[int, _Child] = {}
        self._poll = select.poll()
        self._wakeup, waker = socket.socketpair()
        for end in (self._wakeup, waker):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        self._waker = waker
        self._poll.register(control, select.POLLIN)
        self._poll.register(self._wakeup, select.POLLIN)

    def serve(self) -> None:
        """Serve jobs until the host closes the socket or dies; then no child is left."""
        try:
            while os.getppid() == self._options.host and self._turn():
                pass
        finally:
            for pid in self._children:
                _kill(pid)

    def _turn(self) -> bool:
        """Wait for the next event and handle it; False if the host has closed the socket."""
        ready = {descriptor for descriptor, _ in self._poll.poll(1000 * self._patience_s())}
        if self._wakeup.fileno() in ready:
            self._wakeup.recv(4096)
        for pid, child in self._children.items():
            # A status pipe reports an error when its reader, the caller, is gone.
            if child.status in ready or child.found_guilty():
                _kill(pid)
        self._reap()
        return self._control.fileno() not in ready or self._accept()

    def _patience_s(self) -> float:
        waits = [child.patience_s() for child in self._children.values() if not child.breach]
        return max(0.0, min([_POLL_S, *waits]))

    def _accept(self) -> bool:
        header, descriptors, _, _ = socket.recv_fds(self._control, 4, 3)
        if not header:
            return False
        (job,) = Frames().feed(header + self._receive(int.from_bytes(header, sys.byteorder)))
        self._fork(cast(Job, job), Channels(*descriptors))
        return True

    def _receive(self, length: int) -> bytes:
        data = b""
        while len(data) < length and (more := self._control.recv(length - len(data))):
            data += more
        return data

    def _fork(self, job: Job, channels: Channels) -> None:
        zygote = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            write_all(channels.status, encode(NotStarted(f"no process could be forked: {error.strerror}")))
            channels.close()
            return
        if pid == 0:
            live(job, channels, zygote)
        os.close(channels.payload)
        os.close(channels.answer)
        self._poll.register(channels.status, 0)
        wanted = [layer for layer in GUARDED if layer.name not in job.without]
        guards = tuple(guard for layer in wanted if (guard := layer.guard(pid, job.limits)))
        self._children[pid] = _Child(channels.status, guards)

    def _reap(self) -> None:
        for pid, child in list(self._children.items()):
            ended, state, usage = os.wait4(pid, os.WNOHANG)
            if not ended:
                continue
            # In mode `unsafe`, the child may have left processes in its session.
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            del self._children[pid]
            self._poll.unregister(child.status)
            message = Ended(
                code=os.WEXITSTATUS(state) if os.WIFEXITED(state) else 0,
                signal=os.WTERMSIG(state) if os.WIFSIGNALED(state) else 0,
                breach=child.breach,
                cpu_s=usage.ru_utime + usage.ru_stime,
            )
            with suppress(BrokenPipeError):
                write_all(child.status, encode(message))
            child.close()


def _kill(pid: int) -> None:
    """Kill a child and its whole session; before it has a session of its own, only the child."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)


def _warm_up(preload: str) -> str | None:
    try:
        resolve(preload)()
    except UnknownTargetError as unknown:
        return str(unknown)
    except Exception as error:  # noqa: BLE001 - the host's warm-up may fail in any way, and the host is told
        return f"{preload} raised {type(error).__name__}: {error}"
    return None


def main(arguments: Sequence[str]) -> None:
    """Warm up, report readiness, serve jobs."""
    options = Options.from_argument(arguments[0])
    sys.path.extend(path for path in options.import_path if path not in sys.path)
    # Without close_range, as in older C libraries, a huge limit would slow down every child.
    if resource is not None:
        lower(resource.RLIMIT_NOFILE, MAX_ZYGOTE_DESCRIPTORS)
    problem = _warm_up(options.preload) if options.preload else None
    # Forking with library threads running is the purpose of this program; the child uses none of them.
    warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
    # Frozen objects are not touched by the children's garbage collections, so their pages stay shared.
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=options.control) as control, suppress(BrokenPipeError, ConnectionResetError):
        control.sendall(encode(Ready(problem)))
        if problem is None:
            Zygote(control, options).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
