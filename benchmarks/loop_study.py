"""Does a generation build on the one before, where a language model answers? The loop against asking anew.

    python benchmarks/loop_study.py outputs/loop/*            # trains what the searches picked with fresh seeds
    python benchmarks/loop_study.py --show                    # the tables, as Markdown, from what was measured
    python benchmarks/loop_study.py outputs/loop/* --answers benchmarks/recorded/loop_study   # keeps what was said

The folders are finished searches with a language model, of `search.method=portfolio` (the loop) and of
`search.method=best_of_n` (no feedback), with as many answers and trainings: one of each for a task and a `seed`. The
best reward after every generation, by the estimates from the scores that were there by then, is trained with seeds that
no search used, and so is the human-written reward. It goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf, sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
from result_files import COMMITTED, add_results_option, measured_or_committed
from scipy.stats import t as student
from search_study import fresh_trainings
from search_study_data import clustered_bootstrap

from eureka.app.configs import from_yaml
from eureka.config import RunConfig
from eureka.core.ideas import JOB
from eureka.core.ids import generation_of
from eureka.core.training import OwnReward
from eureka.evaluation.rows import with_interval
from eureka.evaluation.statistics import Estimate
from eureka.evaluation.trainings import Retraining
from eureka.search.estimates import estimates
from eureka.search.outcomes import Outcome, outcomes
from eureka.store import RunStore
from eureka.store.files import write_atomically

NAME = "loop_study.json"
LOOP, ANEW = "portfolio", "best_of_n"
HUMAN = "human"
AGAIN = ", leaders trained again"
SEEDS = 2


def best_after(found: Sequence[Outcome], generation: int) -> str | None:
    """The best of all generations up to this one, by the estimates from their scores alone."""
    scores = {
        o.candidate.id: [result.score for result in o.results]
        for o in found
        if generation_of(o.candidate.id) <= generation
    }
    worth = estimates(scores)
    return max(worth, key=lambda name: worth[name].mean) if worth else None


def known_after(found: Sequence[Outcome], generation: int, config: RunConfig, stride: int) -> list[Outcome]:
    """The outcomes with the trainings that were recorded when a generation ended.

    `stride` is the difference between the seeds of a generation and those of the one before, by which the trainings of
    later generations are told; 0 for searches that trained nothing again.
    """
    if not stride or generation == config.search.generations:
        return list(found)
    later = config.seed + stride * generation
    first = config.seed + config.train.num_seeds + config.search.confirmation_seeds
    of_finalists = range(first, first + config.search.confirmation_seeds)
    return [
        replace(outcome, results=tuple(r for r in outcome.results if r.seed < later and r.seed not in of_finalists))
        for outcome in found
    ]


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Train the selections of one search with fresh seeds; returns its row."""
    with RunStore.open(folder) as store:
        config = from_yaml(store.config_yaml)
        if not store.is_finished:
            raise SystemExit(f"{folder}: the search has not ended; go on with `eureka resume {folder}`")
        found = outcomes(store)
        generations = range(1, config.search.generations + 1)
        best = {g: best_after(known_after(found, g, config, store.facts().seed_stride), g) for g in generations}
        graphs = {reward.candidate_id: reward.graph for reward in store.rewards()}
        picked = [Retraining(name, graphs[name]) for name in sorted({name for name in best.values() if name})]
        wanted = [(picked, options.fresh_seeds), ([Retraining(HUMAN, OwnReward.OWN)], options.human_seeds)]
        scores: dict[str, list[float]] = {HUMAN: []}
        for entries, seeds in wanted:
            with fresh_trainings(store, config, options, seeds) as trainings:
                for name, reason in trainings.train(entries).items():
                    print(f"  {name}: a training was given up: {reason}", flush=True)
                scores |= {e.name: [r.score for r in trainings.results(e.name).values()] for e in entries}
                steps = trainings.length.steps
        human = scores.pop(HUMAN)
        return {
            "task": config.task,
            "method": config.search.method,
            "seed": config.seed,
            "seed_stride": store.facts().seed_stride,
            "retrain": config.search.retrain,
            "steps": steps,
            "candidates": dict(_candidates(store, found)),
            "best": {str(generation): name for generation, name in best.items()},
            "fresh": scores,
            "human": human,
        }


