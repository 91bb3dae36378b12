"""Does our PPO score no worse than rsl_rl's and Stable-Baselines3's? The final task metric at equal steps.

    make study                                                    # what is missing of the table; hours
    python benchmarks/peer_scores.py [--tasks cartpole hopper ant] [--seeds 5] [--steps N]
    python benchmarks/peer_scores.py --show                       # prints what there is

Every trainer gets the task's human-written reward, our simulator, network, worlds, rows an update, hyper-parameters and
as many updates; rsl_rl also runs once more with the learning rate that it adapts by itself, its usual setting. Ours
scales rewards by their returns' deviation, as Stable-Baselines3's `VecNormalize` does; rsl_rl does not scale them. The
final policies' means are judged by the same evaluation, on the start states that our trainings are judged on. A
training that is done stands in `peer_scores.json` and is not made again.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import torch
from result_files import COMMITTED, add_results_option, measured_or_committed
from search_study_data import Hardware, this_hardware

from eureka.core.serialize import dumps, loads
from eureka.core.training import OwnReward, TrainingResult
from eureka.core.types import Rejected
from eureka.evaluation.rows import NONE, interval, value
from eureka.evaluation.statistics import difference, iqm
from eureka.store.files import write_atomically
from eureka.tasks import Task, load_task
from eureka.trainers.population.baselines import trace_baselines
from eureka.trainers.population.evaluate import evaluate
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.pool import WorkerPool
from eureka.trainers.population.population import stream
from eureka.trainers.population.recording import record

VERSION = 1
FILE = "peer_scores.json"
OURS = "eureka"
TRAINERS = (OURS, "stable_baselines3", "rsl_rl", "rsl_rl, adaptive rate")
TASKS = ("cartpole", "hopper", "ant")
_EVAL_EPISODES = 16
_EVALUATION = 3  # the stream of random numbers of our own evaluations


@dataclass(frozen=True)
class Score:
    """One training: the mean task metric of its final policy's evaluation episodes."""

    task: str
    trainer: str
    seed: int
    steps: int
    score: float


@dataclass(frozen=True)
class Scores:
    """The result file."""

    version: int
    hardware: Hardware
    scores: tuple[Score, ...]


@dataclass(frozen=True)
class Wanted:
    """A training to run."""

    task: str
    trainer: str
    seed: int
    schedule: Schedule


def read_scores(path: Path = COMMITTED / FILE) -> tuple[Score, ...]:
    """Every training there is.

    Raises:
        DecodeError: the file has another form.
    """
    return loads(Scores, path.read_text(encoding="utf-8")).scores if path.is_file() else ()


def write_scores(scores: Sequence[Score], path: Path) -> None:
    """Write all scores, one per line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = dumps(Scores(VERSION, this_hardware(), tuple(scores)))
    write_atomically(path, (text.replace('{"task"', '\n{"task"') + "\n").encode())


def schedule_of(task: Task, steps: int | None) -> Schedule:
    """The task's own, for so many steps or those of `budget=quick`."""
    info = task.info
    return Schedule(info.num_envs, steps or info.steps["quick"], 1, _EVAL_EPISODES, info.ppo)


def missing(
    tasks: Sequence[str], trainers: Sequence[str], seeds: int, steps: int | None, there: Sequence[Score]
) -> list[Wanted]:
    """The trainings that are not recorded yet, task by task."""
    known = {(score.task, score.trainer, score.seed, score.steps) for score in there}
    schedules = {name: schedule_of(load_task(name), steps) for name in tasks}
    return [
        Wanted(name, trainer, seed, schedule)
        for name, schedule in schedules.items()
        for trainer in trainers
        for seed in range(seeds)
        if (name, trainer, seed, schedule.trained_steps) not in known
    ]


def _score(wanted: Wanted, score: float) -> Score:
    return Score(wanted.task, wanted.trainer, wanted.seed, wanted.schedule.trained_steps, round(score, 5))


