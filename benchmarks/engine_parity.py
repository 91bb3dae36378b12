"""Do MuJoCo's C engine and MuJoCo Warp agree? Step by step, and in what policies score.

    python benchmarks/engine_parity.py [--tasks cartpole hopper ...] [--seeds 3] [--episodes 64] [--show]

Both engines step the same worlds from the same start states with the same random controls for 100 control steps; then
policies that were trained on the C engine with the task's human-written reward are evaluated by both on the same start
states. Warp runs on its CPU device, in single precision as on a GPU; the C engine works in double precision. Needs the
extra `gpu`. A task that is done stands in `engine_parity.json` and is not made again.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import torch
from result_files import COMMITTED, add_results_option, measured_or_committed
from search_study_data import Hardware, this_hardware

from eureka.core.serialize import dumps, loads
from eureka.core.training import OwnReward, TrainingResult
from eureka.core.types import Rejected
from eureka.evaluation.rows import interval, value
from eureka.evaluation.statistics import difference, iqm
from eureka.physics import Engine, MujocoC
from eureka.store.files import write_atomically
from eureka.tasks import Rng, Task, load_task
from eureka.trainers.population.baselines import trace_baselines
from eureka.trainers.population.evaluate import evaluate
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.policy import load_policy
from eureka.trainers.population.pool import WorkerPool
from eureka.trainers.population.population import stream
from eureka.trainers.population.recording import record

VERSION = 1
FILE = "engine_parity.json"
TASKS = ("cartpole", "swingup", "hopper", "ant", "humanoid")
NUM_ENVS = 16
STEPS = 100
_EVALUATION = 7  # a random stream that no training uses


@dataclass(frozen=True)
class Scores:
    """Every evaluation episode's task metric, of all policies, by the two engines."""

    c: tuple[float, ...]
    warp: tuple[float, ...]


@dataclass(frozen=True)
class Parity:
    """One task. Differences are the largest of a world's coordinates after 100 steps, in the worst and median world.

    Positions are in metres and radians, velocities the same a second.
    """

    task: str
    qpos_worst: float
    qpos_median: float
    qvel_worst: float
    qvel_median: float
    policies: int
    scores: Scores


@dataclass(frozen=True)
class Parities:
    """The result file."""

    version: int
    hardware: Hardware
    tasks: tuple[Parity, ...]


def read_parity(path: Path = COMMITTED / FILE) -> Parities | None:
    """The measured result, None if there is none.

    Raises:
        DecodeError: the file has another form.
    """
    return loads(Parities, path.read_text(encoding="utf-8")) if path.is_file() else None


def write_parity(tasks: Sequence[Parity], path: Path) -> None:
    """Write the result, one task per line."""
    text = dumps(Parities(VERSION, this_hardware(), tuple(tasks)))
    write_atomically(path, (text.replace('{"task"', '\n{"task"') + "\n").encode())


