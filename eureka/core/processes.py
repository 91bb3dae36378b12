"""Starting, feeding, waiting for and ending child processes. Imports only light modules."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Self

from eureka.core.errors import EurekaError

LOWEST_PRIORITY = 19
_TAIL_BYTES = 65_536
_LONGEST = 20
"""After this many times its limit a child counts as silent, however long it waited for a processor."""

# The environment variables passed to a child: enough to find libraries and devices, and no keys.
_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
_VARIABLE_PREFIXES = ("LC_", "MUJOCO_", "CUDA_", "NVIDIA_", "COVERAGE_")


def python_command(*arguments: str) -> list[str]:
    """The command line of this interpreter with these arguments.

    The interpreter's path is absolute, because children run in other folders. `-P` keeps the current folder, which may
    be untrusted, off the import path.
    """
    return [os.path.abspath(sys.executable), "-P", *arguments]


def module_command(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module."""
    return python_command("-m", module, *arguments)


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment variables for a child process: no keys, and one thread for each library."""
    kept = {
        name: value for name, value in environment.items() if name in _VARIABLES or name.startswith(_VARIABLE_PREFIXES)
    }
    if "PYTHONPATH" in kept:
        entries = kept["PYTHONPATH"].split(os.pathsep)
        kept["PYTHONPATH"] = os.pathsep.join(os.path.abspath(entry) for entry in entries if entry)
    return {**kept, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Child:
    """A running child process; as a context manager, it is closed on exit.

    Args:
        command: see `module_command` and `python_command`.
        environment: all of its environment variables.
        folder: its working folder; None for the current one.
        log: a file to which its standard error is appended; None for a temporary file. See `reason`.
        stdin: whether to open a pipe to its standard input; otherwise that is empty.
        stdout: whether to open a pipe from its standard output; otherwise that is discarded.
        own_session: run in a new session: Ctrl-C in the terminal does not reach it, it can have its own session
            priority (`lower_priority`), and its children end with it (`end`).
        pass_fds: file descriptors that it inherits.

    Raises:
        OSError: the process cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        folder: Path | None = None,
        log: Path | None = None,
        stdin: bool = False,
        stdout: bool = False,
        own_session: bool = True,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self._errors: IO[bytes] = _appended(log) if log else tempfile.TemporaryFile()  # noqa: SIM115 (see close)
        self._own_session = own_session
        try:
            self._process = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE if stdout else subprocess.DEVNULL,
                stderr=self._errors,
                text=True,
                errors="replace",
                start_new_session=own_session,
                pass_fds=pass_fds,
            )
        except BaseException:
            self._errors.close()
            raise
        self.heard()

    def heard(self) -> None:
        """Let its silence begin anew: it has said something, or was asked."""
        self._heard, self._waited_s = time.monotonic(), waited_s(self.pid)

    def is_silent(self, limit_s: float) -> bool:
        """Whether it has been silent for `limit_s`, without the time in which it waited for a processor that others
        used: on a machine with too much to do a child is slow, and not stuck. After `_LONGEST` times the limit it is
        silent in any case.
        """
        wall_s = time.monotonic() - self._heard
        if wall_s <= limit_s:
            return False
        return wall_s > _LONGEST * limit_s or wall_s - max(waited_s(self.pid) - self._waited_s, 0.0) > limit_s

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def stdin(self) -> IO[str]:
        """Its standard input, if started with `stdin`."""
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def stdout(self) -> IO[str]:
        """Its standard output, if started with `stdout`."""
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def returncode(self) -> int | None:
        """The exit status, or minus the number of the signal that killed it; None while it runs."""
        return self._process.poll()

    def send(self, line: str) -> bool:
        """Write a line to its standard input; False if it no longer reads."""
        try:
            self.stdin.write(f"{line}\n")
            self.stdin.flush()
        except BrokenPipeError:
            return False
        return True

    def close_stdin(self) -> None:
        """Close its standard input."""
        with suppress(BrokenPipeError):
            self.stdin.close()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the process to end, for at most `timeout_s`; returns whether it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)
        return self.returncode is not None

    def end(self, grace_s: float = 0.0) -> None:
        """End the process if it still runs, with its whole session if it has its own, and wait for it.

        Args:
            grace_s: seconds between SIGTERM and SIGKILL.
        """
        if grace_s > 0:
            self._signal(signal.SIGTERM)
            if self.wait(grace_s):
                return
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self.returncode is not None:
            return
        if self._own_session:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)
        else:
            self._process.send_signal(number)

    def last_line(self) -> str:
        """The last line of its standard error; empty if there is none."""
        size = os.fstat(self._errors.fileno()).st_size
        # Only the end of the file, and with `pread`: the child writes at the position of the shared open file.
        tail = os.pread(self._errors.fileno(), _TAIL_BYTES, max(size - _TAIL_BYTES, 0))
        return (tail.decode(errors="replace").strip().splitlines() or [""])[-1]

    def reason(self) -> str:
        """Why the process ended: the signal that killed it, or the last line of its standard error."""
        code = self._process.wait()
        return f"killed by signal {-code}" if code < 0 else self.last_line() or f"ended with status {code}"

    def close(self) -> None:
        """End the process and close its files."""
        self.end()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def waited_s(pid: int) -> float:
    """Seconds that the threads of a process have waited for a processor, in sum; 0 where the system does not tell."""
    total = 0
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError, IndexError, ValueError):  # a thread may have ended
            total += int(path.read_text().split()[1])
    return total / 1e9


def _appended(path: Path) -> IO[bytes]:
    """Open a log for appending; refuses links to other files."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o666), "a+b")


# ---- in the child ------------------------------------------------------------------------------------------------


def lower_priority(niceness: int = LOWEST_PRIORITY) -> None:
    """Lower this process's priority below that of trainings.

    If Linux groups processes by session (`sched_autogroup_enabled`), niceness only counts within a session, and every
    training worker has its own. So a process in a session of its own sets the niceness of the session too.
    """
    os.nice(niceness)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # another system, or a container without access to it: niceness alone
            Path("/proc/self/autogroup").write_text(str(niceness), encoding="ascii")


@contextmanager
def errors_end_process() -> Iterator[None]:
    """On an `EurekaError`, end this process with status 1 and one line on standard error, for `Child.reason`."""
    try:
        yield
    except EurekaError as error:
        sys.exit(" ".join(str(error).split()))
