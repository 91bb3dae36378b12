"""What a training worker gives up, tried in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from eureka.sandbox.results import LayerReport
from eureka.sandbox.worker_profile import in_words, inspect_worker_layers, worker_unconfined

pytestmark = pytest.mark.process

ATTEMPTS = """
    import ctypes, json, mmap, os, signal, socket, subprocess, sys, threading, time
    from eureka.sandbox.worker_profile import confine_worker
    import torch
    other = threading.Thread(target=time.sleep, args=(30,), daemon=True)
    other.start()
    results = []
    go = threading.Event()
    def in_older_thread():
        go.wait()
        results.append(attempt(lambda: open("/etc/passwd").read()))
    def attempt(what):
        try:
            what()
        except BaseException as error:
            return type(error).__name__
        return "done"
    older = threading.Thread(target=in_older_thread)
    older.start()
    confine_worker()
    go.set()
    older.join()
    found = {
        "in a thread from before": results[0],
        "read a file": attempt(lambda: open("/etc/passwd").read()),
        "write a file": attempt(lambda: open("/tmp/eureka-worker", "w").write("x")),
        "list a folder": attempt(lambda: os.listdir("/")),
        "a socket": attempt(lambda: socket.socket(socket.AF_UNIX)),
        "a network socket": attempt(lambda: socket.socket(socket.AF_INET)),
        "a program": attempt(lambda: subprocess.run(["/bin/true"])),
        "a process": attempt(os.fork),
        "a signal": attempt(lambda: os.kill(os.getppid(), 0)),
        "a module": attempt(lambda: __import__("antigravity")),
        "the environment": attempt(lambda: os.environ["PATH"]),
        "a thread": attempt(lambda: threading.Thread(target=print, args=("",), kwargs={"end": ""}).start()),
        "a sum": attempt(lambda: torch.rand(1000, 1000).sum()),
    }
    print(json.dumps(found), flush=True)
    os._exit(0)
"""


def test_files_sockets_programs_and_processes_are_gone_and_threads_stay() -> None:
    code = textwrap.dedent(ATTEMPTS)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    found = json.loads(done.stdout)
    kept = ("a thread", "a sum")
    assert {name: found.pop(name) for name in kept} == dict.fromkeys(kept, "done")
    assert found.pop("the environment") == "KeyError"
    assert set(found.values()) <= {"PermissionError"}, found


def test_what_is_in_force_is_found_by_trying() -> None:
    reports = inspect_worker_layers()
    assert [report.name for report in reports] == ["environment", "privileges", "rlimits", "seccomp", "canaries"]
    assert in_words(reports) == "no files, sockets, programs or processes"


def test_what_is_not_in_force_is_said() -> None:
    assert in_words(worker_unconfined("a device needs its files")) == "not confined: a device needs its files"
    reports = (LayerReport("privileges", "on", True, ""), LayerReport("seccomp", "missing", True, ""))
    assert in_words(reports) == "privileges on; seccomp missing"
