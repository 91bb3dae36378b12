"""A real run on a pseudo-terminal of 80 columns, interrupted in training, and resumed with events."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pyte
import pytest

pytestmark = pytest.mark.process

SMALL = [
    "search.generations=1",
    "search.samples=2",
    "search.confirmation_seeds=0",
    "train.steps=60000",
    "train.workers=1",
    "evaluation.seeds=0",
    "report.films=none",
]


def test_ctrl_c_on_a_terminal_leaves_a_run_that_goes_on(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    screen = pyte.HistoryScreen(80, 24, history=1000, ratio=1)
    stream = pyte.ByteStream(screen)
    command = [sys.executable, "-m", "eureka", "run", "task=cartpole", *SMALL, "output=run"]
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONUTF8": "1"}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, env=environment, start_new_session=True
    ) as process:
        os.close(theirs)
        interrupted = False
        while True:
            try:
                written = os.read(ours, 65536)
            except OSError:  # the process has closed the terminal
                break
            stream.feed(written)
            if not interrupted and any("training ━" in row for row in screen.display):
                process.send_signal(signal.SIGINT)
                interrupted = True
        assert process.wait(30) == 130
    os.close(ours)
    assert interrupted
    rows = [row.rstrip() for row in screen.display if row.strip()]
    assert rows[-1] == "interrupted: `eureka resume run` goes on"
    # The table stays as it was, once; no line of it went over the edge.
    assert [row for row in rows if row.startswith("cartpole · generation 1/1")] == rows[-5:-4]
    assert [row.split()[1] for row in rows[-3:-1]] == ["training", "training"]
    assert not screen.cursor.hidden

    short = subprocess.run(
        [sys.executable, "-m", "eureka", "resume", "run", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    told = [json.loads(text) for text in short.stdout.splitlines()]
    kinds = [event["event"] for event in told]
    assert kinds.index("run_started") < kinds.index("training_started") < kinds.index("trained")
    # Both were answered before the interruption, so neither is asked again.
    assert "answered" not in kinds
    assert kinds.count("trained") == 2
    assert (tmp_path / next(event["module"] for event in told if event["event"] == "best_reward")).is_file()
