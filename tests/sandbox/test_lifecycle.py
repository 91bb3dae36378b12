"""Starting, restarting and ending: zygotes that die, hosts that die, warm-ups that fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from eureka.core.errors import SandboxError
from eureka.sandbox import Finished, Limits, Sandbox, host, launch

pytestmark = pytest.mark.process

HERE = Path(__file__).parent
ECHO = "eureka.sandbox.child:echo"
TARGET = "jail_targets:python"


def children(pid: int) -> list[int]:
    """Processes whose parent is the process `pid`."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for(what: Callable[[], object], timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    """Whether the process has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def start_and_find(sandbox: Sandbox) -> int:
    before = set(children(os.getpid()))
    sandbox.start()
    (zygote,) = set(children(os.getpid())) - before
    return zygote


def test_close_ends_zygote_and_children() -> None:
    sandbox = Sandbox("jail_targets:warm_up", import_path=[HERE])
    zygote = start_and_find(sandbox)
    errors: list[Exception] = []

    def hang() -> None:
        try:
            sandbox.run(TARGET, b"import time; time.sleep(60)")
        except SandboxError as error:
            errors.append(error)

    thread = threading.Thread(target=hang)
    thread.start()
    wait_for(lambda: children(zygote))
    (child,) = children(zygote)
    # Where memory runs out the kernel is to take the child, and neither zygote nor host.
    wait_for(lambda: Path(f"/proc/{child}/oom_score_adj").read_text().strip() == "1000")
    sandbox.close()
    thread.join(10)
    assert gone(zygote)
    wait_for(lambda: gone(child))
    assert [str(error) for error in errors] == ["The sandbox is closed; make a new one."]


def test_closed_sandbox_says_so() -> None:
    sandbox = Sandbox()
    sandbox.close()
    with pytest.raises(SandboxError, match="closed"):
        sandbox.run(ECHO, b"")


def test_run_starts_the_zygote_by_itself() -> None:
    sandbox = Sandbox()
    assert sandbox.layers == ()
    outcome = sandbox.run(ECHO, b"x")
    sandbox.close()
    assert isinstance(outcome, Finished)
    assert sandbox.layers


def test_zygote_killed_between_runs_is_restarted() -> None:
    with Sandbox() as sandbox:
        (zygote,) = (pid for pid in children(os.getpid()) if pid == sandbox._zygote.pid)
        os.kill(zygote, signal.SIGKILL)
        outcome = sandbox.run(ECHO, b"again")
        assert isinstance(outcome, Finished)
        assert outcome.output == b"again"


def test_zygote_killed_during_a_run_is_restarted_and_takes_its_children_along() -> None:
    sandbox = Sandbox("jail_targets:warm_up", import_path=[HERE])
    zygote = start_and_find(sandbox)
    outcomes = []
    thread = threading.Thread(
        target=lambda: outcomes.append(sandbox.run(TARGET, b"import time; time.sleep(1); result = 7"))
    )
    thread.start()
    wait_for(lambda: children(zygote))
    (child,) = children(zygote)
    os.kill(zygote, signal.SIGKILL)
    wait_for(lambda: gone(child), timeout_s=0.9)
    thread.join(20)
    sandbox.close()
    assert [outcome.output for outcome in outcomes] == [b"7"]


def test_zygote_that_dies_twice_is_an_error() -> None:
    with (
        Sandbox("jail_targets:warm_up", mode="unsafe", import_path=[HERE]) as sandbox,
        pytest.raises(SandboxError, match="failed twice on one job: the zygote died"),
    ):
        sandbox.run(TARGET, b"import os, time; os.kill(os.getppid(), 9); time.sleep(9)")


