"""What the tests run in sandboxes. Imported by zygotes through `import_path`; knows nothing of the tests."""

from __future__ import annotations

import builtins
import ctypes
import importlib
import json
import os
import sys
import time
from pathlib import Path

MAPS: list[str] = []
"""The zygote's memory map, as an oracle for the code that hunts through memory."""

PLANTED = "sk-" + os.urandom(16).hex()
"""A key that the zygote does hold: the hunt must find this one."""


def warm_up() -> None:
    """Import what the attacks need, as files are out of reach later."""
    modules = "ctypes encodings.idna encodings.latin_1 gc hashlib mmap re resource signal socket subprocess threading"
    for name in modules.split():
        importlib.import_module(name)
    MAPS[:] = Path("/proc/self/maps").read_text().splitlines()


def failing_warm_up() -> None:
    raise RuntimeError("no such wizard")


def dying_warm_up() -> None:
    os.write(2, b"the stove is cold\n")
    os._exit(3)


def hanging_warm_up() -> None:
    time.sleep(60)


def chattering_warm_up() -> None:
    """Write garbage where the zygote is about to report that it is ready."""
    os.write(json.loads(sys.argv[1])["control"], b"\xff" * 64)
    time.sleep(60)


def dying_child() -> None:
    """Make every child die before it is confined."""
    from eureka.sandbox.environment import Environment

    Environment.apply = lambda self, scope: os._exit(9)


def python(payload: bytes) -> bytes:
    """Execute Python source, as a real target would the model's, and return its `result` as text."""
    names: dict[str, object] = {"__builtins__": builtins, "string_at": ctypes.string_at, "MAPS": MAPS}
    exec(payload.decode(), names)
    return str(names.get("result")).encode()


def sized(payload: bytes) -> bytes:
    """Return as many bytes as the payload says."""
    return bytes(int(payload))


def raising(payload: bytes) -> bytes:
    raise ValueError(payload.decode())


COUNTER: list[int] = []


def counting(payload: bytes) -> bytes:
    """Leave state behind wherever a child can, and say how much of it there was."""
    COUNTER.append(1)
    builtins.left_behind = getattr(builtins, "left_behind", 0) + 1
    return f"{len(COUNTER)} {builtins.left_behind}".encode()


def warm_torch() -> None:
    import torch

    torch.set_num_threads(1)
    torch.ones(4, 3).norm(dim=-1).sum()


def torch_sum(payload: bytes) -> bytes:
    """Sum n ones."""
    import torch

    return str(torch.ones(int(payload)).sum().item()).encode()


def covered_lines(payload: bytes) -> bytes:
    """The lines that this child and its zygote have executed, where coverage is being measured: JSON {file: lines}."""
    import coverage

    measurement = coverage.Coverage.current()
    assert measurement is not None
    # A confined child cannot write a data file, so it hands over what the collector holds.
    return json.dumps({file: sorted(lines) for file, lines in measurement._collector.data.items()}).encode()
