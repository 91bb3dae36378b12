"""The study of the loop with a language model: what was best when, and the tables, by hand."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eureka.app.configs import compose_config
from eureka.core.training import TrainingResult
from eureka.core.types import Candidate
from eureka.search.outcomes import Outcome

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import loop_study  # noqa: E402


def answer(job: str | None, parents: list[str], score: float | None) -> dict[str, Any]:
    return {"job": job, "parents": parents, "scores": [] if score is None else [score], "estimate": score}


def row(task: str, method: str, fresh: dict[str, list[float]], best: tuple[str, str], **answers: Any) -> dict[str, Any]:
    return {
        "task": task,
        "method": method,
        "seed": 1,
        "steps": 1000,
        "candidates": answers,
        "best": {"1": best[0], "2": best[1]},
        "fresh": fresh,
        "human": [0.2, 0.4],
    }


ROWS = [
    row(
        "a",
        "portfolio",
        {"g01-c01": [0.4, 0.4], "g02-c01": [0.8, 0.8]},
        ("g01-c01", "g02-c01"),
        **{
            "g01-c01": answer(None, [], 0.4),
            "g01-c02": answer(None, [], 0.2),
            "g02-c01": answer("exploit", ["g01-c01"], 0.8),
            "g02-c02": answer("combine", ["g01-c01", "g01-c02"], 0.3),
            "g02-c03": answer("exploit", ["g01-c01"], None),
            "g02-c04": answer("explore", [], 0.7),
        },
    ),
    row(
        "a",
        "best_of_n",
        {"g01-c01": [0.6, 0.6]},
        ("g01-c01", "g01-c01"),
        **{"g01-c01": answer(None, [], 0.6), "g02-c01": answer(None, [], 0.4)},
    ),
]


def test_children_are_compared_with_the_better_parent() -> None:
    lines = loop_study.loop_lines(ROWS)
    shown = {line.split(" | ")[0]: line for line in lines}
    assert shown["| exploit"].startswith("| exploit | 50% | ")  # one is above; one was rejected, which is below
    assert shown["| combine"].startswith("| combine | 0% | ")  # 0.3 is above its second parent alone
    assert shown["| explore"].startswith("| explore |  | ")  # it has no parent


def test_differences_are_shares_of_the_best_of_the_task() -> None:
    lines = loop_study.loop_lines(ROWS)
    # The best mean of fresh scores is 0.8: (0.8 - 0.6) / 0.8, (0.8 - 0.4) / 0.8 and none. All scores of a pair are
    # equal, so every resampling gives the same.
    shown = {line.split("|")[1].strip(): line.split("|")[2].strip() for line in lines if line.count("|") == 4}
    assert shown["portfolio above best_of_n"].startswith("0.25")
    assert shown["portfolio: after generation 2 above after generation 1"].startswith("0.5")
    assert shown["best_of_n: after generation 2 above after generation 1"].startswith("0")


def test_searches_whose_leaders_were_trained_again_are_pooled_once_more() -> None:
    again = [
        {**each, "seed": 2, "seed_stride": 100, "retrain": 2, "fresh": {n: [0.4, 0.4] for n in each["fresh"]}}
        for each in ROWS
    ]
    lines = loop_study.loop_lines([*ROWS, *again])
    shown = {line.split("|")[1].strip(): line.split("|")[2:4] for line in lines if line.count("|") == 4}
    # The pairs differ by 0.25 and 0, in shares of the best of all searches of the task, 0.8.
    assert shown["portfolio above best_of_n"][0].strip().startswith("0.12")
    assert shown["portfolio above best_of_n"][1].strip() == "2"
    assert [cell.strip() for cell in shown["portfolio above best_of_n, leaders trained again"]] == [
        "0.00 [0.00, 0.00]",
        "1",
    ]


def test_each_task_counts_once_with_students_interval() -> None:
    equal = [{**each, "fresh": {n: [0.4, 0.4] for n in each["fresh"]}, "human": [0.4]} for each in ROWS]
    others = [{**each, "task": task, "seed": seed} for task, seed in (("b", 1), ("b", 2), ("c", 1)) for each in equal]
    (line,) = [line for line in loop_study.loop_lines([*ROWS, *others]) if "each task once" in line]
    # 0.25 on one task and 0 on two, one of which has two pairs: mean 0.25 / 3, which is also the standard error, and
    # t(0.975, 2) is 4.303.
    assert line == "| portfolio above best_of_n, each task once | 0.08 [-0.28, 0.44] | 3 tasks |"


def test_all_answers_after_the_first_generation_are_compared() -> None:
    (line,) = [line for line in loop_study.loop_lines(ROWS) if "all answers after generation 1" in line]
    # (0.8 + 0.3 + 0 + 0.7) / 4 less 0.4, over 0.8, is 0.06.
    assert line.split("|")[2].strip().startswith("0.06")


def test_the_mean_of_a_generation_counts_what_was_rejected_as_nothing() -> None:
    lines = loop_study.loop_lines(ROWS)
    # (0.4 + 0.2) / 2 and (0.8 + 0.3 + 0 + 0.7) / 4, over 0.8.
    assert "| portfolio | 0.375 | 0.562 |" in lines
    assert "| best_of_n | 0.750 | 0.500 |" in lines


def test_a_row_of_a_search_says_what_was_best_when() -> None:
    assert "| a | portfolio, seed 1 | 0.300 | 0.400 (g01-c01) | 0.800 (g02-c01) |" in loop_study.loop_lines(ROWS)


def test_best_after_a_generation_reads_earlier_ones_alone(make_result: Callable[..., TrainingResult]) -> None:
    scores = {"g01-c01": 0.3, "g01-c02": 0.5, "g02-c01": 0.9}
    found = [Outcome(Candidate(name, "", ()), (make_result(name, (score,)),)) for name, score in scores.items()]
    assert loop_study.best_after(found, 1) == "g01-c02"
    assert loop_study.best_after(found, 2) == "g02-c01"
    assert loop_study.best_after([], 1) is None


def test_what_was_known_after_a_generation_leaves_out_later_trainings(
    make_result: Callable[..., TrainingResult],
) -> None:
    config = compose_config(["task=cartpole", "search.generations=3", "search.confirmation_seeds=2", "train.seeds=2"])
    # Generation 1: seeds 0 and 1, once more as a leader with 6 and 7, the same in generation 2 with 106; 4 as a
    # finalist.
    seeds = (0, 1, 4, 6, 7, 106)
    found = [Outcome(Candidate("g01-c01", "", ()), tuple(make_result("g01-c01", (0.5,), seed=s) for s in seeds))]

    def known(generation: int, stride: int) -> list[int]:
        (outcome,) = loop_study.known_after(found, generation, config, stride)
        return [result.seed for result in outcome.results]

    assert known(1, 100) == [0, 1, 6, 7]
    assert known(2, 100) == [0, 1, 6, 7, 106]
    assert known(3, 100) == list(seeds)
    assert known(1, 0) == list(seeds)


def test_searches_that_trained_otherwise_are_paired_with_their_like() -> None:
    again = [{**each, "seed_stride": 100, "retrain": 3} for each in ROWS]
    lines = loop_study.loop_lines([*ROWS, *again])
    assert any(line.startswith("| a | portfolio, seed 1, leaders trained again |") for line in lines)
    (line,) = [line for line in lines if line.startswith("| portfolio above best_of_n |")]
    assert line.endswith("| 2 |")


@pytest.mark.parametrize("generation", [1, 2])
def test_fresh_scores_of_what_was_best(generation: int) -> None:
    assert loop_study.fresh_after(ROWS[0], generation) == [[0.4, 0.4], [0.8, 0.8]][generation - 1]
