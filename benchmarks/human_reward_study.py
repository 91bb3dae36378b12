"""Which hyper-parameters for a Gymnasium body? Gymnasium's own reward, four seeds a setting.

    python benchmarks/human_reward_study.py hopper          # trains what outputs/benchmarks/hopper_study.json lacks
    python benchmarks/human_reward_study.py hopper --show   # prints what it has, or what is committed
    python benchmarks/human_reward_study.py humanoid --settings 4 5 --first-seed 4 --seeds 8    # with fresh seeds

Scores are the task metric, m/s, of the final policy. Killed at any time, it goes on with the setting that it was at.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from result_files import add_results_option, measured_or_committed
from study import Study, estimate, line, shipped

from eureka.evaluation import Role
from eureka.tasks import load_task

KEYS = (
    *("timestep_s", "substeps", "num_envs", "steps", "horizon", "minibatches", "epochs", "learning_rate"),
    *("gamma", "gae_lambda", "initial_std"),
)
FURTHER_KEYS: Mapping[str, Sequence[str]] = {"humanoid": ("entropy",)}
CHANGES: Mapping[str, Sequence[Mapping[str, float]]] = {
    "hopper": (
        {},
        {"timestep_s": 0.004, "substeps": 2},
        {"num_envs": 32, "horizon": 32},
        {"num_envs": 32, "minibatches": 8},
        {"minibatches": 8},
        {"epochs": 8},
    ),
    "humanoid": (
        {},
        {"initial_std": 0.3},
        {"initial_std": 0.3, "gamma": 0.99, "gae_lambda": 0.95},
        {"steps": 400_000},
        *(
            {"steps": 400_000, "initial_std": 0.3, **change}
            for change in (
                {},
                {"gamma": 0.99, "gae_lambda": 0.95},
                {"timestep_s": 0.0075, "substeps": 2},
                {"num_envs": 32},
                {"learning_rate": 3e-4},
                {"minibatches": 8},
                {"horizon": 64},
                {"entropy": 0.002},
                {"epochs": 8},
            )
        ),
    ),
}
SEEDS = 4


def main() -> None:
    """Train, print one row a setting, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=list(CHANGES))
    parser.add_argument("--show", action="store_true", help="train nothing")
    parser.add_argument("--settings", type=int, nargs="+", help="only these of the list, counted from 1")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="trainings of each")
    parser.add_argument("--first-seed", type=int, default=0)
    add_results_option(parser)
    options = parser.parse_args()
    name = f"{options.task}_study.json"
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    changes = CHANGES[options.task]
    base = shipped(load_task(options.task), (*KEYS, *FURTHER_KEYS.get(options.task, ())))
    path = measured_or_committed(options.results, name) if options.show else options.results / name
    study = Study(options.task, path)
    for number in options.settings or range(1, len(changes) + 1):
        setting = {**base, **changes[number - 1]}
        if not options.show:
            study.train(setting, [Role.HUMAN], seeds)
        print(line(setting, base, {"human": study.scores(setting, Role.HUMAN, seeds)}), flush=True)
    if not options.show:
        study.write({"shipped": {"setting": base, "human": estimate(study.scores(base, Role.HUMAN, seeds))}})


if __name__ == "__main__":
    main()
