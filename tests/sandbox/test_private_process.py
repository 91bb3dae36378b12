"""The process that holds keys leaves no core file and cannot be read; afterwards all is as it was."""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

import pytest

from eureka.sandbox import Sandbox
from eureka.sandbox.libc import prctl
from eureka.sandbox.private_process import private_process

_GET_DUMPABLE = 3


def test_what_holds_keys_is_private_and_then_as_before() -> None:
    before = prctl(_GET_DUMPABLE), resource.getrlimit(resource.RLIMIT_CORE)
    with suppress(KeyError), private_process():
        with private_process():
            assert (prctl(_GET_DUMPABLE), resource.getrlimit(resource.RLIMIT_CORE)[0]) == (0, 0)
        # The inner one found it so, and leaves it so.
        assert (prctl(_GET_DUMPABLE), resource.getrlimit(resource.RLIMIT_CORE)[0]) == (0, 0)
        raise KeyError
    assert (prctl(_GET_DUMPABLE), resource.getrlimit(resource.RLIMIT_CORE)) == before


@pytest.mark.process
def test_confinement_works_below_a_private_process() -> None:
    with Sandbox() as sandbox:
        open_layers = sandbox.layers
    with private_process(), Sandbox() as sandbox:
        assert sandbox.layers == open_layers
        pid = sandbox._ready().pid
        assert Path(f"/proc/{pid}/limits").read_text().split("Max core file size")[1].split()[0] == "0"
