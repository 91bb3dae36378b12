"""Commands of the tests of the application."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import pytest
from commands import RunHere, exit_code


@pytest.fixture
def run_here(capsys: pytest.CaptureFixture[str]) -> RunHere:
    """As `run_cli`, but in this process, which has imported everything already."""

    def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        with contextlib.chdir(cwd):
            status = exit_code(*arguments)
        return subprocess.CompletedProcess(arguments, status, *capsys.readouterr())

    return run