def train_peer(wanted: Wanted) -> Score:
    """One training of a peer, in this process."""
    torch.set_num_threads(1)
    from peers.worlds_env import with_human_reward

    task, schedule = load_task(wanted.task), wanted.schedule
    worlds = with_human_reward(task, schedule.num_envs, wanted.seed)
    if wanted.trainer.startswith("rsl_rl"):
        from peers import rsl

        left = iter(range(schedule.num_updates - 1, -1, -1))
        act = rsl.train(
            worlds, schedule.ppo, wanted.seed, lambda: next(left) > 0, adaptive=wanted.trainer.endswith("rate")
        )
    else:
        from peers import stable_baselines

        act = stable_baselines.train(worlds, schedule.ppo, wanted.seed, schedule.num_updates)
    return _score(wanted, judged(task, act, wanted.seed, schedule.eval_episodes))


def judged(task: Task, act: Callable[[torch.Tensor], torch.Tensor], seed: int, episodes: int) -> float:
    """The mean score of a policy, (N, obs_dim) -> (N, num_actions), by our own evaluation."""

    def stacked(observation: torch.Tensor) -> torch.Tensor:
        return act(observation[0])[None]

    return float(evaluate(task, stacked, [stream(seed, _EVALUATION)], episodes).mean())


def train_ours(wanted: Sequence[Wanted]) -> Iterator[Score]:
    """Our own trainings of one task, together."""
    first = wanted[0]
    task = load_task(first.task)
    graph = trace_baselines(task, record(task).state)[OwnReward.OWN]
    by_seed = {one.seed: one for one in wanted}
    jobs = [GroupJob("human", graph, seed, first.schedule) for seed in by_seed]
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(WorkerPool(first.task, (), Path(folder), dict(os.environ))) as backend,
    ):
        for event in backend.train(jobs):
            if isinstance(event, Rejected):
                raise SystemExit(f"{first.task}: {event.reason}")
            if isinstance(event, TrainingResult):
                yield _score(by_seed[event.seed], event.score)


def make(wanted: Sequence[Wanted], workers: int) -> Iterator[Score]:
    """Run all these trainings: ours one task at a time, then the peers' `workers` at a time."""
    for name in dict.fromkeys(one.task for one in wanted):
        ours = [one for one in wanted if one.task == name and one.trainer == OURS]
        if ours:
            yield from train_ours(ours)
        peers = [one for one in wanted if one.task == name and one.trainer != OURS]
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for done in as_completed([pool.submit(train_peer, one) for one in peers]):
                yield done.result()


def score_lines(scores: Sequence[Score]) -> list[str]:
    """The table of every task and length of training, as Markdown."""
    lines = []
    for task, steps in sorted({(score.task, score.steps) for score in scores}):
        metric = load_task(task).metric
        lines += [f"**{task}**, {steps:,} steps ({metric.description}, {metric.unit})", ""]
        lines += [f"| trainer | IQM | 95% interval | {OURS} above it by | seeds |", "| --- | --- | --- | --- | --- |"]
        by_trainer = {
            trainer: [s.score for s in scores if (s.task, s.steps, s.trainer) == (task, steps, trainer)]
            for trainer in TRAINERS
        }
        for trainer, found in by_trainer.items():
            if not found:
                continue
            estimate, above = iqm(found), NONE
            if trainer != OURS and by_trainer[OURS]:
                gap = difference(by_trainer[OURS], found)
                above = f"{value(gap)} {interval(gap)}"
            lines.append(f"| {trainer} | {value(estimate)} | {interval(estimate)} | {above} | {len(found)} |")
        lines.append("")
    return lines


def main() -> None:
    """Run the missing trainings, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS))
    parser.add_argument("--trainers", nargs="+", default=list(TRAINERS), choices=TRAINERS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, help="as the task has it for budget=quick where not given")
    add_results_option(parser)
    parser.add_argument("--show", action="store_true", help="train nothing")
    options = parser.parse_args()
    path = options.results / FILE
    scores = list(read_scores(measured_or_committed(options.results, FILE) if options.show else path))
    if not options.show:
        wanted = missing(options.tasks, options.trainers, options.seeds, options.steps, scores)
        for score in make(wanted, len(os.sched_getaffinity(0))):
            scores.append(score)
            write_scores(scores, path)
            print(f"{score.task}, {score.trainer}, seed {score.seed}: {score.score:.4g}", flush=True)
    print("\n".join(score_lines(scores)))


if __name__ == "__main__":
    main()
