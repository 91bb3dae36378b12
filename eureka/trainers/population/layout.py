"""How the cores are shared: one worker each, and of those that have no work a worker's physics takes the threads.

Results do not depend on it: MuJoCo steps every world alike on any number of threads.
"""

from __future__ import annotations

import time

from eureka.physics.mujoco_c import MujocoC
from eureka.tasks import Task

_MEASURED_S = 0.05


def spare_threads(cores: int, populations: int) -> int:
    """The most threads for each of the workers that train so many populations, each of which has a core."""
    return max(cores // max(populations, 1), 1)


def fastest_threads(task: Task, num_worlds: int, most: int) -> int:
    """Of 1, 2, 4, ... and `most` threads those that step so many worlds fastest here and now, by a short measurement.

    Cores that are two halves of one, or that others use, do not help as much as their number says.
    """
    counts = sorted({*(1 << power for power in range(most.bit_length())), most})
    return min(counts, key=lambda threads: _step_s(task, num_worlds, threads)) if most > 1 else 1


def _step_s(task: Task, num_worlds: int, threads: int) -> float:
    """Seconds of the fastest of some control steps."""
    sim = MujocoC(task.model, num_worlds, threads=threads, sensors=False)
    best = float("inf")
    began = time.perf_counter()
    while time.perf_counter() - began < _MEASURED_S:
        started = time.perf_counter()
        sim.step(task.info.physics.substeps)
        best = min(best, time.perf_counter() - started)
    return best
