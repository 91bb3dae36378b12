"""How long the report of a large run takes to write, and how large it is.

python benchmarks/report.py [GENERATIONS SAMPLES]: a made-up run of 5 generations of 16 candidates where not given.
Prints the seconds of reading the run and writing the page in a warm process, those of the process that a run starts
after every generation, and the size.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from synthetic_run import write_synthetic_run

from eureka.ui.report import write_report

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
    print(f"{generations} generations of {samples} candidates, median of {REPEATS}:")
    in_process, in_its_own = statistics.median(warm), statistics.median(alone)
    print(f"  read and written in {in_process:.2f} s, as a process of its own {in_its_own:.2f} s")
    print(f"  {size / 1e6:.2f} MB without videos")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
