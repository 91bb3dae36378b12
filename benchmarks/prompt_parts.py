"""What is each part of a later prompt worth? The same second generation asked with the part and without it.

    nice python benchmarks/prompt_parts.py [TASK...] [--record]
    python benchmarks/prompt_parts.py --show                       # the table, from what was measured

`benchmarks/recorded/prompt_parts/TASK/PART` holds a language model's eight answers to the prompts of the second
generation of a search with `search.method=portfolio`: as they are (`everything`), and with one part taken out. Each
set was written by an instance of the model that saw that set of prompts alone; what it was asked is in `prompts/`.
Every answer is trained with the same two seeds, for as long as in the search. It goes on where it was stopped. The
result goes to `prompt_parts.json`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from loop_study import difference
from result_files import COMMITTED, add_results_option, measured_or_committed
from search_study import search
from search_study_data import clustered_bootstrap

from eureka.app.build import resolve
from eureka.app.configs import compose_config
from eureka.core.serialize import dumps, loads
from eureka.evaluation.rows import with_interval
from eureka.search.outcomes import outcomes
from eureka.store import RunStore
from eureka.store.files import write_atomically

NAME = "prompt_parts.json"
RECORDED = Path(__file__).parent / "recorded" / "prompt_parts"
EVERYTHING = "everything"
PARTS: Mapping[str, str] = {
    "no-eyes": "how episodes ended, tables of episodes, facts of the physics",
    "no-jobs": "a job for each answer (instead: the eight lines of variety of first prompts)",
    "no-advice": "what the numbers say",
}
STEPS: Mapping[str, int] = {"half_cheetah_flip": 150_000, "walker2d": 150_000}
SEED, SEEDS, ANSWERS = 901, 2, 8


@dataclass(frozen=True)
class Answers:
    """The scores of a set of answers, each with all its seeds; none for an answer that was rejected."""

    task: str
    part: str
    steps: int
    scores: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class PartsStudy:
    """All sets of answers that were trained."""

    sets: tuple[Answers, ...]


def trained(task: str, part: str, folder: Path) -> Answers:
    """Train a set of answers as the first generation of a search that replays them."""
    own = [
        f"task={task}",
        "llm=replay",
        f"llm.run={RECORDED / task / part}",
        f"output={folder}",
        f"seed={SEED}",
        f"train.seeds={SEEDS}",
        f"train.steps={STEPS[task]}",
        f"search.samples={ANSWERS}",
        "search.generations=1",
        "search.method=best_of_n",
        "search.retrain=0",
        "search.confirmation_seeds=0",
        "train.halving=off",
        "evaluation.seeds=0",
        "report.films=none",
    ]
    search(folder, resolve(compose_config(own)))
    with RunStore.open(folder, read_only=True) as store:
        scores = {o.candidate.id: tuple(result.score for result in o.results) for o in outcomes(store)}
        steps = max((result.trained_steps for result in store.results()), default=0)
    names = [f"g01-c{number:02d}" for number in range(1, ANSWERS + 1)]
    return Answers(task, part, steps, {name: scores.get(name, ()) for name in names})


def lines(study: PartsStudy) -> list[str]:
    """The table, as Markdown. An answer that was rejected counts as 0."""
    rows = [
        "| task | taken out | mean of the answers | best answer | mean with it, less without |",
        "| --- | --- | --- | --- | --- |",
    ]
    by_name = {(each.task, each.part): each for each in study.sets}
    tasks = [each.task for each in study.sets if each.part == EVERYTHING]
    for task in tasks:
        whole = by_name[task, EVERYTHING]
        rows.append(f"| {task} | nothing | {_mean(whole):.3f} | {max(_means(whole)):.3f} | |")
        for part, words in PARTS.items():
            if (each := by_name.get((task, part))) is not None:
                cells = f"{_mean(each):.3f} | {max(_means(each)):.3f} | {_difference([whole], [each], {task: 1.0})}"
                rows.append(f"| {task} | {words} | {cells} |")
    best = {task: max(max(_means(each)) for each in study.sets if each.task == task) for task in tasks}
    for part, words in PARTS.items():
        both = [(by_name[task, EVERYTHING], by_name[task, part]) for task in tasks if (task, part) in by_name]
        if len(both) > 1:
            found = _difference([one for one, _ in both], [other for _, other in both], best)
            rows.append(f"| all, in shares of the task's best answer | {words} | | | {found} |")
    return rows


def _means(found: Answers) -> list[float]:
    return [fmean(scores) if scores else 0.0 for scores in found.scores.values()]


def _mean(found: Answers) -> float:
    return fmean(_means(found))


def _difference(whole: Sequence[Answers], without: Sequence[Answers], scales: Mapping[str, float]) -> str:
    """The mean score with the part less that without it, of each task in its scale."""
    groups = [
        [
            [score / scales[found.task] for score in scores or (0.0,) * SEEDS]
            for found in sets
            for scores in found.scores.values()
        ]
        for sets in (whole, without)
    ]
    return with_interval(clustered_bootstrap(difference, *groups))


def read_parts(folder: Path = COMMITTED) -> PartsStudy:
    """What was measured; empty if nothing was."""
    path = folder / NAME
    return loads(PartsStudy, path.read_text(encoding="utf-8")) if path.is_file() else PartsStudy(())


def main() -> None:
    """Train what is recorded of the tasks that are named, or of all; print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="default: all")
    parser.add_argument("--folder", type=Path, default=Path("outputs/prompt_parts"), help="where the searches are kept")
    parser.add_argument("--show", action="store_true", help="train nothing")
    add_results_option(parser)
    options = parser.parse_args()
    path = options.results / NAME
    for task in () if options.show else options.tasks or STEPS:
        for part in (EVERYTHING, *PARTS):
            print(f"{task}: {part}", flush=True)
            found = trained(task, part, options.folder / task / part)
            kept = {(each.task, each.part): each for each in read_parts(options.results).sets}
            kept[task, part] = found  # in the place that it had
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, dumps(PartsStudy(tuple(kept.values()))).encode())
    print("\n".join(lines(read_parts(measured_or_committed(options.results, NAME).parent))))


if __name__ == "__main__":
    main()
