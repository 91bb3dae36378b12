"""Where does a second of training on a CUDA device go? By kernel, from torch's profiler.

    python benchmarks/gpu_profile.py [--task ant] [--groups 16] [--num-envs 2048] [--updates 3]

Says how long the device was busy with each kernel in some updates, how much of the time it was busy at all, and how
much of it was MuJoCo Warp's physics. Written as JSON and printed, the longest first.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from dataclasses import dataclass

import torch
from gpu import Bench, device_name
from result_files import add_results_option
from torch.profiler import ProfilerActivity, profile

from eureka.physics import Engine
from eureka.reward.trace.trusted import trace_trusted
from eureka.tasks import load_task
from eureka.trainers.population.recording import record

VERSION = 1
LISTED = 12


@dataclass(frozen=True)
class Kernel:
    """All launches of one kernel; milliseconds of the device's time."""

    name: str
    calls: int
    ms: float


@dataclass(frozen=True)
class Result:
    """`wall_ms` of `updates` updates; `busy_ms` is the sum over kernels, `physics_ms` over MuJoCo Warp's."""

    version: int
    device: str
    task: str
    groups: int
    num_envs: int
    updates: int
    wall_ms: float
    busy_ms: float
    physics_ms: float
    kernels: tuple[Kernel, ...]


def measure(name: str, groups: int, num_envs: int, updates: int, engine: Engine) -> Result:
    """Profile `updates` updates after some that warm up."""
    task = load_task(name)
    graph = trace_trusted(lambda values: task.human_reward(task.State(**values)), task.fields, record(task).state)
    bench = Bench(task, groups, num_envs, engine, graph)
    bench.training(5)
    torch.cuda.synchronize()
    started = time.perf_counter()
    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        bench.training(updates)
        torch.cuda.synchronize()
        wall_ms = (time.perf_counter() - started) * 1e3
    rows = [Kernel(row.key, row.count, row.self_device_time_total / 1e3) for row in profiler.key_averages()]
    kernels = sorted((row for row in rows if row.ms > 0), key=lambda row: -row.ms)
    return Result(
        VERSION,
        device_name(engine.device),
        name,
        groups,
        num_envs,
        updates,
        wall_ms,
        sum(row.ms for row in kernels),
        sum(row.ms for row in kernels if _is_physics(row.name)),
        tuple(dataclasses.replace(row, name=row.name[:120]) for row in kernels[:LISTED]),
    )


def _is_physics(kernel: str) -> bool:
    """Warp's kernels end in a hash and their direction, and torch's are C++ templates."""
    return "_cuda_kernel_forward" in kernel


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="ant")
    parser.add_argument("--groups", type=int, default=16)
    parser.add_argument("--num-envs", type=int, default=2048)
    parser.add_argument("--updates", type=int, default=3)
    parser.add_argument("--device", default="cuda:0")
    add_results_option(parser)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("torch can use no CUDA device here, so there is nothing to profile")
    result = measure(options.task, options.groups, options.num_envs, options.updates, Engine("warp", options.device))
    print(
        f"{result.device}, {result.task}, K = {result.groups} x {result.num_envs} worlds, {result.updates} updates: "
        f"{result.wall_ms:.1f} ms, busy {result.busy_ms:.1f} ms, physics {result.physics_ms:.1f} ms"
    )
    for row in result.kernels:
        print(f"{row.ms:9.2f} ms {row.calls:7d} x  {row.name}")
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / f"gpu_profile_{result.task}_{result.groups}.json"
    path.write_text(json.dumps(dataclasses.asdict(result), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
