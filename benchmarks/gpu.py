"""How much of the bare physics does training reach on a CUDA device? One process, one device, everything on it.

    python benchmarks/gpu.py [--tasks ant humanoid] [--groups 1 4 16] [--num-envs 2048] [--device cuda:0]

For every number K of groups with --num-envs worlds each, control steps a second of all of them together:

- `bare` steps the model and nothing else: one rollout after another from the states of the training, with controls
  that are random as a new policy's;
- `rollout` adds policies, the task's own functions, resets and each group's reward;
- `training` adds statistics and PPO updates: the trainer as it is, without evaluations.

`share` is training / bare, and `cost` the time of an update against the same with the first K: a device that is not
full gives K groups for less than K times the price of one. Rates are medians over --rounds, the three alternating.
The result is written as JSON, with the device's name. `--device cpu` runs it without a GPU, to see that it works, and
`--launched` leaves out the recordings (eureka/physics/device_graphs.py), to see what they are worth.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import torch
from result_files import add_results_option

from eureka.physics import Engine, device_graphs
from eureka.physics.base import DeviceSimulator
from eureka.reward.trace.trusted import trace_trusted
from eureka.tasks import Task, find_tasks, load_task
from eureka.trainers.population.group import GroupJob, Schedule
from eureka.trainers.population.out_of_memory import is_out_of_memory, release
from eureka.trainers.population.population import Population
from eureka.trainers.population.recording import record

VERSION = 1
_PACKAGES = ("torch", "mujoco", "mujoco-warp", "warp-lang")
_ENDLESS = 1 << 50  # control steps between evaluations: none happens during a measurement


@dataclass(frozen=True)
class Row:
    """Control steps per second with this number of groups; None if the device ran out of memory.

    `update_s` is seconds of a rollout and its update, `memory_bytes` the most that torch held, `diverged` how many of
    training's world steps ended in a diverged world.
    """

    task: str
    groups: int
    num_envs: int
    bare: float | None = None
    rollout: float | None = None
    training: float | None = None
    share: float | None = None
    update_s: float | None = None
    cost: float | None = None
    memory_bytes: int = 0
    diverged: int = 0


@dataclass(frozen=True)
class Result:
    """What is written: `device` is its name, and `rounds` and `horizon` say how long was measured."""

    version: int
    device: str
    machine: str
    versions: dict[str, str]
    rounds: int
    updates: int
    rows: tuple[Row, ...]


class Bench:
    """One task with K groups on one device."""

    def __init__(self, task: Task, groups: int, num_envs: int, engine: Engine, graph: str) -> None:
        info = task.info
        self._task, self._engine = task, engine
        schedule = Schedule(num_envs, _ENDLESS, 1, 1, info.ppo)
        jobs = [GroupJob(f"g01-c{k + 1:02d}", graph, k, schedule) for k in range(groups)]
        self.population = Population(task, jobs, engine=engine)
        self.worlds = groups * num_envs
        self.bare_sim: DeviceSimulator = engine.device_simulator(
            task.model, self.worlds, (), False, info.physics.nconmax, info.physics.njmax
        )
        with engine.scope():
            low, high = torch.from_numpy(task.model.actuator_ctrlrange).float().to(engine.device).T
            noise = (info.ppo.initial_std * torch.randn(info.ppo.horizon, self.worlds, task.model.nu)).clamp(-1, 1)
            self._controls = (low + high) / 2 + (high - low) / 2 * noise
        self._stepping = device_graphs.Replayed(self._bare_steps, device=torch.device(engine.device))

    def bare(self, updates: int) -> None:
        state = self.population.worlds.sim.save()
        for _ in range(updates):
            self.bare_sim.load(state)
            self._stepping()

    def _bare_steps(self) -> None:
        for controls in self._controls:
            self.bare_sim.ctrl.copy_(controls)
            self.bare_sim.step(self._task.info.physics.substeps)

    def rollout(self, updates: int) -> None:
        population = self.population
        with self._engine.scope():
            for _ in range(updates):
                population._noise.normal_()
                population.worlds.prepare(population.config.horizon)
                rolled, recent = population._collecting()
                population._rewarding(rolled, recent)

    def training(self, updates: int) -> None:
        for _ in range(updates):
            self.population.advance()
        if not self.population.jobs:
            raise SystemExit(f"{self._task.info.name}: no group is left; the reward became NaN")


def measure(
    task: Task, groups: Sequence[int], num_envs: int, engine: Engine, rounds: int, updates: int
) -> tuple[Row, ...]:
    """One row for each number of groups, with the task's human-written reward."""
    graph = trace_trusted(lambda values: task.human_reward(task.State(**values)), task.fields, record(task).state)
    rows: list[Row] = []
    for number in groups:
        if engine.device.startswith("cuda"):
            torch.cuda.reset_peak_memory_stats(engine.device)
        try:
            row = _measured(Bench(task, number, num_envs, engine, graph), rounds, updates)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            row = Row(task.info.name, number, num_envs)
        release()
        if rows and rows[0].update_s and row.update_s:
            row = dataclasses.replace(row, cost=row.update_s / rows[0].update_s)
        rows.append(row)
        print(_line(row), flush=True)
    return tuple(rows)


