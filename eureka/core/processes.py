"""Child processes: how one is started, what it is given, how it is waited for and ended. Imports nothing heavy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Self

from eureka.core.errors import EurekaError

LOWEST_PRIORITY = 19
_TAIL_BYTES = 65_536

# What a child may know of the environment: enough to find libraries and devices, and no keys.
_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
_VARIABLE_PREFIXES = ("LC_", "MUJOCO_", "CUDA_", "NVIDIA_", "COVERAGE_")


def python_command(*arguments: str) -> list[str]:
    """A command line of this interpreter.

    The interpreter's path is absolute, because children run in folders of their own. `-P` keeps the current folder,
    which may be anybody's, off the import path.
    """
    return [os.path.abspath(sys.executable), "-P", *arguments]


def module_command(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module."""
    return python_command("-m", module, *arguments)


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Of environment variables, those that a child of ours is given: no keys; one thread for each library."""
    kept = {
        name: value for name, value in environment.items() if name in _VARIABLES or name.startswith(_VARIABLE_PREFIXES)
    }
    if "PYTHONPATH" in kept:
        entries = kept["PYTHONPATH"].split(os.pathsep)
        kept["PYTHONPATH"] = os.pathsep.join(os.path.abspath(entry) for entry in entries if entry)
    return {**kept, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Child:
    """A running child process. As a context it is closed at the end.

    Args:
        command: see `module_command` and `python_command`.
        environment: all of its environment variables.
        folder: where it runs; here, where None.
        log: a file to which its standard error is appended; a temporary file where None. See `reason`.
        stdin: whether we write to it; it reads nothing otherwise.
        stdout: whether we read what it prints; that is thrown away otherwise.
        own_session: out of reach of the terminal's Ctrl-C, with a priority of its own as a session
            (`lower_priority`); its children end with it (`end`).
        pass_fds: descriptors that it inherits.

    Raises:
        OSError: it cannot be started.
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

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def stdin(self) -> IO[str]:
        """What it reads, of a child that was started with `stdin`."""
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def stdout(self) -> IO[str]:
        """What it prints, of a child that was started with `stdout`."""
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def returncode(self) -> int | None:
        """Its exit status, or minus the signal that killed it; None while it runs."""
        return self._process.poll()

    def send(self, line: str) -> bool:
        """Write a line to its standard input; whether it still reads."""
        try:
            self.stdin.write(f"{line}\n")
            self.stdin.flush()
        except BrokenPipeError:
            return False
        return True

    def close_stdin(self) -> None:
        """Say that no more will be written to it."""
        with suppress(BrokenPipeError):
            self.stdin.close()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for its end, for at most `timeout_s`; whether it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)
        return self.returncode is not None

    def end(self, grace_s: float = 0.0) -> None:
        """End it where it still runs, with its session where it has its own, and wait for that.

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
        """The last line of its standard error; empty where there is none."""
        size = os.fstat(self._errors.fileno()).st_size
        # Its end alone, and by `pread`: the child writes where the position of the open file is.
        tail = os.pread(self._errors.fileno(), _TAIL_BYTES, max(size - _TAIL_BYTES, 0))
        return (tail.decode(errors="replace").strip().splitlines() or [""])[-1]

    def reason(self) -> str:
        """Why it ended: the signal that killed it, or the last line of its standard error."""
        code = self._process.wait()
        return f"killed by signal {-code}" if code < 0 else self.last_line() or f"ended with status {code}"

    def close(self) -> None:
        """End it, and let go of its files."""
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


def _appended(path: Path) -> IO[bytes]:
    """A log to append to, which is no link to another file."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o666), "a+b")


# ---- in the child ------------------------------------------------------------------------------------------------


def lower_priority(niceness: int = LOWEST_PRIORITY) -> None:
    """Let the trainings go before this process.

    Where Linux weighs sessions (`sched_autogroup_enabled`) niceness counts within one only, and every worker of a
    training is one. So a process that was started as a session of its own gives that the niceness too.
    """
    os.nice(niceness)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # another system, or a container that may not say it: niceness alone
            Path("/proc/self/autogroup").write_text(str(niceness), encoding="ascii")


@contextmanager
def errors_end_process() -> Iterator[None]:
    """An `EurekaError` ends this process with status 1 and one line on standard error, for `Child.reason`."""
    try:
        yield
    except EurekaError as error:
        sys.exit(" ".join(str(error).split()))
