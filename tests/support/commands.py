"""Runs `eureka` commands, in a process of their own or in this one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from eureka.app.cli import main

RunHere = Callable[..., subprocess.CompletedProcess[str]]

SMALL = [
    "task=cartpole",
    "search.generations=2",
    "search.samples=2",
    "train.steps=4000",
    "train.eval_episodes=2",
    "evaluation.seeds=1",
    "report.films=none",
]


def run_cli(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "eureka", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def exit_code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code
