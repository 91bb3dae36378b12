"""A run folder whose writer is killed by SIGKILL at any moment."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from eureka.store import RunStore

WRITER = """
    import sys
    from pathlib import Path
    from eureka.store import RunStore
    from eureka.core.types import Candidate, Completion

    folder, start = Path(sys.argv[1]), int(sys.argv[2])
    store = RunStore.open(folder) if (folder / "run.db").exists() else RunStore.create(folder, "task: ant")
    for number in range(start, 100_000):
        store.record_completion(Completion(f"g01-c{number:02d}", "x" * 2000, "m"))
        store.record_candidate(Candidate(f"g01-c{number:02d}", "y" * 2000, ()))
        print(number, flush=True)
"""


@pytest.mark.process
def test_sigkill_at_any_moment_loses_nothing_acknowledged(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    acknowledged = 0
    for delay_s in (0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.31):
        command = [sys.executable, "-c", textwrap.dedent(WRITER), str(folder), str(acknowledged + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            # The last ones are killed while they write, however slow the machine is.
            first = process.stdout.readline() if delay_s > 0.1 else ""
            time.sleep(delay_s)
            process.send_signal(signal.SIGKILL)
            numbers = [int(line) for line in (first + process.stdout.read()).splitlines()]
        acknowledged = max([acknowledged, *numbers])
        if not acknowledged and not (folder / "run.db").exists():
            continue
        with RunStore.open(folder) as store:
            texts = {name: answers[-1].text for name, answers in store.completions().items()}
            sources = {c.id: c.source for c in store.candidates()}
            assert set(range(1, acknowledged + 1)) <= {int(name[5:]) for name in sources}
            assert set(texts.values()) <= {"x" * 2000}
            assert sources.keys() <= texts.keys()
            for name in sources:
                assert (store.candidate_folder(name) / "source.py").read_text() == "y" * 2000
    assert acknowledged
