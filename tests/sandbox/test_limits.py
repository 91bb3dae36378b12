"""Time, memory and output: what a run uses too much of costs only its own slot."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from eureka.sandbox import Failed, Finished, Limits, Sandbox
from eureka.sandbox.watchdog import ProcessUsage, Watchdog, parse_status

pytestmark = pytest.mark.process

TARGET = "jail_targets:python"
SMALL = Limits(wall_s=20, cpu_s=20, memory_bytes=256 << 20, output_bytes=1 << 20)

FLOOD = """
import os
while True:
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, bytes(65536))
        except OSError:
            pass
"""


@pytest.mark.parametrize("source", ["while True: pass", "import time; time.sleep(1000)", "x = 10 ** 10 ** 10"])
def test_hang_is_ended_by_the_trusted_clock(jail: Sandbox, source: str) -> None:
    started = time.monotonic()
    outcome = jail.run(TARGET, source.encode(), replace(SMALL, wall_s=0.3))
    assert outcome == Failed("timeout", "The code did not finish within 0.3 s.")
    assert time.monotonic() - started < 3


def test_signals_do_not_stop_the_clock(jail: Sandbox) -> None:
    source = """
import signal, time
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
time.sleep(1000)
"""
    outcome = jail.run(TARGET, source.encode(), replace(SMALL, wall_s=0.3))
    assert isinstance(outcome, Failed)
    assert outcome.kind == "timeout"


@pytest.mark.parametrize("catch", ["", "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\n"])
def test_processor_time_is_bounded(jail: Sandbox, catch: str) -> None:
    outcome = jail.run(TARGET, (catch + "while True: pass").encode(), replace(SMALL, cpu_s=1))
    assert outcome == Failed("timeout", "The code used more than 1 s of processor time.")


@pytest.mark.parametrize(
    "source",
    [
        "x = bytearray(100 << 30)",
        "x = []\nwhile True: x.append(bytearray(1 << 20))",
        "x = 1 << (1 << 40)",
        "import mmap; mmap.mmap(-1, 1 << 30, mmap.MAP_PRIVATE).write(b'x')",
    ],
    ids=["at once", "by and by", "huge integer", "mmap"],
)
def test_memory_is_bounded(jail: Sandbox, source: str) -> None:
    outcome = jail.run(TARGET, source.encode(), SMALL)
    assert isinstance(outcome, Failed)
    assert outcome.kind == "memory", outcome
    assert outcome.detail.startswith("The code needed more than 256 MiB of memory (")


def test_filled_memory_is_bounded_by_the_watchdog(jail: Sandbox) -> None:
    source = "import time\nx = b'x' * (200 << 20)\ntime.sleep(9)"
    outcome = jail.run(TARGET, source.encode(), replace(SMALL, resident_bytes=64 << 20))
    assert outcome == Failed("memory", "The code held more than 64 MiB of memory.")


def test_memory_that_is_only_mapped_is_not_the_watchdogs_matter(jail: Sandbox) -> None:
    source = "import mmap, time\nx = mmap.mmap(-1, 200 << 20, mmap.MAP_PRIVATE)\ntime.sleep(0.1)\nresult = len(x)"
    outcome = jail.run(TARGET, source.encode(), replace(SMALL, resident_bytes=64 << 20))
    assert isinstance(outcome, Finished)


def test_threads_are_bounded_by_the_watchdog(jail: Sandbox) -> None:
    threads = "import threading, time\nfor _ in range(12): threading.Thread(target=time.sleep, args=(9,)).start()\n"
    source = threads + "time.sleep(9)"
    outcome = jail.run(TARGET, source.encode(), replace(SMALL, memory_bytes=2 << 30, threads=10))
    assert outcome == Failed("killed", "The code ran more than 10 threads.")


def test_usage_is_read_from_the_status_file() -> None:
    text = "Name:\tx\nVmPTE:\t 3 kB\nVmRSS:\t 9999 kB\nRssAnon:\t 100 kB\nRssFile:\t 77 kB\nRssShmem:\t 20 kB\n"
    usage = parse_status(text + "VmSwap:\t 4 kB\nThreads:\t5\n")
    # Pages of files are shared with everyone and can be dropped: 3 + 100 + 20 + 4.
    assert usage == ProcessUsage(held_bytes=127 * 1024, threads=5)
    assert parse_status("Name:\tzombie\nThreads:\t1\n") == ProcessUsage(held_bytes=0, threads=1)


def test_process_that_is_gone_is_not_watched() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert Watchdog().guard(gone.pid, SMALL) is None


def test_threads_are_bounded_by_memory(jail: Sandbox) -> None:
    source = "import threading, time\nfor _ in range(100_000): threading.Thread(target=time.sleep, args=(99,)).start()"
    outcome = jail.run(TARGET, source.encode(), SMALL)
    assert isinstance(outcome, Failed)
    assert "can't start new thread" in outcome.detail or outcome.kind == "memory"


@pytest.mark.parametrize(("size", "fits"), [(1 << 20, True), ((1 << 20) + 1, False)])
def test_output_cap_is_exact(jail: Sandbox, size: int, fits: bool) -> None:
    outcome = jail.run("jail_targets:sized", str(size).encode(), SMALL)
    if fits:
        assert isinstance(outcome, Finished)
        assert outcome.output == bytes(size)
    else:
        assert outcome == Failed("output", "The code answered with more than 1 MiB.")


def test_flood_of_every_descriptor_is_cut(jail: Sandbox) -> None:
    started = time.monotonic()
    assert jail.run(TARGET, FLOOD.encode(), SMALL) == Failed("output", "The code answered with more than 1 MiB.")
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("string_at(0)", "The code crashed its process (SIGSEGV)."),
        ("import os; os.abort()", "The code crashed its process (SIGABRT)."),
        ("import os; os._exit(0)", "The code ended its process without an answer (exit code 0)."),
        ("import os; os._exit(3)", "The code ended its process without an answer (exit code 3)."),
    ],
    ids=["segfault", "abort", "silent exit", "exit code"],
)
def test_death_is_a_value(jail: Sandbox, source: str, detail: str) -> None:
    failed = jail.run(TARGET, source.encode(), SMALL)
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.detail) == ("killed", detail)


def test_deep_recursion_ends(jail: Sandbox) -> None:
    nested = "import sys; sys.setrecursionlimit(10**9)\nx = []\nfor _ in range(10**6): x = [x]\nresult = repr(x)"
    outcome = jail.run(TARGET, nested.encode(), SMALL)
    assert isinstance(outcome, Failed)
    assert outcome.kind in ("killed", "memory")


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("class Sly(BaseException):\n    def __str__(self): raise RuntimeError\nraise Sly", "Sly"),
    ],
)
def test_exception_is_told(jail: Sandbox, source: str, detail: str) -> None:
    assert jail.run(TARGET, source.encode(), SMALL) == Failed("error", detail)


def test_long_exception_is_cut(jail: Sandbox) -> None:
    outcome = jail.run("jail_targets:raising", b"x" * 100_000, SMALL)
    assert outcome == Failed("error", "ValueError: " + "x" * 4000)


def test_forged_half_of_an_answer_is_no_answer(jail: Sandbox) -> None:
    source = "import os\nfor d in range(3, 64):\n    try: os.write(d, b'o')\n    except OSError: pass\nos._exit(0)"
    outcome = jail.run(TARGET, source.encode(), SMALL)
    assert outcome == Failed("killed", "The code ended its process without an answer (exit code 0).")


def test_calls_run_in_parallel(jail: Sandbox) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(6) as pool:
        sleeps = [pool.submit(jail.run, TARGET, b"import time; time.sleep(0.5); result = 1") for _ in range(6)]
        assert all(isinstance(sleep.result(), Finished) for sleep in sleeps)
    assert time.monotonic() - started < 2


def test_hang_and_flood_cost_only_their_own_slots(jail: Sandbox) -> None:
    with ThreadPoolExecutor(2) as pool:
        hang = pool.submit(jail.run, TARGET, b"while True: pass", replace(SMALL, wall_s=1.0))
        flood = pool.submit(jail.run, TARGET, FLOOD.encode(), replace(SMALL, output_bytes=64 << 20))
        for number in range(10):
            outcome = jail.run(TARGET, f"result = {number}".encode(), SMALL)
            assert isinstance(outcome, Finished)
            assert outcome.output == str(number).encode()
        assert getattr(hang.result(), "kind", None) == "timeout"
        assert getattr(flood.result(), "kind", None) == "output"


def test_large_payload_and_answer_go_through(jail: Sandbox) -> None:
    payload = bytes(range(256)) * (16 << 10)
    outcome = jail.run("eureka.sandbox.child:echo", payload)
    assert isinstance(outcome, Finished)
    assert outcome.output == payload


def test_overhead_is_small(jail: Sandbox) -> None:
    """About 10 ms on a quiet machine; the bound leaves room for a busy one."""
    walls = []
    for _ in range(10):
        outcome = jail.run("eureka.sandbox.child:echo", b"")
        assert isinstance(outcome, Finished)
        walls.append(outcome.wall_s)
    assert min(walls) < 0.1
