"""Several searches in one table: figures by hand, what is shared, and the forms in which it is written."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from eureka.core.types import Completion
from eureka.evaluation import ComparedMethod, Comparison, Role
from eureka.evaluation.record import write_comparison
from eureka.evaluation.search_table import as_csv, as_json, as_latex, text_table
from eureka.evaluation.searches import SearchRun, nested, read_search, task_rows
from eureka.evaluation.statistics import interquartile_mean
from eureka.store import RunFacts, RunStore


def method(role: Role, scores: tuple[float, ...], first_seed: int) -> ComparedMethod:
    return ComparedMethod(
        role=role,
        name=role.value if role is not Role.BEST else "g01-c01",
        seeds=tuple(range(first_seed, first_seed + len(scores))),
        scores=scores,
        iqm=None,
        improvement=None,
        normalised=None,
        correlation=None,
    )


def run(name: str, best: tuple[float, ...], human: tuple[float, ...], usd: float | None = 0.5) -> SearchRun:
    comparison = Comparison(
        version=1,
        task="ant",
        metric="speed",
        unit="m/s",
        steps=1000,
        search_steps=500,
        eval_episodes=8,
        methods=(method(Role.BEST, best, 10), method(Role.HUMAN, human, 10), method(Role.SPARSE, (0.0, 0.0), 10)),
        gap=None,
        transitions=10,
    )
    return SearchRun(Path(name), "gpt_5", comparison, control_steps=4000, tokens=100.0, usd=usd)


TWO = [run("a", (2.0, 3.0), (1.0, 2.0)), run("b", (4.0, 5.0), (1.0, 2.0), usd=1.5)]


def test_a_row_by_hand() -> None:
    (row,) = task_rows(TWO)
    assert (row.searches, row.trainings, row.steps, row.control_steps) == (2, 4, 1000, 4000)
    # Of 2, 3, 4, 5 the middle half is 3 and 4.
    assert row.best.value == 3.5
    # The same trainings of the human-written reward (1 and 2) in both runs count once, as do those of the bare metric.
    assert row.human is not None
    assert row.human.value == 1.5
    assert row.shared == 4
    # Of the 8 pairs of 2, 3, 4, 5 with 1, 2 seven are higher and one is equal.
    assert row.improvement is not None
    assert row.improvement.value == pytest.approx(7.5 / 8)
    # The bare metric has 0 and the human-written reward 1.5.
    assert row.normalised is not None
    assert row.normalised.value == pytest.approx(3.5 / 1.5)
    assert (row.tokens, row.usd) == (100.0, 1.0)


def test_intervals_resample_searches_and_then_their_seeds() -> None:
    # Without spread inside of a search, a resample of two is one of (0, 0), (0, 1), (1, 0), (1, 1).
    estimate = nested(interquartile_mean, [[0.0] * 4, [1.0] * 4])
    assert estimate.value == 0.5
    assert estimate.interval == (0.0, 1.0)
    # One search alone has its seeds; with one seed nothing is known.
    assert nested(interquartile_mean, [[3.0]]).interval is None
    low, high = nested(interquartile_mean, [[1.0, 2.0, 3.0]]).interval or (0.0, 0.0)
    assert 1 <= low < 2 < high <= 3
    # Searches with fewer seeds weigh as much: the mean of resampled means is that of the searches' means.
    uneven = nested(lambda scores: np.mean(scores, axis=-1), [[0.0], [1.0] * 9])
    assert uneven.interval == (0.0, 1.0)


def test_searches_of_other_lengths_and_unknown_prices() -> None:
    longer = SearchRun(
        Path("c"), "gpt_5", TWO[0].comparison.__class__(**{**vars(TWO[0].comparison), "steps": 9}), 1, None, None
    )
    rows = task_rows([*TWO, longer])
    assert [(row.steps, row.searches) for row in rows] == [(9, 1), (1000, 2)]
    assert (rows[0].tokens, rows[0].usd) == (None, None)


def test_the_forms() -> None:
    rows = task_rows(TWO)
    shown = text_table(rows, [Path("outputs/late")])
    assert shown.rows[0][:5] == ("ant", "2", "3.5 m/s", shown.rows[0][3], "1.5")
    assert shown.rows[0][7:] == ("4,000", "100", "$1")
    assert "4 trainings of baselines stand in several runs (the cache) and count once" in shown.notes[1]
    assert shown.notes[-1] == "outputs/late: no comparison yet, so in no row"
    (line,) = csv.DictReader(io.StringIO(as_csv(rows)))
    assert float(line["best"]) == 3.5
    assert float(line["best_low"]) < 3.5 < float(line["best_high"])
    assert (line["searches"], line["proposers"]) == ("2", "gpt_5")
    assert json.loads(as_json(rows))[0]["human"]["value"] == 1.5
    latex = as_latex(rows)
    assert latex.startswith("\\begin{tabular}{lrrrrrrrrr}\n\\toprule\ntask & searches")
    assert "95\\% interval" in latex
    assert " & \\$1 \\\\" in latex


def test_who_wrote_a_runs_rewards_is_read_from_its_answers(tmp_path: Path) -> None:
    described = RunFacts(proposer="The language model gpt_5 (openai) writes the reward functions.")
    with RunStore.create(tmp_path, "", described) as store:
        write_comparison(store, TWO[0].comparison)
        store.record_completion(Completion("g01-c00", "", "init", given=True))
        for name, model in (("g01-c01", "gpt_5"), ("g01-c02", "gpt_6"), ("g01-c03", "gpt_5")):
            store.record_completion(Completion(name, "", model))
    found = read_search(tmp_path)
    assert found is not None
    assert found.proposer == "gpt_5, gpt_6"