def test_silent_zygote_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped zygote neither kills its late children nor answers."""
    monkeypatch.setattr("eureka.sandbox.run.GRACE_S", 0.3)
    limits = Limits(wall_s=0.2)
    with Sandbox() as sandbox:
        os.kill(sandbox._zygote.pid, signal.SIGSTOP)
        assert isinstance(sandbox.run(ECHO, b"", limits), Finished)


def test_host_killed_leaves_nothing_behind() -> None:
    script = (
        "import sys\n"
        "from eureka.sandbox import Sandbox\n"
        "sandbox = Sandbox('jail_targets:warm_up', import_path=[sys.argv[1]])\n"
        "sandbox.run('jail_targets:python', b'import time; time.sleep(60)')\n"
    )
    host_process = subprocess.Popen([sys.executable, "-c", script, str(HERE)])
    wait_for(lambda: children(host_process.pid))
    (zygote,) = children(host_process.pid)
    # The first child is the trial of the start; the one that sleeps stays.
    wait_for(lambda: children(zygote))
    time.sleep(0.3)
    (child,) = children(zygote)
    host_process.kill()
    host_process.wait()
    wait_for(lambda: gone(zygote) and gone(child))


def test_caller_that_leaves_takes_its_child_along() -> None:
    sandbox = Sandbox("jail_targets:warm_up", import_path=[HERE])
    zygote = start_and_find(sandbox)

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            sandbox.run(TARGET, b"import time; time.sleep(60)")
    finally:
        signal.signal(signal.SIGALRM, old)
    wait_for(lambda: not children(zygote))
    sandbox.close()


def test_unsafe_child_leaves_no_process_behind(open_jail: Sandbox) -> None:
    source = "import os, time\nif (pid := os.fork()) == 0:\n    time.sleep(60)\nresult = pid"
    outcome = open_jail.run(TARGET, source.encode())
    assert isinstance(outcome, Finished)
    wait_for(lambda: gone(int(outcome.output)))


@pytest.mark.parametrize(
    ("preload", "message"),
    [
        (
            "jail_targets:failing_warm_up",
            "warm-up failed: jail_targets:failing_warm_up raised RuntimeError: no such wi",
        ),
        ("jail_targets:nothing", "'jail_targets:nothing' is not an importable module:function"),
        ("no_such_module:f", "'no_such_module:f' is not an importable module:function: No module named"),
        ("jail_targets", "'jail_targets' is not an importable module:function"),
        ("jail_targets:dying_warm_up", r"zygote ended while it started: the stove is cold\."),
        ("jail_targets:chattering_warm_up", r"zygote sent garbage while it started: a frame of \d+ bytes"),
        ("jail_targets:dying_child", r"died before it was confined \(exit code 9\)"),
    ],
)
def test_failed_start_is_told_in_a_sentence(preload: str, message: str) -> None:
    with pytest.raises(SandboxError, match=message):
        Sandbox(preload, import_path=[HERE]).start()
    assert not [pid for pid in children(os.getpid()) if b"dying" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_hanging_warm_up_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "START_TIMEOUT_S", 0.6)
    monkeypatch.setattr(launch, "_CLOSING_S", 0.1)
    with pytest.raises(SandboxError, match=r"not ready after 0\.6 s"):
        Sandbox("jail_targets:hanging_warm_up", import_path=[HERE]).start()


@pytest.mark.parametrize("target", ["jail_targets:absent", "absent:f", "jail_targets", ""])
def test_unknown_target_is_the_hosts_mistake(jail: Sandbox, target: str) -> None:
    with pytest.raises(SandboxError, match="is not an importable module:function"):
        jail.run(target, b"")


def test_works_from_any_folder_without_environment(tmp_path: Path) -> None:
    script = (
        "from eureka.sandbox import Sandbox\n"
        "with Sandbox() as sandbox:\n"
        "    print(sandbox.run('eureka.sandbox.child:echo', b'here').output.decode())\n"
    )
    # A file named like a module of the standard library must not be picked up from the working directory.
    (tmp_path / "json.py").write_text("raise ImportError('the wrong json')\n")
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        cwd=tmp_path,
        env=launch._import_root(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("here\n", "")


def test_what_the_host_can_import_the_zygote_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "somewhere_else.py").write_text("def shout(payload):\n    return payload.upper()\n")
    monkeypatch.syspath_prepend(tmp_path)
    with Sandbox() as sandbox:
        outcome = sandbox.run("somewhere_else:shout", b"hey")
    assert isinstance(outcome, Finished)
    assert outcome.output == b"HEY"


def test_interpreter_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(SandboxError, match=r"could not be started: .*No such file or directory"):
        Sandbox().start()
