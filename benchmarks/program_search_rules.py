"""Which rules of program_search pay: children, those above their parent, and mean gain, by the rule that made them.

    eureka run task=swingup llm=program_search seed=0 evaluation.seeds=0 search.finalists=1 search.generations=4 \
        train.halving=off train.workers=1 report.films=none output=RUNS/swingup_0
                                                                # and so on; ant with train.steps=150000
    python benchmarks/program_search_rules.py RUNS/swingup_* RUNS/ant_* [--write results/program_search_rules.json]

An answer of program_search says in a sentence which rule made it, and from which parent. A gain is a score less that of
the parent, each the mean over the seeds that both were trained with, as a share of the highest score of the task in
these runs. Without halving all are trained to the end, so that all are compared. The runs of
`results/program_search_rules.json` were made at commit 5776031, when there were two rules more: `reshape` and
`recombine` never stood in the line of a best reward, and are gone since.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median

from eureka import __version__
from eureka.config.settings import stored_settings
from eureka.store import RunStore

RULES = {
    "rescale: dominates": r"^I change \w+_weight .*: it dominates",
    "rescale: negligible": r"^I change \w+_weight .*: it is negligible",
    "rescale: small step": r"^I change \w+_weight .*: nothing is out of proportion",
    "retune": r"^I change the width of ",
    "prune": r"^I leave out ",
    "add drive": r"^I add \w+, a weaker drive",
    "add penalty": r"^I add \w+, a small penalty",
    "rescale penalties": r"^I scale the penalties",
    "replace main": r"^I replace \w+ by ",
    "flip": r"^I turn \w+ round",
    "fresh": r"start afresh|^I try a fresh reward",
}
"""The sentence of each rule."""

NOTES = {
    "with a repair before it": r"^I drop \w+: ",
    "parent's metric stayed flat": r"^(The task metric stayed flat|No task metric says)",
}
"""Sentences that accompany a rule's."""

_PARENT = re.compile(r"^The parent (g\d+-c\d+) ended at", re.MULTILINE)


@dataclass(frozen=True)
class Child:
    """A candidate with a parent. `gain` is a share of the task's highest score; `is_ancestor` says that the best
    candidate of its search is it or descends from it."""

    task: str
    run: str
    rule: str
    notes: tuple[str, ...]
    gain: float
    is_ancestor: bool


@dataclass(frozen=True)
class Row:
    """The children that a rule made. `ancestors` of them are in the line of a search's best candidate."""

    task: str
    rule: str
    children: int
    above_parent: int
    mean_gain: float
    median_gain: float
    ancestors: int


def children_of(folder: Path, highest: float) -> list[Child]:
    """Every trained candidate of a run with a trained parent."""
    with RunStore.open(folder, read_only=True) as store:
        task = str(stored_settings(store.config_yaml)["task"])
        texts = {name: answers[-1].text for name, answers in store.completions().items()}
        scores: dict[str, dict[int, float]] = {}
        for result in store.results():
            scores.setdefault(result.candidate_id, {})[result.seed] = result.score
    if not scores:
        return []
    parents = {name: found[1] for name, text in texts.items() if (found := _PARENT.search(text))}
    best = max(scores, key=lambda name: mean(scores[name].values()))
    line = [best]
    while line[-1] in parents:
        line.append(parents[line[-1]])
    found = []
    for name, parent in parents.items():
        seeds = scores.get(name, {}).keys() & scores.get(parent, {}).keys()
        if seeds:
            gain = mean(scores[name][seed] - scores[parent][seed] for seed in seeds) / (highest or 1.0)
            rule, notes = rule_of(texts[name])
            found.append(Child(task, folder.name, rule, notes, gain, name in line))
    return found


def rule_of(answer: str) -> tuple[str, tuple[str, ...]]:
    """The rule that an answer names, and the accompanying notes."""

    def says(pattern: str) -> bool:
        return re.search(pattern, answer, re.MULTILINE) is not None

    rule = next((name for name, pattern in RULES.items() if says(pattern)), "unknown")
    return rule, tuple(name for name, pattern in NOTES.items() if says(pattern))


def tabulated(children: Sequence[Child]) -> list[Row]:
    """A row for each task and rule, then for each note, the most ancestors first."""
    rows = []
    for task in dict.fromkeys(child.task for child in children):
        own = [child for child in children if child.task == task]
        groups = {rule: [c for c in own if c.rule == rule] for rule in (*RULES, "unknown")}
        groups |= {note: [c for c in own if note in c.notes] for note in NOTES}
        groups["all"] = own
        rows += [row_of(task, name, group) for name, group in groups.items() if group]
    return rows


def row_of(task: str, rule: str, group: Sequence[Child]) -> Row:
    """The numbers of one group of children."""
    gains = [child.gain for child in group]
    return Row(
        task=task,
        rule=rule,
        children=len(group),
        above_parent=sum(gain > 0 for gain in gains),
        mean_gain=round(mean(gains), 3),
        median_gain=round(median(gains), 3),
        ancestors=sum(child.is_ancestor for child in group),
    )


def table(rows: Iterable[Row]) -> str:
    """The rows as text."""
    lines = [f"{'task':10}{'rule':32}{'children':>9}{'above':>7}{'mean gain':>11}{'median':>9}{'in best line':>14}"]
    lines += [
        f"{r.task:10}{r.rule:32}{r.children:>9}{r.above_parent:>7}{r.mean_gain:>11.3f}{r.median_gain:>9.3f}"
        f"{r.ancestors:>14}"
        for r in rows
    ]
    return "\n".join(lines)


def highest_scores(folders: Iterable[Path]) -> dict[str, float]:
    """The highest score of each task in these runs."""
    highest: dict[str, float] = {}
    for folder in folders:
        with RunStore.open(folder, read_only=True) as store:
            task = str(stored_settings(store.config_yaml)["task"])
            highest[task] = max([highest.get(task, 0.0), *(result.score for result in store.results())])
    return highest


def settings_of(folder: Path) -> dict[str, object]:
    """The settings of a run, for the record."""
    with RunStore.open(folder, read_only=True) as store:
        settings, facts = stored_settings(store.config_yaml), store.facts()
    keys = ("task", "seed", "search.generations", "search.samples", "train.steps", "train.halving", "llm.use_probe")
    return {**{key: settings[key] for key in keys}, "machine": facts.processor}


def main() -> None:
    """Tabulate the runs that are given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="finished run folders of llm=program_search")
    parser.add_argument("--write", type=Path, help="a JSON file for the table")
    options = parser.parse_args()
    highest = highest_scores(options.folders)
    children: list[Child] = []
    for folder in options.folders:
        with RunStore.open(folder, read_only=True) as store:
            task = str(stored_settings(store.config_yaml)["task"])
        children += children_of(folder, highest[task])
    rows = tabulated(children)
    print(table(rows))
    if options.write:
        record = {
            "eureka": __version__,
            "runs": {folder.name: settings_of(folder) for folder in options.folders},
            "highest score": highest,
            "rows": [asdict(row) for row in rows],
        }
        options.write.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
