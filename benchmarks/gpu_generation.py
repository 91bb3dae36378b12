"""How long does a generation take on a CUDA device to be as good as the original's training of one candidate?

    python benchmarks/gpu_generation.py [--task ant] [--groups 16] [--num-envs 2048] [--device cuda:0]

First one policy is trained as Eureka (Ma et al. 2023) trains an Ant in Isaac Gym: 500 epochs of 4,096 worlds and 16
steps, with the networks and hyper-parameters of IsaacGymEnvs' AntPPO but for its adaptive rate. What it scores is the
target. Then --groups policies are trained as one population with the task's own hyper-parameters, and the time is
taken until half of them have reached the target at an evaluation, evaluations included. Both learn by the task's
human-written reward, with seeds of their own. `--device cpu` with small numbers shows that the script works.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import time
from dataclasses import dataclass

from gpu import device_name
from result_files import add_results_option

from eureka.physics import Engine
from eureka.reward.trace.trusted import trace_trusted
from eureka.tasks import Task, load_task
from eureka.tasks.ppo import PPOConfig
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.population import Population
from eureka.trainers.population.recording import record

VERSION = 1
ORIGINAL = PPOConfig(
    hidden=(256, 128, 64), activation="elu", horizon=16, epochs=4, minibatches=2, learning_rate=3e-4, gamma=0.99,
    gae_lambda=0.95, clip=0.2, entropy=0.0, value_weight=1.0, max_grad_norm=1.0, initial_std=1.0,
)  # fmt: skip
EVAL_EPISODES = 64
CHECKPOINTS = 20


@dataclass(frozen=True)
class Result:
    """Scores in the metric's unit and wall times in seconds; `generation_s` None: the target was not reached.

    `original_s` is one training of the original's setting on the same device, compiling included, as in the other.
    """

    version: int
    device: str
    task: str
    original_epochs: int
    original_num_envs: int
    target: float
    original_s: float
    groups: int
    num_envs: int
    generation_s: float | None
    generation_steps: int
    scores: tuple[float, ...]


def _population(task: Task, schedule: Schedule, seeds: range, engine: Engine) -> Population:
    graph = trace_trusted(lambda values: task.human_reward(task.State(**values)), task.fields, record(task).state)
    return Population(task, [GroupJob(f"s{seed:02d}", graph, seed, schedule) for seed in seeds], engine=engine)


def original(task: Task, epochs: int, num_envs: int, engine: Engine) -> tuple[float, float]:
    """(final score, seconds) of one training as the original trains."""
    steps = epochs * num_envs * ORIGINAL.horizon
    started = time.perf_counter()
    population = _population(task, Schedule(num_envs, steps, 1, EVAL_EPISODES, ORIGINAL), range(1), engine)
    while not population.finished:
        population.advance()
    if not population.jobs:
        raise SystemExit(f"{task.info.name}: the original's setting diverged, so there is no target")
    return population.results()[0].score, time.perf_counter() - started


def generation(
    task: Task, groups: int, num_envs: int, steps: int, target: float, engine: Engine
) -> tuple[float | None, int, tuple[float, ...]]:
    """(seconds until half have reached the target or None, control steps of each group, their best scores)."""
    schedule = Schedule(num_envs, steps, CHECKPOINTS, EVAL_EPISODES, task.info.ppo)
    started = time.perf_counter()
    population = _population(task, schedule, range(1, groups + 1), engine)
    reached, best = None, [float("-inf")]
    while reached is None and not population.finished:
        population.advance()
        if population.updates in schedule.evaluated_after:
            best = [max(record.checkpoint_scores) for record in population.records]
            print(f"{population.records[0].steps[-1]:,} steps: median of the best {statistics.median(best):.2f}")
            if statistics.median(best) >= target:
                reached = time.perf_counter() - started
    return reached, population.updates * num_envs * schedule.ppo.horizon, tuple(round(score, 4) for score in best)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="ant")
    parser.add_argument("--groups", type=int, default=16)
    parser.add_argument("--num-envs", type=int, default=2048)
    parser.add_argument("--steps", type=int, default=32_768_000, help="of a group at most; as many as the original's")
    parser.add_argument("--original-epochs", type=int, default=500)
    parser.add_argument("--original-num-envs", type=int, default=4096)
    parser.add_argument("--device", default="cuda:0")
    add_results_option(parser)
    options = parser.parse_args()
    task, engine = load_task(options.task), Engine("warp", options.device)
    target, original_s = original(task, options.original_epochs, options.original_num_envs, engine)
    print(f"the original's setting: {target:.2f} {task.metric.unit} after {original_s:.0f} s", flush=True)
    seconds, steps, scores = generation(task, options.groups, options.num_envs, options.steps, target, engine)
    result = Result(
        VERSION, device_name(options.device), options.task, options.original_epochs, options.original_num_envs,
        round(target, 4), round(original_s, 1), options.groups, options.num_envs,
        None if seconds is None else round(seconds, 1), steps, scores,
    )  # fmt: skip
    options.results.mkdir(parents=True, exist_ok=True)
    text = json.dumps(dataclasses.asdict(result), indent=1) + "\n"
    (options.results / "gpu_generation.json").write_text(text, encoding="utf-8")
    said = "did not reach it" if seconds is None else f"reached it in {seconds:.0f} s"
    print(f"half of {options.groups} groups of {options.num_envs} worlds {said}, {steps:,} steps each; {result.device}")


if __name__ == "__main__":
    main()
