"""Are constants worth a generation's places? Pairs of searches with program_search, with `search.tune` and without.

    nice python benchmarks/tuning.py swingup --searches 4 [--fresh-seeds 4] [--record]

Both searches of a pair have the same seed and as many trainings: eight answers a generation, or six and two tuned
candidates. What each calls best is trained with seeds that neither used. It goes on where it was stopped. The result
goes to `tuning_<task>.json`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from result_files import COMMITTED, add_results_option
from search_study import fresh_trainings, search, search_config
from search_study_data import Hardware, clustered_bootstrap, this_hardware

from eureka.app.configs import from_yaml
from eureka.core.serialize import dumps, loads
from eureka.core.types import Origin
from eureka.evaluation.data import Estimate
from eureka.evaluation.trainings import Retraining
from eureka.search.outcomes import outcomes
from eureka.store import RunStore

PLACES, TUNED = 8, 2
ARMS: Mapping[str, tuple[str, ...]] = {
    "answers alone": (f"search.samples={PLACES}", "search.tune=0"),
    "two of them tuned": (f"search.samples={PLACES - TUNED}", f"search.tune={TUNED}"),
}


@dataclass(frozen=True)
class Tried:
    """One search: what it called best with its fresh scores, and how many tuned candidates came above their parents.

    `above` counts by the estimates from all scores of the search; `steps` are all control steps of its trainings.
    """

    seed: int
    best: str
    best_is_tuned: bool
    scores: tuple[float, ...]
    tuned: int
    above: int
    steps: int


@dataclass(frozen=True)
class TuningStudy:
    """The searches by arm, and the paired difference of the second arm from the first."""

    task: str
    command: str
    hardware: Hardware
    arms: Mapping[str, tuple[Tried, ...]]
    difference: Estimate


def tried(folder: Path, options: argparse.Namespace) -> Tried:
    """The figures of a finished search."""
    with RunStore.open(folder) as store:
        config = from_yaml(store.config_yaml)
        best = list(store.finished_generations().values())[-1]
        assert best is not None
        graph = next(reward.graph for reward in store.rewards() if reward.candidate_id == best)
        with fresh_trainings(store, config, options, options.fresh_seeds) as trainings:
            trainings.train([Retraining(best, graph)])
            scores = tuple(result.score for result in trainings.results(best).values())
        worth = {outcome.candidate.id: outcome.worth for outcome in outcomes(store)}
        made = {sample.id: sample.parents[0] for sample in store.samples() if sample.origin is Origin.TUNED}
        known = {name: parent for name, parent in made.items() if name in worth and parent in worth}
        return Tried(
            seed=config.seed,
            best=best,
            best_is_tuned=best in made,
            scores=scores,
            tuned=len(known),
            above=sum(worth[name] > worth[parent] for name, parent in known.items()),
            steps=sum(result.trained_steps for result in store.results()),
        )


def study(task: str, options: argparse.Namespace) -> TuningStudy:
    """Run all pairs, or the rest of them."""
    arms: dict[str, list[Tried]] = {name: [] for name in ARMS}
    for seed in range(options.searches):
        for name, overrides in ARMS.items():
            folder = options.folder / task / f"{name.replace(' ', '_')}_{seed}"
            print(f"{task}: {name}, seed {seed}", flush=True)
            own = ["report.films=none", *overrides, *options.overrides]
            search(folder, search_config(task, folder, seed, True, own))
            arms[name].append(tried(folder, options))
    groups = [[list(each.scores) for each in arms[name]] for name in ARMS]
    found = clustered_bootstrap(lambda a, b: b.mean(-1) - a.mean(-1), *groups, paired=True)
    command = f"python benchmarks/tuning.py {task} --searches {options.searches} --fresh-seeds {options.fresh_seeds}"
    command += "".join(f" --set {text}" for text in options.overrides)
    rows = {name: tuple(each) for name, each in arms.items()}
    return TuningStudy(task, command, this_hardware(), rows, found)


def read_tuning(folder: Path = COMMITTED) -> list[TuningStudy]:
    """The recorded studies, by task."""
    return [loads(TuningStudy, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("tuning_*.json"))]


def lines(found: TuningStudy) -> list[str]:
    """The table, as Markdown."""
    rows = ["| places of a generation | called best, fresh seeds | best that was tuned | tuned above their parent |"]
    rows.append("| --- | --- | --- | --- |")
    for name, searches in found.arms.items():
        score = fmean(fmean(each.scores) for each in searches)
        tuned, above = sum(each.tuned for each in searches), sum(each.above for each in searches)
        best = sum(each.best_is_tuned for each in searches)
        rows.append(f"| {name} | {score:.3f} | {best} of {len(searches)} | {f'{above} of {tuned}' if tuned else '-'} |")
    assert found.difference.interval is not None
    low, high = found.difference.interval
    pairs = min(map(len, found.arms.values()))
    said = f"{found.difference.value:+.3f} [{low:+.3f}, {high:+.3f}]"
    return [*rows, "", f"{found.task}: second row less the first: {said} ({pairs} pairs). `{found.command}`"]


def main() -> None:
    """Run the study and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task")
    parser.add_argument("--searches", type=int, default=4)
    parser.add_argument("--fresh-seeds", type=int, default=4)
    parser.add_argument("--steps", type=int, help="control steps of these trainings; as in the search if not given")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--folder", type=Path, default=Path("outputs/tuning"), help="for the runs")
    add_results_option(parser)
    options = parser.parse_args()
    found = study(options.task, options)
    options.results.mkdir(parents=True, exist_ok=True)
    (options.results / f"tuning_{options.task}.json").write_text(dumps(found) + "\n")
    print("\n".join(lines(found)))


if __name__ == "__main__":
    main()
