"""What the confinement of training workers costs: whole trainings with it and without, in turn, in one run.

    python benchmarks/confinement.py [--task ant] [--groups 4] [--steps 60000] [--rounds 5] [--record]

A training is a pool of workers from its start to its end: imports, warm-up, rollouts, updates, checkpoints, results.
Without confinement a worker neither warms up nor gives anything up (`unconfined_worker.py`); all else is the same. The
two alternate, and which of them is first changes from round to round. A round's ratio is with over without, of wall
time and of the processor time of parent and workers together, which other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from unittest import mock

import torch
from result_files import add_results_option
from training import GRAPH

from eureka.core.processes import python_command
from eureka.tasks import load_task
from eureka.trainers.population import pool as pools
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.pool import WorkerPool

FILE = "confinement.json"
UNCONFINED = Path(__file__).with_name("unconfined_worker.py")


@dataclass(frozen=True)
class Took:
    """The seconds of one training."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class Round:
    """One training of each kind."""

    confined: Took
    unconfined: Took

    @property
    def wall(self) -> float:
        """The ratio of wall times."""
        return self.confined.wall_s / self.unconfined.wall_s

    @property
    def cpu(self) -> float:
        """The ratio of processor times."""
        return self.confined.cpu_s / self.unconfined.cpu_s


def train(task: str, groups: int, steps: int, *, confined: bool) -> Took:
    """Train with a new pool, one worker per core."""
    info = load_task(task).info
    schedule = Schedule(info.num_envs, steps, checkpoints=4, eval_episodes=8, ppo=info.ppo)
    jobs = [GroupJob(f"g01-c{k + 1:02d}", GRAPH, k, schedule) for k in range(groups)]
    started, cpu = time.perf_counter(), _cpu_s()
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(pools, "module_command", _command(confined)):
        pool = WorkerPool(task, (), Path(folder), dict(os.environ))
        try:
            list(pool.train(jobs))
        finally:
            pool.close()
        states = {layer.state for layer in pool.layers}
    if states != ({"on"} if confined else {"off"}):
        raise SystemExit(f"the workers' layers are {sorted(states)}: there is nothing to compare on this machine")
    return Took(round(time.perf_counter() - started, 3), round(_cpu_s() - cpu, 3))


def _command(confined: bool) -> object:
    def command(module: str, *arguments: str) -> list[str]:
        return python_command(*(("-m", module) if confined else (str(UNCONFINED),)), *arguments)

    return command


def _cpu_s() -> float:
    """Processor time of this process and of its children that have ended."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def lines(rounds: Sequence[Round]) -> list[str]:
    """The result in words."""
    found = []
    for name, ratios in (("wall", [one.wall for one in rounds]), ("processor", [one.cpu for one in rounds])):
        found.append(
            f"{name} time with confinement over without: {statistics.median(ratios):.4f} (median of {len(ratios)} "
            f"rounds; {min(ratios):.4f} to {max(ratios):.4f})"
        )
    return found


def main() -> None:
    """Measure, print, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="ant")
    parser.add_argument("--groups", type=int, default=4)
    parser.add_argument("--steps", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=5)
    add_results_option(parser)
    options = parser.parse_args()
    rounds = []
    for number in range(options.rounds):
        order = (True, False) if number % 2 else (False, True)
        took = {c: train(options.task, options.groups, options.steps, confined=c) for c in order}
        rounds.append(Round(took[True], took[False]))
        print(f"round {number + 1}: wall {rounds[-1].wall:.4f}, processor {rounds[-1].cpu:.4f}", flush=True)
    print("\n".join(lines(rounds)))
    options.results.mkdir(parents=True, exist_ok=True)
    document = {
        "task": options.task,
        "groups": options.groups,
        "steps": options.steps,
        "cores": len(os.sched_getaffinity(0)),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "rounds": [asdict(one) for one in rounds],
    }
    (options.results / FILE).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