def _candidates(store: RunStore, found: Sequence[Outcome]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every answer of the search with its job, its parents, its scores, and its estimate from all scores of the
    search.
    """
    by_name = {outcome.candidate.id: outcome for outcome in found}
    for sample in store.samples():
        if sample.attempt:
            continue
        outcome = by_name.get(sample.id)
        estimate = outcome.estimate if outcome else None
        yield (
            sample.id,
            {
                "job": sample.notes.get(JOB),
                "parents": list(sample.parents),
                "scores": [round(result.score, 4) for result in outcome.results] if outcome else [],
                "estimate": round(estimate.mean, 4) if estimate else None,
            },
        )


def keep_answers(folder: Path, to: Path) -> None:
    """Write every answer, in a form that `llm=replay llm.run=` takes, and under `prompts/` what was asked.

    The part that a generation's prompts share is stored once, under the generation's name, and each ending under the
    candidate's.
    """
    with RunStore.open(folder, read_only=True) as store:
        config = from_yaml(store.config_yaml)
        kind = _kind({"seed_stride": store.facts().seed_stride, "retrain": config.search.retrain})
        own = to / str(config.task) / f"{config.search.method}-{config.seed}{kind.replace(', ', '-').replace(' ', '-')}"
        (own / "prompts").mkdir(parents=True, exist_ok=True)
        for name, answers in store.completions().items():
            (own / f"{name}.md").write_text(answers[-1].text)
        for (name, attempt), prompt in store.prompts().items():
            text = "\n\n".join(f"# {message.role}\n{message.content}" for message in prompt.messages)
            if attempt:
                (own / "prompts" / f"{name}-{attempt}.md").write_text(text + "\n")
                continue
            shared = own / "prompts" / f"g{generation_of(name):02d}.md"
            shared.write_text(text + "\n")
            (own / "prompts" / f"{name}.md").write_text(prompt.ending + "\n")


# ---- tables ------------------------------------------------------------------------------------------------------

Row = Mapping[str, Any]


def difference(first: Any, second: Any) -> Any:
    """How much higher the first sample's mean is."""
    return np.nanmean(first, axis=-1) - np.nanmean(second, axis=-1)


def read_loops(folder: Path = COMMITTED) -> list[dict[str, Any]]:
    """The measured rows, one per search; empty if there are none."""
    path = folder / NAME
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def fresh_after(row: Row, generation: int) -> list[float]:
    """The fresh scores of the best reward after a generation."""
    return list(row["fresh"][row["best"][str(generation)]])


def loop_lines(rows: Sequence[Row]) -> list[str]:
    """All tables."""
    last = max(int(generation) for row in rows for generation in row["best"])
    lines = ["| task | search | human-written | " + " | ".join(f"best after {g}" for g in range(1, last + 1)) + " |"]
    lines.append("| --- " * (3 + last) + "|")
    for row in sorted(rows, key=_search):
        human = fmean(_human(rows, row["task"]))
        cells = [f"{fmean(fresh_after(row, g)):.3f} ({row['best'][str(g)]})" for g in range(1, last + 1)]
        name = f"{row['method']}, seed {row['seed']}{_kind(row)}"
        lines.append(f"| {row['task']} | {name} | {human:.3f} | {' | '.join(cells)} |")
    lines += ["", *_differences(rows, last), "", *_by_generation(rows, last), "", *_luck(rows, last)]
    lines += ["", *_by_job(rows), "", *_seed_effect(rows, last)]
    return lines


def _human(rows: Sequence[Row], task: str) -> list[float]:
    return [score for row in rows if row["task"] == task for score in row["human"]]


def _scales(rows: Sequence[Row]) -> dict[str, float]:
    """The highest mean of fresh scores of each task; differences are given as shares of it, so that tasks can be
    pooled."""
    means: dict[str, list[float]] = {}
    for row in rows:
        means.setdefault(row["task"], []).extend(fmean(s) for s in (*row["fresh"].values(), row["human"]) if s)
    return {task: max(found) for task, found in means.items()}


def _differences(rows: Sequence[Row], last: int) -> list[str]:
    """The loop against asking anew, and its last generation against its first, over all tasks and searches, and once
    more over those alone whose leaders were trained again."""
    lines = [
        "| paired difference, in shares of the task's best | mean and 95% interval | pairs |",
        "| --- | --- | --- |",
    ]
    again = [row for row in rows if _kind(row) == AGAIN]
    for label, own in (("", rows), (AGAIN, again if len(again) < len(rows) else [])):
        lines += [f"| {name}{label} | {found} | {pairs} |" for name, found, pairs in _pooled(own, last, _scales(rows))]
    return lines


def _pooled(rows: Sequence[Row], last: int, scales: Mapping[str, float]) -> Iterator[tuple[str, str, str]]:
    """Yield every difference over these searches: what it is, the difference with its interval, and of how many; first
    the loop above asking anew once more with each task as one observation."""
    by_search = {(_search(row)[0], *_search(row)[2:], row["method"]): row for row in rows}
    searches = sorted({key[:-1] for key in by_search})
    loops = [by_search[(*key, LOOP)] for key in searches if (*key, LOOP) in by_search]
    both = [key for key in searches if (*key, LOOP) in by_search and (*key, ANEW) in by_search]
    paired = {method: [by_search[(*key, method)] for key in both] for method in (LOOP, ANEW)}

    def fresh(found: Sequence[Row], generation: int) -> list[list[float]]:
        return [[s / scales[row["task"]] for s in fresh_after(row, generation)] for row in found]

    def answers(found: Sequence[Row]) -> list[list[float]]:
        return [_answers(row, range(2, last + 1), scales) for row in found]

    asked = [
        (f"{LOOP} above {ANEW}", fresh(paired[LOOP], last), fresh(paired[ANEW], last)),
        (f"{LOOP}: after generation {last} above after generation 1", fresh(loops, last), fresh(loops, 1)),
        (
            f"{ANEW}: after generation {last} above after generation 1",
            fresh(paired[ANEW], last),
            fresh(paired[ANEW], 1),
        ),
        (
            f"{LOOP} above {ANEW}: all answers after generation 1, in the search's own scores",
            answers(paired[LOOP]),
            answers(paired[ANEW]),
        ),
    ]
    tasks = [row["task"] for row in paired[LOOP]]
    if len(set(tasks)) > 1:
        yield (
            f"{LOOP} above {ANEW}, each task once",
            with_interval(_over_tasks(tasks, *asked[0][1:])),
            f"{len(set(tasks))} tasks",
        )
    for label, one, other in asked:
        if one:
            yield label, with_interval(clustered_bootstrap(difference, one, other, paired=True)), str(len(one))


def _over_tasks(tasks: Sequence[str], one: Sequence[Sequence[float]], other: Sequence[Sequence[float]]) -> Estimate:
    """The mean over tasks of the mean difference of each task's pairs, with Student's 95% interval."""
    of_task: dict[str, list[float]] = {}
    for task, first, second in zip(tasks, one, other, strict=True):
        of_task.setdefault(task, []).append(fmean(first) - fmean(second))
    means = [fmean(found) for found in of_task.values()]
    half = float(student.ppf(0.975, len(means) - 1)) * stdev(means) / sqrt(len(means))
    return Estimate(fmean(means), (fmean(means) - half, fmean(means) + half))


def _kind(row: Row) -> str:
    """How the search trained: every generation with the same seeds (""), each with its own, or its leaders once more as
    well, before the next generation."""
    if not row.get("seed_stride"):
        return ""
    return AGAIN if row.get("retrain") else ", own seeds"


def _search(row: Row) -> tuple[str, str, int, str]:
    return row["task"], row["method"], row["seed"], _kind(row)


def _answers(row: Row, generations: range, scales: Mapping[str, float]) -> list[float]:
    """The mean score of each answer of these generations as a share of the task's best; 0 for rejected ones."""
    return [
        (fmean(each["scores"]) if each["scores"] else 0.0) / scales[row["task"]]
        for name, each in row["candidates"].items()
        if generation_of(name) in generations
    ]


def _by_generation(rows: Sequence[Row], last: int) -> list[str]:
    """The mean score of all answers (0 for rejected ones) by generation, as a share of the task's best."""
    lines = ["| mean of all answers, in the search's own scores | " + " | ".join(map(str, range(1, last + 1))) + " |"]
    lines.append("| --- " * (1 + last) + "|")
    scales = _scales(rows)
    for method in (LOOP, ANEW):
        cells = []
        for generation in range(1, last + 1):
            own = range(generation, generation + 1)
            searches = [row for row in rows if row["method"] == method]
            of_each = [s for row in searches for s in _answers(row, own, scales)]
            cells.append(f"{fmean(of_each):.3f}" if of_each else "")
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return lines


def _luck(rows: Sequence[Row], last: int) -> list[str]:
    """What was best after a generation: how far its mean score of the search is above that of fresh seeds, in shares of
    the task's best."""
    lines = [
        "| best after a generation: the search's own scores above those of fresh seeds | "
        + " | ".join(map(str, range(1, last + 1)))
        + " |"
    ]
    lines.append("| --- " * (1 + last) + "|")
    scales = _scales(rows)
    for method, kind in sorted({(row["method"], _kind(row)) for row in rows}, reverse=True):
        own = [row for row in rows if row["method"] == method and _kind(row) == kind]
        cells = []
        for generation in range(1, last + 1):
            above = [
                (fmean(row["candidates"][row["best"][str(generation)]]["scores"]) - fmean(fresh_after(row, generation)))
                / scales[row["task"]]
                for row in own
            ]
            cells.append(f"{fmean(above):.3f}")
        lines.append(f"| {method}{kind} | {' | '.join(cells)} |")
    return lines


def _by_job(rows: Sequence[Row]) -> list[str]:
    """By kind of job, the share of children that are above the better one of their parents, and above everything of
    the generations before, by the estimates.
    """
    above: dict[str, list[bool]] = {}
    above_all: dict[str, list[bool]] = {}
    for row in rows:
        known = {n: each["estimate"] for n, each in row["candidates"].items() if each["estimate"] is not None}
        for name, each in row["candidates"].items():
            if each["job"] is None:
                continue
            before = [known[other] for other in known if generation_of(other) < generation_of(name)]
            above_all.setdefault(each["job"], []).append(known.get(name, -inf) > max(before, default=-inf))
            if parents := [known[parent] for parent in each["parents"] if parent in known]:
                above.setdefault(each["job"], []).append(known.get(name, -inf) > max(parents))
    lines = ["| job | children above their parent | above all before them | children |", "| --- | --- | --- | --- |"]
    for job, found in sorted(above_all.items()):
        of_parents = f"{fmean(above[job]):.0%}" if job in above else ""
        lines.append(f"| {job} | {of_parents} | {fmean(found):.0%} | {len(found)} |")
    return lines


def _seed_effect(rows: Sequence[Row], last: int) -> list[str]:
    """Whether one seed of a generation is better than the other for all of its rewards: the mean of squared t values of
    the differences, beside that of Student's distribution, (n - 1) / (n - 3) for n rewards; so at least four."""
    squares, by_chance = [], []
    for row in rows:
        for generation in range(1, last + 1):
            pairs = [c["scores"] for name, c in row["candidates"].items() if generation_of(name) == generation]
            differences = [one - other for one, other in (pair for pair in pairs if len(pair) == SEEDS)]
            if len(differences) > 3 and stdev(differences) > 0.0:
                by_chance.append((len(differences) - 1) / (len(differences) - 3))
                squares.append(len(differences) * (fmean(differences) / stdev(differences)) ** 2)
    if not squares:
        return []
    return [
        f"Mean squared t between the {SEEDS} seeds of a generation, over {len(squares)}: {fmean(squares):.2f} "
        f"(by chance {fmean(by_chance):.2f})."
    ]


def main() -> None:
    """Measure the folders that are given; print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--fresh-seeds", type=int, default=5, help="trainings of each reward that a search picked")
    parser.add_argument("--human-seeds", type=int, default=5, help="trainings of the human-written reward, a folder")
    parser.add_argument("--steps", type=int, help="control steps of these trainings; as in the search if not given")
    parser.add_argument("--answers", type=Path, help="keep prompts and answers under this folder, and train nothing")
    parser.add_argument("--show", action="store_true", help="train nothing, print the tables")
    add_results_option(parser)
    options = parser.parse_args()
    path: Path = options.results / NAME
    for folder in options.folders:
        if options.answers:
            keep_answers(folder, options.answers)
            continue
        print(folder, flush=True)
        row = measure(folder, options)
        kept = json.loads(path.read_text()) if path.is_file() else []
        rows = [*(old for old in kept if _search(old) != _search(row)), row]
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(rows, indent=1).encode() + b"\n")
    if options.show:
        print("\n".join(loop_lines(json.loads(measured_or_committed(options.results, NAME).read_text()))))


if __name__ == "__main__":
    main()
