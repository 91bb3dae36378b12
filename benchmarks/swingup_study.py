"""Does swing-up show what a reward is worth? Its actuator, exploration and budget, tried out.

    python benchmarks/swingup_study.py                  # trains what outputs/benchmarks/swingup_study.json lacks
    python benchmarks/swingup_study.py --show           # prints what the screening has, or what is committed

The task is of use where the metric as a reward teaches nothing and a good reward does. So both the bare metric and the
control suite's smooth reward are trained: with four seeds under every setting of `CHANGES`, which try the body and
PPO with more steps, and with ten others under what the task's folder ships. Killed at any time, it goes on with the
setting that it was at. About a quarter of an hour on two quiet cores.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from result_files import add_results_option, measured_or_committed
from study import Setting, Study, estimate, line, shipped

from eureka.evaluation import Role
from eureka.tasks import load_task

FILE = "swingup_study.json"
KEYS = ("gear", "initial_std", "steps", "num_envs", "horizon", "minibatches", "learning_rate", "clip")
CHANGES: Sequence[Mapping[str, float]] = (
    {},
    {"steps": 130_000},
    {"steps": 260_000},
    {"steps": 260_000, "gear": 5.0},
    {"steps": 260_000, "gear": 20.0},
    {"steps": 260_000, "initial_std": 0.25},
    {"steps": 260_000, "initial_std": 1.0},
    {"steps": 260_000, "clip": 0.2},
    {"steps": 260_000, "learning_rate": 5e-4},
)
SCREENING_SEEDS = range(4)
CONFIRMATION_SEEDS = range(100, 110)
REWARDS = (Role.HUMAN, Role.SPARSE)


def main() -> None:
    """Train, print one row a setting, and write the table with its summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true", help="train nothing")
    add_results_option(parser)
    options = parser.parse_args()
    base = shipped(load_task("swingup"), KEYS)
    path = measured_or_committed(options.results, FILE) if options.show else options.results / FILE
    study = Study("swingup", path)
    for change in CHANGES:
        setting = {**base, **change}
        if not options.show:
            study.train(setting, REWARDS, SCREENING_SEEDS)
        show(study, setting, base, SCREENING_SEEDS)
    if options.show:
        return
    study.train(base, REWARDS, CONFIRMATION_SEEDS)
    print("with seeds of their own:")
    show(study, base, base, CONFIRMATION_SEEDS)
    confirmed = {role.value: estimate(study.scores(base, role, CONFIRMATION_SEEDS)) for role in REWARDS}
    attainable = study.highest(base)
    print(f"attainable: {attainable:.3f}, the highest score of any checkpoint under the shipped setting")
    study.write({"confirmed": {"setting": base, "attainable": attainable, **confirmed}})


def show(study: Study, setting: Setting, base: Setting, seeds: Sequence[int]) -> None:
    """Print what a setting gave."""
    print(line(setting, base, {role.value: study.scores(setting, role, seeds) for role in REWARDS}), flush=True)


if __name__ == "__main__":
    main()
