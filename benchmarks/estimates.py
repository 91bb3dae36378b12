"""How far is the best by a few seeds flattered, with and without drawing scores towards each other?

    python benchmarks/estimates.py

On the tables of `benchmarks/race.py`: every reward has one seed and the three best by it two more, as in a search. The
best of them by its mean score, and by `eureka.search.estimates`, is compared with the mean of the seeds that are left,
in 300 draws. Figures are shares of the score of the best reward.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from race import TASKS, read_table, table_file
from race_ways import Table, full_length
from result_files import COMMITTED

from eureka.search.estimates import estimates

DRAWS = 300
CHOSEN, SEEDS = 3, 3

Scores = Mapping[str, Sequence[float]]
Judge = Callable[[Scores], Mapping[str, float]]

JUDGES: Mapping[str, Judge] = {
    "mean score": lambda scores: {name: fmean(row) for name, row in scores.items()},
    "estimate": lambda scores: {name: each.mean for name, each in estimates(scores).items()},
}


def play(table: Table, judge: Judge) -> tuple[float, float]:
    """How far the best one's figure lies above its worth, and its worth below the best, in the mean over the draws."""
    generator, full = random.Random(0), full_length(table)
    seeds = sorted(next(iter(table.values())))
    flattered, lost = [], []
    for _ in range(DRAWS):
        drawn = generator.sample(seeds, len(seeds))
        worth = {name: fmean(rows[seed][full] for seed in drawn[SEEDS:]) for name, rows in table.items()}
        by_first = sorted(table, key=lambda name: -table[name][drawn[0]][full])
        num = {name: SEEDS if name in by_first[:CHOSEN] else 1 for name in table}
        figures = judge({name: [rows[seed][full] for seed in drawn[: num[name]]] for name, rows in table.items()})
        best, top = max(figures, key=lambda name: figures[name]), max(worth.values())
        flattered.append((figures[best] - worth[best]) / top)
        lost.append((top - worth[best]) / top)
    return fmean(flattered), fmean(lost)


def main() -> None:
    """Print the table, as Markdown."""
    print("| task | best by | its figure above its worth | its worth below the best |\n| --- | --- | --- | --- |")
    for task in TASKS:
        table = read_table(COMMITTED / table_file(task))
        for name, judge in JUDGES.items():
            flattered, lost = play(table, judge)
            print(f"| {task} | {name} | {flattered:+.0%} | {lost:.0%} |")


if __name__ == "__main__":
    main()
