"""How long a large run takes to open: for its report, and for the next generation's prompt.

python benchmarks/report.py [GENERATIONS SAMPLES]: a made-up run of 5 generations of 16 candidates where not given.
Prints the seconds of reading the run and writing the page in a warm process, those of the process that a run starts
after every generation, and the page's size; the seconds of reading the run's records for the report alone, and of
reading them and rendering all prompts of a further generation; and the seconds of the processor for both.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from synthetic_run import FIELDS, SENTENCE, write_synthetic_run

from eureka.config import SearchConfig
from eureka.core.training import TrainingLength
from eureka.core.types import MetricSpec, TaskSpec
from eureka.prompts import render_prompt
from eureka.proposers.base import ProposerCapabilities
from eureka.search.history import Budget, read_history
from eureka.search.methods import make_method
from eureka.search.methods.base import Services
from eureka.store import RunStore
from eureka.ui.report import write_report
from eureka.ui.report.reading import read_run

REPEATS = 5


def main(generations: int = 5, samples: int = 16) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        write_synthetic_run(Path(folder) / "run", generations, samples) as store,
    ):
        warm, alone = [], []
        for _ in range(REPEATS):
            started = time.perf_counter()
            path = write_report(store)
            warm.append(time.perf_counter() - started)
            started = time.perf_counter()
            subprocess.run([sys.executable, "-m", "eureka.ui.report", str(store.folder)], check=True)
            alone.append(time.perf_counter() - started)
        size = path.stat().st_size
        read = _timed(lambda: read_run(store))
        asked = _timed(lambda: next_prompts(store, generations + 1, samples))
    print(f"{generations} generations of {samples} candidates, median of {REPEATS}:")
    in_process, in_its_own = statistics.median(warm), statistics.median(alone)
    print(f"  read and written in {in_process:.2f} s, as a process of its own {in_its_own:.2f} s")
    print(f"  {size / 1e6:.2f} MB without videos")
    print(f"  its records read in {read}")
    print(f"  the prompts of generation {generations + 1} in {asked}")


def next_prompts(store: RunStore, generation: int, samples: int) -> int:
    """Read the run as a search does, and render the prompts of its next generation; returns their characters."""
    metric = MetricSpec("mean forward velocity over the time limit", "m/s")
    spec = TaskSpec("ant", SENTENCE, FIELDS, "", 0.05, 1000, metric)
    budget = Budget(generations=generation, samples=samples, length=TrainingLength(1, 1, 1))
    history = read_history(store, spec, budget, 0)
    asked = make_method(SearchConfig(), Services(ProposerCapabilities)).propose(history)
    prompts = [render_prompt(spec, sample.facts, ending=sample.ending) for sample in asked]
    assert len(prompts) == samples
    return sum(len(message.content) for prompt in prompts for message in prompt.messages)


def _timed(action: Callable[[], object]) -> str:
    walls, cpus = [], []
    for _ in range(REPEATS):
        started, used = time.perf_counter(), time.process_time()
        action()
        walls.append(time.perf_counter() - started)
        cpus.append(time.process_time() - used)
    return f"{statistics.median(walls):.2f} s, {statistics.median(cpus):.2f} s of the processor"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
