"""Which hyper-parameters for the hopper? Gymnasium's own reward, four seeds a setting, one thing changed at a time.

    python benchmarks/hopper_study.py                   # trains what benchmarks/results/hopper_study.json lacks
    python benchmarks/hopper_study.py --show            # prints what it has

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
    "initial_std",
)
CHANGES: Sequence[Mapping[str, float]] = (
    {},
    {"timestep_s": 0.004, "substeps": 2},
    {"num_envs": 32, "horizon": 32},
    {"num_envs": 32, "minibatches": 8},
    {"minibatches": 8},
    {"epochs": 8},
)
SEEDS = range(4)


def main() -> None:
    """Train, print one row a setting, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true", help="train nothing")
    options = parser.parse_args()
    base = shipped(load_task("hopper"), KEYS)
    study = Study("hopper", "hopper_study")
    for change in CHANGES:
        setting = {**base, **change}
        if not options.show:
            study.train(setting, [Role.HUMAN], SEEDS)
        print(line(setting, base, {"human": study.scores(setting, Role.HUMAN, SEEDS)}), flush=True)
    if not options.show:
        study.write({"shipped": {"setting": base, "human": estimate(study.scores(base, Role.HUMAN, SEEDS))}})


if __name__ == "__main__":
    main()
