"""Does following the feedback's advice pay? Recorded runs played through, rule by rule.

    python benchmarks/advice.py RUN ... [--record]      # run folders; with --record the rows go to results/advice.json,
                                                       beside those of other runs
    python benchmarks/advice.py                         # the table of the recorded rows

For every candidate and each parent that its prompt told of: which advice the parent's numbers gave, what the candidate
did to the component concerned, and what it gained over the parent, as a share of the run's best score. A component is
`kept`, `rescaled` (other numbers), `rewritten` or `removed`; `ACTS` says which of these follow an advice. Advice about
the whole reward is taken to be about its main component, that with the largest share of the total's variance.

Answers that were recorded as files are trained for this by

    eureka run task=swingup llm=replay llm.run=benchmarks/recorded/swingup search.method=best_of_n output=RUN

where `parents.json` beside the answers says of which parent each generation was told.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
from result_files import COMMITTED, MEASURED

from eureka.config.settings import stored_settings
from eureka.core.diagnosis import Diagnosis, DiagnosisKind
from eureka.core.ids import generation_of
from eureka.core.serialize import dumps, loads
from eureka.core.types import Origin, Reflection, Sample
from eureka.prompts.render import for_model
from eureka.reward.export.expressions import component_expressions
from eureka.search.outcomes import Outcome, outcomes
from eureka.search.reflection import reflect
from eureka.store import RunStore

FILE = "advice.json"
RECORDED = Path(__file__).parent / "recorded"
CHANGED = frozenset({"rescaled", "rewritten", "removed"})
ACTS: Mapping[DiagnosisKind, frozenset[str]] = {
    DiagnosisKind.METRIC_ZERO: frozenset({"rewritten", "removed"}),
    DiagnosisKind.METRIC_FLAT: frozenset({"rewritten", "removed"}),
    DiagnosisKind.METRIC_FELL: CHANGED,
    DiagnosisKind.METRIC_NEEDS_NOISE: CHANGED,
    DiagnosisKind.METRIC_RISING: frozenset({"kept", "rescaled"}),
    DiagnosisKind.REWARD_UP_METRIC_FLAT: CHANGED,
    DiagnosisKind.EPISODES_SHORTEN: CHANGED,
    DiagnosisKind.COMPONENT_FLAT: CHANGED,
    DiagnosisKind.COMPONENT_RARE: CHANGED,
    DiagnosisKind.COMPONENT_DOMINATES: CHANGED,
    DiagnosisKind.COMPONENT_NEGLIGIBLE: CHANGED,
    DiagnosisKind.COMPONENT_OPPOSES: CHANGED,
    DiagnosisKind.COMPONENT_LEADS: frozenset({"kept", "rescaled"}),
    DiagnosisKind.PENALTY_SPENT: frozenset({"kept"}),
}
"""What counts as following each advice."""
NUM_RESAMPLES = 4_000
_NUMBER = re.compile(r"(?<![A-Za-z_0-9])\d+\.?\d*(?:e[+-]?\d+)?")


@dataclass(frozen=True)
class Advised:
    """One piece of advice to one candidate: what it did with the component, and its gain over the parent."""

    run: str
    task: str
    author: str
    parent: str
    child: str
    rule: str
    component: str
    act: str
    followed: bool
    gain: float


@dataclass(frozen=True)
class Rows:
    """All rows of the result file."""

    rows: tuple[Advised, ...]


def played(folder: Path) -> list[Advised]:
    """The advice in one run folder, with its effects."""
    with RunStore.open(folder, read_only=True) as store:
        settings = stored_settings(store.config_yaml)
        graphs = {reward.candidate_id: reward.graph for reward in store.rewards()}
        samples = {sample.id: sample for sample in reversed(store.samples())}
        trained = {outcome.candidate.id: outcome for outcome in outcomes(store)}
    answers = RECORDED / Path(str(settings.get("llm.run") or "")).name / "parents.json"
    told = _told(samples, answers)
    task = answers.parent.name if answers.is_file() else str(settings["task"])
    best = max(abs(outcome.score) for outcome in trained.values())
    author = "program_search" if settings["llm.name"] == "program_search" else "a model"
    found = []
    for child, parents in told.items():
        for parent in parents if child in trained else ():
            if parent not in trained or best == 0.0:
                continue
            gain = (trained[child].score - trained[parent].score) / best
            expressions = [component_expressions(graphs[name], samples[child].facts.state) for name in (parent, child)]
            for advice, component, act in _acts(trained[parent], *expressions):
                place = (folder.name, task, author, parent, child)
                found.append(Advised(*place, advice.kind.value, component, act, act in ACTS[advice.kind], gain))
    return found


def _told(samples: Mapping[str, Sample], file: Path) -> dict[str, tuple[str, ...]]:
    """The parents shown in each candidate's prompt if it was asked for; by generation from `file`, if that exists."""
    asked = {name: sample for name, sample in samples.items() if sample.origin is Origin.ASKED}
    if file.is_file():
        by_generation = json.loads(file.read_text())
        return {n: (by_generation[str(generation_of(n))],) for n in asked if str(generation_of(n)) in by_generation}
    return {name: sample.parents for name, sample in asked.items()}


