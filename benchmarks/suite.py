"""What does the suite learn by its human-written rewards, and by the bare metric? Five seeds of the quick budget each.

    python benchmarks/suite.py swingup acrobot      # trains and prints; keeps it in outputs/benchmarks/suite.json
    python benchmarks/suite.py ant --steps 1000000 --reward metric
    python benchmarks/suite.py anymal --device cuda:0 --num-envs 1024 --steps 20000000 --seconds 240
    python benchmarks/suite.py --show               # every row there is, or what is committed

Scores are the task metric of the final policies, the mean of their evaluation episodes. What a task.yaml says under
`learned` is the row of the committed file (tests/tasks/test_suite.py). With --device the worlds and the policies are on
that device (physics=warp), and the row says on which; --seconds ends a training after so long, at its last evaluation.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from gpu import device_name
from result_files import add_results_option, measured_or_committed

from eureka.core.training import OwnReward
from eureka.physics import Engine
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
DEVICE_CHECKPOINTS = 20


def graph_of(task: Task, reward: str) -> str:
    """The graph of the human-written reward, of the bare metric, or of another of the task's methods by its name."""
    state = record(task).state
    if reward in ("human", "metric"):
        return trace_baselines(task, state)[OwnReward.OWN if reward == "human" else OwnReward.METRIC]
    method = getattr(task, reward)
    return trace_trusted(lambda fields: method(task.State(**fields)), task.fields, state)


def train(
    task: Task, reward: str, steps: int, seeds: range, num_envs: int, engine: Engine, seconds: float
) -> dict[str, Any]:
    """Train one population, a policy a seed, for `seconds` at most; gives the row.

    Raises:
        SystemExit: no evaluation was reached in that time, or a reward became NaN.
    """
    graph = graph_of(task, reward)
    checkpoints = CHECKPOINTS if engine.kind == "c" else DEVICE_CHECKPOINTS
    schedule = Schedule(num_envs, steps, checkpoints, EVAL_EPISODES, task.info.ppo)
    started = time.monotonic()
    population = Population(task, [GroupJob(f"seed-{seed}", graph, seed, schedule) for seed in seeds], engine=engine)
    trained = 0
    while not population.finished and time.monotonic() - started < seconds:
        population.advance()
        if population.updates in schedule.evaluated_after:
            trained = population.updates * num_envs * schedule.ppo.horizon
            print(f"{trained:,} steps: {[record.checkpoint_scores[-1] for record in population.records]}", flush=True)
    if len(population.jobs) < len(seeds) or not trained:
        raise SystemExit(f"{task.info.name}: {len(population.jobs)} of {len(seeds)} trainings, {trained:,} steps")
    scores = [record.checkpoint_scores for record in population.records]
    on_device = {} if engine.kind == "c" else {"device": device_name(engine.device), "num_envs": num_envs}
    return {
        "steps": steps if population.finished else trained,
        "seeds": list(seeds),
        "unit": task.metric.unit,
        "scores": [round(of_seed[-1], 4) for of_seed in scores],
        "checkpoints": [[round(score, 4) for score in of_seed] for of_seed in scores],
        "seconds": round(time.monotonic() - started),
        **on_device,
    }


def line(key: str, row: dict[str, Any]) -> str:
    """A row for people."""
    scores = " ".join(f"{score:.3g}" for score in row["scores"])
    mean = sum(row["scores"]) / len(row["scores"])
    place = f" on {row['device']}, {row['num_envs']:,} worlds" if "device" in row else ""
    return f"{key:32} {mean:8.3g} {row['unit']} after {row['steps']:,} steps ({scores}), {row['seconds']} s{place}"


def main() -> None:
    """Train what is named, print and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*")
    parser.add_argument("--reward", default="human", help="human, metric, or a method such as reward_v1")
    parser.add_argument("--steps", type=int, help="of each training; the task's quick budget where left out")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--device", help="cuda:0 or cpu, for physics=warp; MuJoCo's C engine where left out")
    parser.add_argument("--num-envs", type=int, help="worlds of each training; the task's where left out")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of each task at most")
    parser.add_argument("--show", action="store_true", help="train nothing")
    add_results_option(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    path: Path = options.results / NAME
    if options.show:
        for key, row in json.loads(measured_or_committed(options.results, NAME).read_text()).items():
            print(line(key, row))
        return
    engine = Engine("warp", options.device) if options.device else Engine()
    for name in options.tasks:
        task = load_task(name)
        steps, num_envs = options.steps or task.info.steps["quick"], options.num_envs or task.info.num_envs
        row = train(task, options.reward, steps, range(options.seeds), num_envs, engine, options.seconds)
        rows = json.loads(path.read_text()) if path.is_file() else {}
        key = f"{name} {options.reward}" + (" on a device" if options.device else "")
        rows[key] = row
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(dict(sorted(rows.items())), indent=1).encode() + b"\n")
        print(line(key, row), flush=True)


if __name__ == "__main__":
    main()
