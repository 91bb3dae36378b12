"""How much of the bare physics does training reach? End to end, 8 Ant candidates, ratios in one run.

    python benchmarks/training.py [--groups 8] [--updates 40] [--rounds 3]

`bare` steps the task's model with random controls and nothing else, on as many processes as training has workers.
`training` is the real backend: worker processes, rollouts, a graph reward, PPO updates, statistics. Its evaluations
are left out of the schedule but for one of a single episode. The two alternate, and the ratio is of their medians.
The two rows: the task's own step (implicitfast 0.025 s x 2), and Gymnasium's 5 substeps of 0.01 s (implicitfast).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch

from eureka.core.training import Progress
from eureka.physics import MujocoC
from eureka.tasks import find_tasks, load_task
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.pool import WorkerPool

GRAPH = json.dumps(
    {
        "version": 1,
        "inputs": ["action", "forward_velocity"],
        "constants": {"effort": -0.02, "alive": 0.1},
        "nodes": [
            {"op": "pow.Tensor_Scalar", "args": [{"input": "action"}, 2]},
            {"op": "sum.dim_IntList", "args": [{"node": 0}, [-1]]},
            {"op": "mul.Tensor", "args": [{"node": 1}, {"constant": "effort"}]},
            {"op": "add.Tensor", "args": [{"input": "forward_velocity"}, {"node": 2}]},
            {"op": "add.Tensor", "args": [{"node": 3}, {"constant": "alive"}]},
        ],
        "total": {"node": 4},
        "components": [
            {"name": "forward", "value": {"input": "forward_velocity"}},
            {"name": "effort", "value": {"node": 2}},
        ],
    }
)


def bare_steps_per_second(task_dir: str, name: str, num_envs: int, steps: int) -> float:
    """Control steps a second of one process: random controls, one thread, nothing else."""
    torch.set_num_threads(1)
    task = load_task(name, [Path(task_dir)])
    sim = MujocoC(task.model, num_envs, task.info.outputs)
    sim.reset(
        torch.arange(num_envs),
        torch.from_numpy(task.model.qpos0).repeat(num_envs, 1),
        torch.zeros(num_envs, task.model.nv),
    )
    controls = torch.rand(8, num_envs, task.model.nu).double() * 2 - 1
    for step in range(20 + steps):
        if step == 20:
            started = time.perf_counter()
        sim.ctrl.copy_(controls[step % 8])
        sim.step(task.info.physics.substeps)
    return num_envs * steps / (time.perf_counter() - started)


def bare(task_dir: Path, name: str, workers: int, num_envs: int, steps: int) -> float:
    """Control steps a second of `workers` such processes at once."""
    with ProcessPoolExecutor(workers) as pool:
        rates = [pool.submit(bare_steps_per_second, str(task_dir), name, num_envs, steps) for _ in range(workers)]
        return sum(rate.result() for rate in rates)


def training(backend: WorkerPool, schedule: Schedule, groups: int, first_seed: int) -> float:
    """Control steps a second over all candidates, from the first update's end to the last one's.

    Args:
        first_seed: with seeds of an earlier call there would be nothing left to train.
    """
    jobs = [GroupJob(f"g01-c{k + 1:02d}", GRAPH, first_seed + k, schedule) for k in range(groups)]
    first, last, seen = 0.0, 0.0, 0
    per_update = schedule.num_envs * schedule.ppo.horizon
    for event in backend.train(jobs):
        if isinstance(event, Progress):
            first = first or time.perf_counter()
            last = time.perf_counter()
            seen += 1
    return (seen - groups) * per_update / (last - first)


def five_substeps(folder: Path) -> Path:
    """A copy of the ant task with Gymnasium's 5 substeps of 0.01 s, under implicitfast."""
    copy = Path(shutil.copytree(find_tasks()["ant"], folder / "ant_five_substeps"))
    info = (copy / "task.yaml").read_text()
    changed = info.replace("timestep_s: 0.025", "timestep_s: 0.01").replace("substeps: 2", "substeps: 5")
    if changed == info:
        raise SystemExit("tasks/ant/task.yaml no longer has the step that this script replaces")
    (copy / "task.yaml").write_text(changed)
    return copy


def main() -> None:
    """Print one row per physics setting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=int, default=8)
    parser.add_argument("--updates", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    workers = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        own = Path(shutil.copytree(find_tasks()["ant"], folder / "ant_own_step"))
        for directory in (own, five_substeps(folder)):
            info = load_task(directory.name, [directory]).info
            num_envs = info.num_envs * options.groups // workers
            steps = options.updates * info.num_envs * info.ppo.horizon
            schedule = Schedule(info.num_envs, steps, 1, 1, replace(info.ppo))
            bares, trained = [], []
            backend = WorkerPool(
                directory.name, [directory], folder / f"trained_{directory.name}", dict(os.environ), workers
            )
            for number in range(options.rounds):
                bares.append(bare(directory, directory.name, workers, num_envs, 200))
                trained.append(training(backend, schedule, options.groups, number * options.groups))
            backend.close()
            physics, whole = statistics.median(bares), statistics.median(trained)
            print(
                f"{directory.name}: bare {physics:,.0f} steps/s, training {whole:,.0f} steps/s, "
                f"ratio {whole / physics:.2f} (K={options.groups}, {workers} workers, {options.rounds} rounds; "
                f"bare {min(bares):,.0f} to {max(bares):,.0f}, training {min(trained):,.0f} to {max(trained):,.0f})"
            )


if __name__ == "__main__":
    main()
