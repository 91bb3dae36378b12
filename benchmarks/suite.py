"""What does the suite learn by its human-written rewards, and by the bare metric? Five seeds of the quick budget each.

    python benchmarks/suite.py swingup acrobot      # trains and prints; keeps it in outputs/benchmarks/suite.json
    python benchmarks/suite.py ant --steps 1000000 --reward metric
    python benchmarks/suite.py --show               # every row there is, or what is committed

Scores are the task metric of the final policies, the mean of their evaluation episodes. What a task.yaml says under
`learned` is the row of the committed file (tests/tasks/test_suite.py).
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from result_files import add_results_option, measured_or_committed

from eureka.core.training import OwnReward
from eureka.reward.trace.trusted import trace_trusted
from eureka.store.files import write_atomically
from eureka.tasks import Task, load_task
from eureka.trainers.population.baselines import trace_baselines
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.population import Population
from eureka.trainers.population.recording import record

NAME = "suite.json"
EVAL_EPISODES = 16
CHECKPOINTS = 4


def graph_of(task: Task, reward: str) -> str:
    """The graph of the human-written reward, of the bare metric, or of another of the task's methods by its name."""
    state = record(task).state
    if reward in ("human", "metric"):
        return trace_baselines(task, state)[OwnReward.OWN if reward == "human" else OwnReward.METRIC]
    method = getattr(task, reward)
    return trace_trusted(lambda fields: method(task.State(**fields)), task.fields, state)


def train(name: str, reward: str, steps: int | None, seeds: range) -> dict[str, Any]:
    """Train one population, a policy a seed; gives the row."""
    task = load_task(name)
    steps = steps or task.info.steps["quick"]
    graph = graph_of(task, reward)
    schedule = Schedule(task.info.num_envs, steps, CHECKPOINTS, EVAL_EPISODES, task.info.ppo)
    started = time.monotonic()
    population = Population(task, [GroupJob(f"seed-{seed}", graph, seed, schedule) for seed in seeds])
    while not population.finished:
        population.advance()
    results = sorted(population.results(), key=lambda result: result.seed)
    return {
        "steps": steps,
        "seeds": [result.seed for result in results],
        "unit": task.metric.unit,
        "scores": [round(result.score, 4) for result in results],
        "checkpoints": [[round(score, 4) for score in result.checkpoint_scores] for result in results],
        "seconds": round(time.monotonic() - started),
    }


def line(key: str, row: dict[str, Any]) -> str:
    """A row for people."""
    scores = " ".join(f"{score:.3g}" for score in row["scores"])
    mean = sum(row["scores"]) / len(row["scores"])
    return f"{key:32} {mean:8.3g} {row['unit']} after {row['steps']:,} steps ({scores}), {row['seconds']} s"


def main() -> None:
    """Train what is named, print and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*")
    parser.add_argument("--reward", default="human", help="human, metric, or a method such as reward_v1")
    parser.add_argument("--steps", type=int, help="of each training; the task's quick budget where left out")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--show", action="store_true", help="train nothing")
    add_results_option(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    path: Path = options.results / NAME
    if options.show:
        for key, row in json.loads(measured_or_committed(options.results, NAME).read_text()).items():
            print(line(key, row))
        return
    for name in options.tasks:
        row = train(name, options.reward, options.steps, range(options.seeds))
        rows = json.loads(path.read_text()) if path.is_file() else {}
        key = f"{name} {options.reward}"
        rows[key] = row
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(dict(sorted(rows.items())), indent=1).encode() + b"\n")
        print(line(key, row), flush=True)


if __name__ == "__main__":
    main()
