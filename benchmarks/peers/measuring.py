"""How fast do processes train that run at once? They say how far they are; the rate is over the time they all ran.

A process says `{"t": seconds, "steps": n}` on stdout when it begins to train (0 steps) and after every update, on the
machine's monotonic clock. The first updates are warm-up.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from eureka.core.serialize import dumps, loads
from eureka.tasks.ppo import PPOConfig

BENCHMARKS = Path(__file__).parents[1]
WARM_UP_UPDATES = 2


@dataclass(frozen=True)
class Training:
    """One process's training: equal for all trainers. `physics` is a key of `setups.PHYSICS`.

    `num_envs` and `horizon` are those of one training; where a trainer takes fewer environments its rollouts are the
    longer, so that an update has equally many rows. It stops `seconds` after its warm-up.
    """

    physics: str
    seconds: float
    num_envs: int
    seed: int
    ppo: PPOConfig
    vectors: str = ""


class Sampler:
    """In the training process: reports progress, and decides when to stop."""

    def __init__(self, seconds: float, say: Callable[[str], object] | None = None) -> None:
        self._seconds = seconds
        self._say = say or (lambda text: print(text, flush=True))
        self._updates = -1
        self._warm: float | None = None

    def update(self, steps: int) -> bool:
        """Call with 0 before the first step and with all steps so far after every update; False: stop now."""
        now = time.monotonic()
        self._say(json.dumps({"t": now, "steps": steps}))
        self._updates += 1
        if self._updates == WARM_UP_UPDATES:
            self._warm = now
        return self._warm is None or now - self._warm < self._seconds


@dataclass
class Series:
    """One trainer's progress: control `steps` made at the times `t` (s), the first with 0 steps."""

    t: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)

    def add(self, t: float, steps: int) -> None:
        self.t.append(t)
        self.steps.append(steps)


def rate(series: Sequence[Series]) -> float:
    """Control steps per second of all processes together, over the time when all had warmed up.

    Raises:
        SystemExit: there was no such time.
    """
    begin = max(one.t[min(WARM_UP_UPDATES, len(one.t) - 1)] for one in series)
    end = min(one.t[-1] for one in series)
    if end <= begin:
        raise SystemExit("the processes did not run at the same time for long enough: give more seconds")
    made = sum(float(np.interp(end, one.t, one.steps) - np.interp(begin, one.t, one.steps)) for one in series)
    return made / (end - begin)


@dataclass(frozen=True)
class Measured:
    """`steps_per_second` of all processes together, and the seconds from a process's start to its first step."""

    steps_per_second: float
    start_s: float


def at_once(module: str, trainings: Sequence[Training]) -> Measured:
    """Run `python -m peers.<module>` for every training, all at the same time.

    Raises:
        SystemExit: one of them failed; with what it said.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": _python_path()}
    started = time.monotonic()
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", f"peers.{module}", dumps(training)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for training in trainings
    ]
    series = []
    for process in processes:
        out, errors = process.communicate()
        lines = [json.loads(line) for line in out.splitlines() if line.startswith('{"t"')]
        if process.returncode or len(lines) < 2:
            raise SystemExit(f"peers.{module} ended with status {process.returncode}: {errors.strip()[-2000:]}")
        series.append(Series([line["t"] for line in lines], [line["steps"] for line in lines]))
    return Measured(rate(series), float(np.mean([one.t[0] - started for one in series])))


def _python_path() -> str:
    return os.pathsep.join([str(BENCHMARKS), str(BENCHMARKS.parent), *filter(None, [os.environ.get("PYTHONPATH")])])


def told() -> Training:
    """In a process started by `at_once`: the training to run."""
    return loads(Training, sys.argv[1])
