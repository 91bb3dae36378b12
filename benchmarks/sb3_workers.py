"""What several training processes gain: K candidates trained by Stable-Baselines3 in one process, then in several.

    python benchmarks/sb3_workers.py [--env Pendulum-v1] [--candidates 8] [--workers 2] [--steps 16384] [--record]

The rounds take turns, and each starts its processes anew, as a run does; seconds are wall time, so the machine has to
be quiet. The load of the machine before each round is printed and recorded with it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from result_files import COMMITTED, add_results_option

from eureka.core.serialize import dumps, loads

FILE = "sb3_workers.json"


@dataclass(frozen=True)
class Round:
    """Seconds of the same trainings in one process and in several, and the load of the machine before them."""

    one_s: float
    several_s: float
    load: float


@dataclass(frozen=True)
class Measured:
    """Everything in `results/sb3_workers.json`."""

    env: str
    candidates: int
    workers: int
    steps: int
    rounds: tuple[Round, ...]

    @property
    def gains(self) -> list[float]:
        """How many times as fast several processes are, by round."""
        return [each.one_s / each.several_s for each in self.rounds]


def seconds(env: str, candidates: int, workers: int, steps: int, graph: str) -> float:
    """Wall time from starting the processes to the last result."""
    from eureka.app.configs import compose_config
    from eureka.core.training import TrainingJob, TrainingLength, TrainingResult
    from eureka.trainers.gymnasium.trainer import GymnasiumTrainer

    config = compose_config([f"env={env}", "description=a measurement", f"train.workers={workers}"])
    trainer = GymnasiumTrainer(config)
    length = TrainingLength(steps, evaluations=1, eval_episodes=10)
    jobs = [TrainingJob(f"g01-c{number:02}", graph, 0, length) for number in range(1, candidates + 1)]
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        try:
            results = [event for event in trainer.train(jobs, Path(folder)) if isinstance(event, TrainingResult)]
        finally:
            trainer.close()
        assert len(results) == candidates
        return time.monotonic() - started


def sentence(measured: Measured) -> str:
    """The result as a sentence."""
    one = statistics.median(each.one_s for each in measured.rounds)
    several = statistics.median(each.several_s for each in measured.rounds)
    gains = measured.gains
    loads = [each.load for each in measured.rounds]
    return (
        f"{measured.candidates} trainings of {measured.steps:,} steps of {measured.env}: {one:.0f} s in one process, "
        f"{several:.0f} s in {measured.workers}; {statistics.median(gains):.2f} times as fast ({min(gains):.2f} to "
        f"{max(gains):.2f} in {len(gains)} rounds, at a load of {min(loads):.1f} to {max(loads):.1f} before them)"
    )


def read_measured() -> Measured | None:
    """What is recorded, if anything."""
    path = COMMITTED / FILE
    return loads(Measured, path.read_text(encoding="utf-8")) if path.is_file() else None


def main() -> None:
    """Measure, print and write."""
    from sb3_overhead import graph_of

    from eureka.trainers.gymnasium.environment import EnvironmentMaker
    from eureka.trainers.gymnasium.recipe import EnvironmentRecipe

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="Pendulum-v1")
    parser.add_argument("--candidates", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--steps", type=int, default=16_384)
    parser.add_argument("--rounds", type=int, default=3)
    add_results_option(parser)
    options = parser.parse_args()
    graph = graph_of(EnvironmentMaker(EnvironmentRecipe(options.env)))
    rounds = []
    for number in range(options.rounds):
        load = os.getloadavg()[0]
        order = (1, options.workers) if number % 2 == 0 else (options.workers, 1)
        taken = {size: seconds(options.env, options.candidates, size, options.steps, graph) for size in order}
        rounds.append(Round(round(taken[1], 1), round(taken[options.workers], 1), round(load, 1)))
        print(rounds[-1], flush=True)
    measured = Measured(options.env, options.candidates, options.workers, options.steps, tuple(rounds))
    options.results.mkdir(parents=True, exist_ok=True)
    (options.results / FILE).write_text(dumps(measured) + "\n", encoding="utf-8")
    print(sentence(measured))


if __name__ == "__main__":
    main()
