"""What a child can still see and do; the attacks themselves are in `attack_suite`."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from eureka.sandbox import Finished, Limits, Sandbox

pytestmark = pytest.mark.process

TARGET = "jail_targets:python"

HUNT = """
import gc, hashlib, os, re, sys
places = [repr(dict(os.environ)), repr(sys.argv), repr(gc.get_objects())[:50_000_000]]
for line in MAPS:
    span, rights, *rest = line.split()
    start, end = (int(word, 16) for word in span.split("-"))
    if rights.startswith("r") and not line.endswith(("[vvar]", "[vvar_vclock]", "[vsyscall]")):
        places.append(string_at(start, end - start).decode("latin-1"))
found = {key for place in places for key in re.findall("sk-[0-9a-f]{32}", place)}
for pid in [1, os.getpid(), os.getppid(), HOST]:
    for name in ("environ", "cmdline"):
        try:
            found.update(re.findall("sk-[0-9a-f]{32}", open(f"/proc/{pid}/{name}").read()))
        except OSError:
            pass
result = sorted(hashlib.sha256(key.encode()).hexdigest() for key in found)
"""


def test_threads_are_allowed_and_confined(jail: Sandbox) -> None:
    source = """
import threading
result = []
def attack():
    try:
        open("/etc/passwd")
    except PermissionError as error:
        result.append(error.errno)
threads = [threading.Thread(target=attack) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
    outcome = jail.run(TARGET, source.encode())
    assert isinstance(outcome, Finished)
    assert outcome.output == b"[1, 1, 1, 1]"


def test_no_descriptor_but_its_own(jail: Sandbox) -> None:
    source = """
import os
result = []
for descriptor in range(1024):
    try:
        os.read(descriptor, 0)
        result.append(descriptor)
    except OSError as error:
        if error.errno != 9 or descriptor < 3:
            result.append(str(error))
"""
    outcome = jail.run(TARGET, source.encode())
    assert isinstance(outcome, Finished)
    # 0, 1 and 2 are /dev/null; a pipe opened for writing answers EBADF to read, so the answer's pipe is not listed.
    assert outcome.output == b"[0, 1, 2]"


def test_state_left_by_one_child_is_not_seen_by_the_next(jail: Sandbox) -> None:
    seen = {getattr(jail.run("jail_targets:counting", b""), "output", None) for _ in range(3)}
    assert seen == {b"1 1"}


def _hunt(sandbox: Sandbox) -> list[str]:
    limits = Limits(wall_s=60, cpu_s=60)
    outcome = sandbox.run(TARGET, HUNT.replace("HOST", str(os.getpid())).encode(), limits)
    assert isinstance(outcome, Finished), outcome
    return outcome.output.decode().strip("[]").replace("'", "").split(", ")


def test_key_of_the_host_is_never_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that reads its whole memory, /proc and its environment finds what the zygote holds, and no more."""
    key = "sk-" + os.urandom(16).hex()
    monkeypatch.setenv("OPENAI_API_KEY", key)
    digest = hashlib.sha256(key.encode()).hexdigest()
    with Sandbox("jail_targets:warm_up", import_path=[Path(__file__).parent]) as sandbox:
        planted = sandbox.run(
            TARGET, b"import jail_targets as j, hashlib\nresult = hashlib.sha256(j.PLANTED.encode()).hexdigest()"
        )
        assert isinstance(planted, Finished)
        found = _hunt(sandbox)
    assert planted.output.decode() in found
    assert digest not in found


def test_payload_of_one_job_is_not_found_by_the_next(jail: Sandbox) -> None:
    key = "sk-" + os.urandom(16).hex()
    digest = hashlib.sha256(key.encode()).hexdigest()
    assert isinstance(jail.run("eureka.sandbox.child:echo", f"secret = '{key}'".encode()), Finished)
    assert digest not in _hunt(jail)
