"""Which hyper-parameters for the humanoid? Gymnasium's own reward, one thing changed at a time.

    python benchmarks/humanoid_study.py                   # trains what benchmarks/results/humanoid_study.json lacks
    python benchmarks/humanoid_study.py --show            # prints what it has
    python benchmarks/humanoid_study.py --first 3 --seeds 2      # of the first three settings, two seeds each

Scores are the task metric, m/s, of the final policy. Killed at any time, it goes on with the setting that it was at.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from study import Study, estimate, line, shipped

from eureka.comparison import Role
from eureka.tasks import load_task

KEYS = (
    "timestep_s",
    "substeps",
    "num_envs",
    "steps",
    "horizon",
    "minibatches",
    "epochs",
    "learning_rate",
    "gamma",
    "gae_lambda",
    "entropy",
    "initial_std",
)
CHANGES: Sequence[Mapping[str, float]] = (
    {},
    {"gamma": 0.99, "gae_lambda": 0.95},
    {"steps": 2_000_000},
    {"gamma": 0.99, "gae_lambda": 0.95, "steps": 2_000_000},
    {"timestep_s": 0.0075, "substeps": 2},
    {"num_envs": 32},
    {"learning_rate": 3e-4},
    {"minibatches": 8},
    {"epochs": 8},
    {"horizon": 64},
    {"initial_std": 0.5},
    {"entropy": 0.002},
)
SEEDS = 4


def main() -> None:
    """Train, print one row a setting, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true", help="train nothing")
    parser.add_argument("--first", type=int, default=len(CHANGES), help="only so many settings")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="trainings of each")
    options = parser.parse_args()
    seeds = range(options.seeds)
    base = shipped(load_task("humanoid"), KEYS)
    study = Study("humanoid", "humanoid_study")
    for change in CHANGES[: options.first]:
        setting = {**base, **change}
        if not options.show:
            study.train(setting, [Role.HUMAN], seeds)
        print(line(setting, base, {"human": study.scores(setting, Role.HUMAN, seeds)}), flush=True)
    if not options.show:
        study.write({"shipped": {"setting": base, "human": estimate(study.scores(base, Role.HUMAN, seeds))}})


if __name__ == "__main__":
    main()
