"""Throughput of training against bare physics and against what users would otherwise take, and where the time goes.

    make bench                                    # about 25 minutes on two quiet cores
    python benchmarks/bench.py [--rounds 3] [--seconds 12] [--groups 8 16] [--record]

Equal network, equal rows an update, equal hyper-parameters, the same machine: every contestant trains Ants for some
seconds after its warm-up, in every round, in alternating order, and the ratios are taken within a round. Of K
trainings, those that run at once are measured and the rest is extrapolated. The result goes to
`outputs/benchmarks/bench.json` (`--record`: `benchmarks/results/`), and its tables to stdout. The machine must have
nothing else to do meanwhile.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from statistics import median

from bench_data import VERSION, Bench, Profile, Row, Settings, bench_lines, write_bench
from peers import own, stepping
from peers.measuring import Measured, Training, at_once
from peers.setups import NAMES, ant_folder
from peers.stable_baselines import SUBPROCESSES
from result_files import add_results_option
from search_study_data import this_hardware
from training import bare
from training_profile import profile

from eureka.tasks import load_task
from eureka.tasks.ppo import PPOConfig

_BARE_STEPS = 150
_LIBRARIES = ("torch", "mujoco", "gymnasium", "stable_baselines3", "rsl-rl-lib")


@dataclass(frozen=True)
class Contestant:
    """A program that is measured once per round."""

    physics: str
    name: str
    groups: int
    measure: Callable[[], Measured]


def _bare(physics: str, workers: int, num_envs: int) -> Measured:
    with ant_folder(physics) as folder:
        return Measured(bare(folder, folder.name, workers, num_envs, _BARE_STEPS), 0.0)


def contestants(settings: Settings, ppo: PPOConfig) -> list[Contestant]:
    """All contestants that train, and the bare physics."""
    at_a_time = settings.at_a_time

    def pair(physics: str, module: str, vectors: str = "") -> Callable[[], Measured]:
        trainings = [
            Training(physics, settings.seconds, settings.num_envs, seed, ppo, vectors) for seed in range(at_a_time)
        ]
        return partial(at_once, module, trainings)

    found = []
    for physics in ("own", "five"):
        whole = Training(physics, settings.seconds, settings.num_envs, 0, ppo)
        worlds = settings.num_envs * settings.groups[0] // at_a_time
        found.append(Contestant(physics, "bare physics", 0, partial(_bare, physics, at_a_time, worlds)))
        for groups in settings.groups:
            measure = partial(own.population, whole, groups, at_a_time)
            found.append(Contestant(physics, f"population of {groups}", groups, measure))
        found.append(Contestant(physics, "the same trainer, a process for each", 1, pair(physics, "own")))
        found.append(Contestant(physics, "rsl_rl on our simulator", 1, pair(physics, "rsl")))
    for physics in ("own", "five", "stock"):
        for vectors, name in (
            ("subprocess", f"SubprocVecEnv of {SUBPROCESSES}"),
            ("dummy", f"DummyVecEnv of {settings.num_envs}"),
        ):
            measure = pair(physics, "stable_baselines", vectors)
            found.append(Contestant(physics, f"Stable-Baselines3, {name}", 1, measure))
    return found


def raw_contestants(settings: Settings) -> list[Contestant]:
    """All contestants that only step."""
    seconds = settings.seconds / 2
    return [
        Contestant("stock", name, 0, partial(_raw, function, settings.at_a_time, seconds))
        for name, function in stepping.contestants().items()
    ]


def _raw(function: Callable[[int, float], float], workers: int, seconds: float) -> Measured:
    return Measured(function(workers, seconds), 0.0)


def measure(competing: Sequence[Contestant], rounds: int) -> tuple[Row, ...]:
    """Measure every contestant once per round, in alternating order."""
    found: Mapping[int, list[Measured]] = {index: [] for index in range(len(competing))}
    for number in range(rounds):
        order = list(enumerate(competing))
        for index, contestant in reversed(order) if number % 2 else order:
            result = contestant.measure()
            found[index].append(result)
            print(
                f"round {number + 1}: {NAMES[contestant.physics]}, {contestant.name}: "
                f"{result.steps_per_second:,.0f} steps/s",
                flush=True,
            )
    return tuple(
        Row(
            contestant.physics,
            contestant.name,
            tuple(result.steps_per_second for result in found[index]),
            median(result.start_s for result in found[index]),
            contestant.groups,
        )
        for index, contestant in enumerate(competing)
    )


def run(settings: Settings, ppo: PPOConfig) -> Bench:
    """Measure everything."""
    started = time.monotonic()
    training = measure(contestants(settings, ppo), settings.rounds)
    raw = measure(raw_contestants(settings), settings.rounds)
    share = max(1, settings.groups[0] // settings.at_a_time)
    profiles = tuple(Profile(physics, profile(physics, share, settings.seconds)) for physics in ("own", "five"))
    why = stepping.why_no_envpool()
    return Bench(
        version=VERSION,
        settings=settings,
        hardware=this_hardware(),
        versions={name: version(name) for name in _LIBRARIES},
        took_s=time.monotonic() - started,
        training=training,
        stepping=raw,
        profiles=profiles,
        missing=(f"{why}: no row for it.",) if why else (),
    )


def main() -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=12.0, help="of each measurement, after its warm-up")
    parser.add_argument("--groups", type=int, nargs="+", default=[8, 16])
    add_results_option(parser)
    options = parser.parse_args()
    info = load_task("ant").info
    settings = Settings(
        rounds=options.rounds,
        seconds=options.seconds,
        num_envs=info.num_envs,
        horizon=info.ppo.horizon,
        hidden=info.ppo.hidden,
        groups=tuple(sorted(options.groups)),
        steps=info.steps["quick"],
        at_a_time=len(os.sched_getaffinity(0)),
    )
    bench = run(settings, info.ppo)
    write_bench(bench, options.results)
    print("\n".join(["", *bench_lines(bench)]))


if __name__ == "__main__":
    main()
