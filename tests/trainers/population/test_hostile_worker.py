"""What a worker that a candidate has taken over says is believed of nobody else, never waited for and never run."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from eureka.core.processes import python_command
from eureka.core.serialize import dumps
from eureka.core.training import Progress, TrainingResult
from eureka.core.types import Rejected, Stage
from eureka.trainers.population import pool
from eureka.trainers.population.group import GroupJob
from eureka.trainers.population.pool import WorkerPool

pytestmark = pytest.mark.process

MakeJob = Callable[..., GroupJob]

# A worker of plain Python: it says that it is ready, listens until it has its order, says its piece, and stays.
WORKER = """
import os, struct, sys, time
fd = int(sys.argv[1])
def read():
    def exactly(n):
        data = b""
        while len(data) < n:
            more = os.read(fd, n - len(data))
            if not more: sys.exit()
            data += more
        return data
    text, size = struct.unpack("=IQ", exactly(12))
    return exactly(text + size)
def say(text, data=b""):
    text = text.encode()
    os.write(fd, struct.pack("=IQ", len(text), len(data)) + text + data)
read()
say('Confinement {"layers":[]}')
read()
{piece}
time.sleep(60)
"""


def message(value: object) -> str:
    return f"{type(value).__name__} {dumps(value)}"


PIECES = {
    "the score of another": f"say({message(TrainingResult('g01-c02', 0, (1e9,)))!r})",
    "the score of another seed": f"say({message(TrainingResult('g01-c01', 7, (1e9,)))!r})",
    "a result without scores": f"say({message(TrainingResult('g01-c01', 0, ()))!r})",
    "the rejection of another": f"say({message(Rejected('g01-c02', Stage.TRAIN, 'bad', ''))!r})",
    "progress of another": f"say({message(Progress('g01-c02', 0, 1, 1.0, 1.0))!r})",
    "a checkpoint of another": """say('Checkpoint {"keys":[["g01-c02",0]],"updates":1,"ended":false}', b"x" * 100)""",
    "a path for a name": """say('Checkpoint {"keys":[["../../x",0]],"updates":1,"ended":true}', b"x" * 100)""",
    "a pickle": "os.write(fd, b'\\x80\\x05cos\\nsystem\\n(S\"touch /tmp/eureka-pickle\"\\ntR.' * 10)",
    "an unknown kind": "say('Setup2 {}')",
    "what only the pool says": """say('Setup {"task":"cartpole","task_dirs":[]}')""",
    "deep nesting": "say('Progress ' + '[' * 1_000_000)",
    "more than there is room for": "os.write(fd, struct.pack('=IQ', 10, 1 << 60))",
    "no text": "say(chr(0xdc80)) if False else os.write(fd, struct.pack('=IQ', 4, 0) + b'\\xff\\xfe\\xff\\xfe')",
    "half a message": "os.write(fd, struct.pack('=IQ', 1000, 0) + b'Progress {')",
}


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_it_is_ended_and_its_own_candidate_rejected(
    tmp_path: Path, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, piece: str
) -> None:
    script = WORKER.replace("{piece}", piece)
    monkeypatch.setattr(pool, "module_command", lambda _, *words: python_command("-c", script, *words))
    backend = WorkerPool("cartpole", (), tmp_path, dict(os.environ), workers=1, heartbeat_s=2)
    with closing(backend):
        events = list(backend.train([make_job("g01-c01", 0)]))
    (rejected,) = [event for event in events if isinstance(event, Rejected)]
    assert rejected.candidate_id == "g01-c01"
    assert "its training was stopped twice: worker 0 was" in rejected.reason
    assert not [event for event in events if isinstance(event, TrainingResult | Progress)]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["worker0.log"]


def test_scores_that_are_no_numbers_are_no_score(
    tmp_path: Path, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = dumps(TrainingResult("g01-c01", 0, (1.0, float("nan"))))
    script = WORKER.replace(
        "{piece}", f"say({'TrainingResult ' + result!r}); say('WorkDone {{}}')".replace("{{}}", "{}")
    )
    monkeypatch.setattr(pool, "module_command", lambda _, *words: python_command("-c", script, *words))
    with closing(WorkerPool("cartpole", (), tmp_path, dict(os.environ), workers=1)) as backend:
        (event,) = backend.train([make_job("g01-c01", 0)])
    assert isinstance(event, Rejected)
    assert "the task metric of its evaluation episodes is not finite" in event.reason