def _acts(parent: Outcome, before: Mapping[str, str], after: Mapping[str, str]) -> Iterable[tuple[Diagnosis, str, str]]:
    """Each piece of advice that follows from the parent's numbers, with its component and the change of that
    component."""
    reflection = reflect(parent.candidate, parent.results)
    for advice in reflection.diagnoses:
        component = advice.component or _main(reflection)
        # Advice that prompts no longer give is included too.
        was_told = for_model(advice) or advice.kind is DiagnosisKind.METRIC_RISING
        if advice.kind in ACTS and was_told and component in before:
            yield advice, component, act_of(component, before, after)


def _main(reflection: Reflection) -> str:
    return max(reflection.components, key=lambda c: abs(c.variance_share or 0.0)).name


def act_of(component: str, before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """How a component was changed, from the expressions of all components by name; a renamed component counts as
    kept."""
    old = before[component]
    if old in after.values():
        return "kept"
    shape = _NUMBER.sub("#", old)
    if shape in {_NUMBER.sub("#", new) for new in after.values()}:
        return "rescaled"
    return "rewritten" if component in after else "removed"


# ---- the table -------------------------------------------------------------------------------------------------------


def lines(rows: Sequence[Advised]) -> list[str]:
    """A Markdown table of gains by author and rule, of those that followed the advice and those that did not."""
    table = ["| answers of | advice | parents | followed: gain (n) | not: gain (n) | difference |"]
    table.append("| --- | --- | --- | --- | --- | --- |")
    for author in dict.fromkeys(row.author for row in rows):
        for rule in ACTS:
            own = [row for row in rows if row.author == author and row.rule == rule.value]
            if not own:
                continue
            sides = [[row.gain for row in own if row.followed is followed] for followed in (True, False)]
            shown = [f"{fmean(side):+.2f} ({len(side)})" if side else "-" for side in sides]
            parents = len({(row.run, row.parent) for row in own})
            table.append(f"| {author} | {rule.value} | {parents} | {' | '.join(shown)} | {_difference(own)} |")
    return table


def _difference(rows: Sequence[Advised]) -> str:
    """The difference of the means, with a 95% interval that resamples parents and then their children."""
    groups: dict[tuple[str, str], list[Advised]] = {}
    for row in rows:
        groups.setdefault((row.run, row.parent), []).append(row)
    clusters = list(groups.values())
    if not any(row.followed for row in rows) or all(row.followed for row in rows):
        return "-"
    rng = np.random.default_rng(0)
    found = []
    for _ in range(NUM_RESAMPLES):
        drawn = [clusters[i] for i in rng.integers(len(clusters), size=len(clusters))]
        picked = [rows[i] for rows in drawn for i in rng.integers(len(rows), size=len(rows))]
        sides = [[row.gain for row in picked if row.followed is followed] for followed in (True, False)]
        if all(sides):
            found.append(fmean(sides[0]) - fmean(sides[1]))
    value = fmean(r.gain for r in rows if r.followed) - fmean(r.gain for r in rows if not r.followed)
    low, high = np.quantile(found, [0.025, 0.975])
    verdict = "" if low > 0 or high < 0 else ", undecided"
    return f"{value:+.2f} [{low:+.2f}, {high:+.2f}]{verdict}"


def main() -> None:
    """Analyse runs, or print the table of recorded rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--record", action="store_true", help="keep the rows in benchmarks/results")
    options = parser.parse_args()
    if options.runs:
        rows = Rows(tuple(row for run in options.runs for row in played(run)))
        folder = COMMITTED if options.record else MEASURED
        folder.mkdir(parents=True, exist_ok=True)
        kept = loads(Rows, (folder / FILE).read_text()).rows if (folder / FILE).is_file() else ()
        others = tuple(row for row in kept if row.run not in {new.run for new in rows.rows})
        rows = Rows((*others, *rows.rows))
        (folder / FILE).write_text(dumps(rows) + "\n")
    else:
        rows = loads(Rows, (COMMITTED / FILE).read_text())
    print("\n".join(lines(rows.rows)))


if __name__ == "__main__":
    main()
