"""Searches in Gymnasium environments from nothing, as somebody would type them first.

    python benchmarks/gymnasium_searches.py [NAME ...] [--runs DIR] [--record]
    python benchmarks/gymnasium_searches.py --show       # the table of the recorded rows

Each of `SEARCHES` is a command that is run in DIR/NAME; one that has finished there is only read. Nobody is asked:
`program_search` writes the rewards, or what a strong language model answered to the first prompts of such a search is
played back (recorded/gymnasium). With --record the rows go to results/gymnasium.json, beside those of others.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from result_files import COMMITTED, MEASURED, add_results_option, measured_or_committed

from eureka.core.serialize import dumps, loads
from eureka.evaluation import read_comparison
from eureka.evaluation.data import ComparedMethod, Estimate, Role
from eureka.evaluation.rows import value, with_interval

FILE = "gymnasium.json"
ROOT = Path(__file__).parents[1]
HYPERPARAMETERS = "benchmarks/gymnasium_lander.yml"
ANSWERS = "benchmarks/recorded/gymnasium"
PROGRAM_SEARCH = ("llm=program_search", "search.samples=4")
COMMON = (
    "search.finalists=1",
    "search.confirmation_seeds=0",
    "train.eval_episodes=10",
    "evaluation.seeds=3",
    "seed=1",
)


def played_back(name: str) -> tuple[str, ...]:
    """One generation of the eight answers that are recorded under this name."""
    return "search.generations=1", "llm=replay", f"llm.run={ANSWERS}/{name}", "search.samples=8"


SEARCHES: Mapping[str, tuple[str, ...]] = {
    "pendulum": (
        "env=Pendulum-v1",
        "description=swing the pole up and hold it upright",
        "trainer=sb3.sac",
        "train.steps=4000",
        "search.generations=2",
    ),
    "lander": (
        "env=LunarLanderContinuous-v3",
        "description=land softly on the pad",
        "train.steps=25600",
        "search.generations=1",
    ),
    "lander_long": (
        "env=LunarLanderContinuous-v3",
        "description=land softly on the pad",
        f"train.hyperparameters={HYPERPARAMETERS}",
        "train.steps=150000",
        "search.generations=1",
    ),
    "lander_model": (
        "env=LunarLanderContinuous-v3",
        "description=land softly on the pad",
        f"train.hyperparameters={HYPERPARAMETERS}",
        "train.steps=150000",
        *played_back("lander"),
    ),
    "car_model": (
        "env=MountainCarContinuous-v0",
        "description=drive up to the flag",
        "train.steps=16384",
        *played_back("car"),
    ),
    "maze_model": (
        "env=PointMaze_UMaze-v3",
        "description=reach the goal",
        "train.steps=16384",
        *played_back("maze"),
    ),
    "minigrid": (
        "env=MiniGrid-Empty-5x5-v0",
        "description=reach the green goal square",
        "train.steps=16384",
        "search.generations=2",
    ),
    "door": (
        "env=AdroitHandDoor-v1",
        "description=turn the latch and open the door",
        "train.steps=8192",
        "search.generations=1",
    ),
    "panda": (
        "env=PandaReach-v3",
        "description=bring the hand to the target",
        "train.steps=4096",
        "search.generations=1",
    ),
    "motorboat": (
        "env=gym_sailing:Motorboat-v0",
        "description=bring the boat to the target",
        "train.steps=8192",
        "search.generations=1",
    ),
}


@dataclass(frozen=True)
class Reward:
    """The scores of one reward with fresh seeds, and its estimates."""

    scores: tuple[float, ...]
    iqm: Estimate | None
    improvement: Estimate | None


@dataclass(frozen=True)
class Row:
    """One search: what was typed, the minutes that it took, and its comparison.

    `metric` is the metric given as reward; None where the environment's own reward is the metric.
    """

    name: str
    typed: tuple[str, ...]
    minutes: float
    unit: str
    found: Reward
    own: Reward
    metric: Reward | None


@dataclass(frozen=True)
class Rows:
    """Everything in `results/gymnasium.json`."""

    rows: tuple[Row, ...] = ()


def run(name: str, folder: Path) -> None:
    """Run a search, or go on with it, unless it has finished."""
    if not (folder / "evaluation.json").is_file():
        searched = SEARCHES[name]
        proposer = () if "llm=replay" in searched else PROGRAM_SEARCH
        command = ["-m", "eureka", "run", *searched, *proposer, *COMMON, f"output={folder.resolve()}"]
        subprocess.run([sys.executable, *command], check=True, cwd=ROOT)  # where the paths of `SEARCHES` begin


def read_row(name: str, folder: Path) -> Row:
    """The row of a finished search. Its minutes are from the first file of the run to its comparison."""
    comparison = read_comparison(folder)
    if comparison is None:
        raise SystemExit(f"{folder}: the search has no comparison")
    methods = {role: comparison.method(role) for role in Role}
    best, own, bare = methods[Role.BEST], methods[Role.HUMAN], methods[Role.SPARSE]
    assert best is not None
    assert own is not None
    began, ended = ((folder / each).stat().st_mtime for each in ("config.yaml", "evaluation.json"))
    return Row(
        name,
        SEARCHES[name],
        round((ended - began) / 60, 1),
        comparison.unit,
        _reward(best),
        _reward(own),
        _reward(bare) if bare is not None and bare.same_as is None else None,
    )


def _reward(method: ComparedMethod) -> Reward:
    return Reward(method.scores, method.iqm, method.improvement)


def search_lines(rows: Iterable[Row]) -> list[str]:
    """The rows as a table in Markdown."""
    header = ("what was typed after `eureka run`", "minutes", "found", "own reward", "bare metric", "better than own")
    lines = [f"| {' | '.join(header)} |", f"| {' | '.join(['---'] * len(header))} |"]
    for row in sorted(rows, key=lambda each: list(SEARCHES).index(each.name)):
        bare = with_number(row.metric) if row.metric else "the own"
        typed = " ".join(_shown(argument) for argument in row.typed)
        cells = (
            f"`{typed}`",
            value(Estimate(row.minutes, None)),
            with_number(row.found),
            with_number(row.own),
            bare,
            with_interval(row.found.improvement),
        )
        lines.append(f"| {' | '.join(cells)} |")
    told = f"Each with `{' '.join(COMMON)}`, and where nothing else is said `{' '.join(PROGRAM_SEARCH)}`."
    return [*lines, "", told]


def with_number(reward: Reward) -> str:
    """`-12.5 [-13, -12]`: the interquartile mean and its interval."""
    if reward.iqm is None or reward.iqm.interval is None:
        return value(reward.iqm)
    low, high = (value(Estimate(end, None)) for end in reward.iqm.interval)
    return f"{value(reward.iqm)} [{low}, {high}]"


def _shown(argument: str) -> str:
    return f'"{argument}"' if " " in argument else argument


def read_rows(folder: Path = COMMITTED) -> tuple[Row, ...]:
    """The recorded rows; none without a file."""
    path = measured_or_committed(folder, FILE)
    return loads(Rows, path.read_text(encoding="utf-8")).rows if path.is_file() else ()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, read, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *SEARCHES], metavar="NAME", help=", ".join(SEARCHES))
    parser.add_argument("--runs", type=Path, default=MEASURED / "gymnasium", metavar="DIR", help="folder of the runs")
    parser.add_argument("--show", action="store_true", help="only print the recorded rows")
    add_results_option(parser)
    options = parser.parse_args(arguments)
    if options.show:
        print("\n".join(search_lines(read_rows())))
        return
    rows = {row.name: row for row in read_rows(options.results)}
    for name in options.names or SEARCHES:
        run(name, options.runs / name)
        rows[name] = read_row(name, options.runs / name)
    options.results.mkdir(parents=True, exist_ok=True)
    (options.results / FILE).write_text(dumps(Rows(tuple(rows.values()))) + "\n", encoding="utf-8")
    print("\n".join(search_lines(rows.values())))


if __name__ == "__main__":
    main()
