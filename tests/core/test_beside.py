"""What a process beside a run does first, and what is said of one that died."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from eureka.core.priority import last_words

AUTOGROUP = Path("/proc/self/autogroup")
GO_LAST = "import os, eureka.core.priority as b; b.go_last(7); print(os.nice(0), open('/proc/self/autogroup').read())"


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel does not weigh sessions")
@pytest.mark.parametrize("alone", [True, False])
def test_a_session_of_its_own_goes_last_as_a_whole_and_nobody_elses_does(alone: bool) -> None:
    before = AUTOGROUP.read_text()  # empty where a container weighs what was started with it as one
    child = subprocess.run(
        [sys.executable, "-P", "-c", GO_LAST], check=False, start_new_session=alone, capture_output=True, text=True
    )
    assert child.returncode == 0, child.stderr
    niceness, *group = child.stdout.split()
    assert niceness == "7"
    assert group[-1:] == ["7"] if alone else group == before.split()
    assert AUTOGROUP.read_text() == before


@pytest.mark.parametrize(
    ("returncode", "stderr", "said"),
    [(-9, "anything", "killed by signal 9"), (3, "first\nlast\n", "last"), (3, " \n", "ended with status 3")],
)
def test_last_words(returncode: int, stderr: str, said: str) -> None:
    assert last_words(returncode, stderr) == said