def _measured(bench: Bench, rounds: int, updates: int) -> Row:
    population = bench.population
    horizon, device = population.config.horizon, population.engine.device
    parts: dict[str, Callable[[], None]] = {
        "bare": lambda: bench.bare(updates),
        "rollout": lambda: bench.rollout(updates),
        "training": lambda: bench.training(updates),
    }
    seconds: dict[str, list[float]] = {name: [] for name in parts}
    for number in range(rounds + 1):
        for name, part in parts.items():
            _wait(device)
            started = time.perf_counter()
            part()
            _wait(device)
            if number:  # the first compiles, captures and warms up
                seconds[name].append(time.perf_counter() - started)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    rate = {name: updates * horizon * bench.worlds / value for name, value in median.items()}
    return Row(
        task=population.task.info.name,
        groups=len(population.jobs),
        num_envs=population.schedule.num_envs,
        **rate,
        share=rate["training"] / rate["bare"],
        update_s=median["training"] / updates,
        memory_bytes=torch.cuda.max_memory_allocated(device) if device.startswith("cuda") else 0,
        diverged=sum(record.diverged for record in population.records),
    )


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def _line(row: Row) -> str:
    name = f"{row.task}, K = {row.groups} x {row.num_envs} worlds"
    if row.bare is None or row.rollout is None or row.training is None or row.share is None:
        return f"{name}: out of memory"
    cost = f", {row.cost:.2f} times the time of the first" if row.cost else ""
    return (
        f"{name}: bare {row.bare:,.0f}, rollout {row.rollout:,.0f}, training {row.training:,.0f} steps/s, "
        f"{row.share:.0%} of bare{cost}"
    )


def device_name(device: str) -> str:
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else platform.processor() or "CPU"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = find_tasks()
    parser.add_argument("--tasks", nargs="+", default=[name for name in ("ant", "humanoid") if name in known])
    parser.add_argument("--groups", nargs="+", type=int, default=[1, 4, 16])
    parser.add_argument("--num-envs", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--updates", type=int, default=10)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--launched", action="store_true", help="launch kernel by kernel, as without recordings")
    add_results_option(parser)
    options = parser.parse_args()
    if options.launched:
        device_graphs.recorder_for = lambda _: None
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        raise SystemExit("torch can use no CUDA device here; --device cpu shows that the script works, slowly")
    engine = Engine("warp", options.device)
    print(f"on {device_name(options.device)}", flush=True)
    rows: tuple[Row, ...] = ()
    for name in options.tasks:
        rows += measure(load_task(name), options.groups, options.num_envs, engine, options.rounds, options.updates)
        result = Result(
            VERSION, device_name(options.device), platform.machine(), {p: version(p) for p in _PACKAGES},
            options.rounds, options.updates, rows,
        )  # fmt: skip
        options.results.mkdir(parents=True, exist_ok=True)
        name = f"gpu_{'_'.join(options.tasks)}{'_launched' if options.launched else ''}.json"
        (options.results / name).write_text(json.dumps(dataclasses.asdict(result), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
