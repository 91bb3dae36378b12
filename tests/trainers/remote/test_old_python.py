"""A Python that is too old for the simulators' side is told its version, not what it lacks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from eureka.trainers.remote import inside


@pytest.mark.process
def test_an_old_python_is_told_so_before_anything_is_imported() -> None:
    program = "import sys, runpy; sys.version_info = (3, 8, 18); runpy.run_path(sys.argv[1], run_name='__main__')"
    path = Path(inside.__file__).parent / "__main__.py"
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip() == "it is Python 3.8, and must be 3.10 or newer"