def trajectories_apart(task: Task) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest difference of qpos and of qvel in every world, (NUM_ENVS,) each, after the same controls."""
    from eureka.physics.mujoco_warp import MujocoWarp

    room = task.info.physics
    pair = (
        MujocoC(task.model, NUM_ENVS, task.info.outputs),
        MujocoWarp(task.model, NUM_ENVS, task.info.outputs, nconmax=room.nconmax, njmax=room.njmax),
    )
    start = task.reset(Rng.from_seed(0), NUM_ENVS)
    low, high = torch.from_numpy(task.model.actuator_ctrlrange).float().T
    noise = torch.rand(STEPS, NUM_ENVS, task.model.nu, generator=torch.Generator().manual_seed(0))
    for sim in pair:
        sim.reset(torch.arange(NUM_ENVS), start.qpos, start.qvel)
        for control in low + (high - low) * noise:
            sim.ctrl.copy_(control)
            sim.step(task.info.physics.substeps)
    c, warp = pair
    return _apart(c.qpos, warp.qpos), _apart(c.qvel, warp.qvel)


def _apart(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return (first.double() - second.double()).abs().amax(dim=1)


def policies(task: Task, num_seeds: int) -> list[bytes]:
    """Policies trained with the human-written reward, one per seed."""
    info = task.info
    schedule = Schedule(info.num_envs, info.steps["quick"], 1, 1, info.ppo)
    graph = trace_baselines(task, record(task).state)[OwnReward.OWN]
    found = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(WorkerPool(info.name, (), Path(folder), dict(os.environ))) as backend,
    ):
        for event in backend.train([GroupJob("human", graph, seed, schedule) for seed in range(num_seeds)]):
            if isinstance(event, Rejected):
                raise SystemExit(f"{info.name}: {event.reason}")
            if isinstance(event, TrainingResult):
                found[event.seed] = event.policy
    return [found[seed] for seed in sorted(found)]


def compare(name: str, num_seeds: int, episodes: int) -> Parity:
    """All measurements of one task."""
    task = load_task(name)
    qpos, qvel = trajectories_apart(task)
    scores: dict[str, list[float]] = {"c": [], "warp": []}
    trained = policies(task, num_seeds)
    for seed, data in enumerate(trained):
        for kind, engine in (("c", Engine()), ("warp", Engine("warp", "cpu"))):
            rows = evaluate(task, load_policy(data), [stream(seed, _EVALUATION)], episodes, engine)
            scores[kind] += [round(float(score), 5) for score in rows[0]]
    return Parity(
        task=name,
        qpos_worst=float(f"{float(qpos.max()):.2g}"),
        qpos_median=float(f"{float(qpos.median()):.2g}"),
        qvel_worst=float(f"{float(qvel.max()):.2g}"),
        qvel_median=float(f"{float(qvel.median()):.2g}"),
        policies=len(trained),
        scores=Scores(tuple(scores["c"]), tuple(scores["warp"])),
    )


def parity_lines(parities: Parities) -> list[str]:
    """The table, as Markdown."""
    lines = [
        "| task | positions apart | velocities apart | score on C | on Warp | difference |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in parities.tasks:
        c, warp = iqm(one.scores.c), iqm(one.scores.warp)
        gap = difference(one.scores.warp, one.scores.c)
        lines.append(
            f"| {one.task} | {one.qpos_median:g}, {one.qpos_worst:g} | {one.qvel_median:g}, {one.qvel_worst:g} | "
            f"{value(c)} {interval(c)} | {value(warp)} {interval(warp)} | {value(gap)} {interval(gap)} |"
        )
    first = parities.tasks[0]
    return [
        *lines,
        "",
        f"{NUM_ENVS} worlds under the same random controls for {STEPS} control steps: the largest difference of a "
        "coordinate in the median and in the worst world (m, rad; m/s, rad/s). Then "
        f"{first.policies} policies a task, trained with the human-written reward, for "
        f"{len(first.scores.c) // first.policies} episodes each from the same start states: the IQM over episodes with "
        f"95% intervals, in the metric's unit. Warp on its CPU device, {parities.hardware.cpu}. "
        "`python benchmarks/engine_parity.py`",
        "",
    ]


def main() -> None:
    """Compare what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--episodes", type=int, default=64)
    add_results_option(parser)
    parser.add_argument("--show", action="store_true", help="compare nothing")
    options = parser.parse_args()
    path = options.results / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    there = read_parity(measured_or_committed(options.results, FILE) if options.show else path)
    found = list(there.tasks) if there else []
    for name in () if options.show else options.tasks:
        if name not in {one.task for one in found}:
            found.append(compare(name, options.seeds, options.episodes))
            write_parity(found, path)
            print(f"{name}: done", flush=True)
    if found:
        print("\n".join(parity_lines(Parities(VERSION, this_hardware(), tuple(found)))))


if __name__ == "__main__":
    main()
