"""Child processes find this Python, wherever they run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from eureka.core.interpreter import module_command


def test_a_relative_interpreter_is_found_from_another_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", os.path.relpath(sys.executable))
    command = module_command("this", "unused")
    assert command[1:] == ["-P", "-m", "this", "unused"]
    (tmp_path / "below" / "deeper").mkdir(parents=True)
    said = subprocess.run(command, cwd=tmp_path / "below" / "deeper", capture_output=True, text=True, check=True)
    assert "Beautiful is better than ugly" in said.stdout
