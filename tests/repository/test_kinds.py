"""Unit tests are held to starting no process (tests/conftest.py)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

NOTHING = [sys.executable, "-c", ""]


def test_a_unit_test_that_starts_a_process_is_told_its_marker() -> None:
    for start in (lambda: subprocess.run(NOTHING, check=True), os.fork):
        with pytest.raises(pytest.fail.Exception, match=r"mark this one with @pytest\.mark\.process"):
            start()


@pytest.mark.process
def test_one_that_is_marked_may() -> None:
    subprocess.run(NOTHING, check=True)
