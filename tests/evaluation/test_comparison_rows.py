"""The comparison in words: golden tables of figures that were made up."""

from __future__ import annotations

from dataclasses import replace

from eureka.evaluation import ComparedMethod, Comparison, Role, seed_rows, summary_rows, verdict
from eureka.evaluation.data import Choice, Contender, Estimate
from eureka.evaluation.rows import number

BEST = ComparedMethod(
    role=Role.BEST,
    name="g02-c05",
    seeds=(1000, 1001),
    scores=(2.25, 2.75),
    iqm=Estimate(2.5, (2.25, 2.75)),
    improvement=Estimate(0.75, (0.5, 1.0)),
    normalised=Estimate(1.5, (1.25, 2.0)),
    correlation=0.834,
)
HUMAN = ComparedMethod(
    role=Role.HUMAN,
    name="human",
    seeds=(1000, 1001),
    scores=(2.0, 12_345.6),
    iqm=Estimate(2.0, (2.0, 12_345.6)),
    improvement=None,
    normalised=Estimate(1.0, (1.0, 1.0)),
    correlation=1.0,
    cached=(1000, 1001),
)
SPARSE = ComparedMethod(
    role=Role.SPARSE,
    name="sparse",
    seeds=(1000,),
    scores=(1.0,),
    iqm=Estimate(1.0, None),
    improvement=Estimate(0.0, None),
    normalised=Estimate(0.0, None),
    correlation=None,
    failed="it became NaN",
)
FOUND = Comparison(
    version=1,
    task="ant",
    metric="progress along +x per second",
    unit="m/s",
    steps=230_400,
    search_steps=460_800,
    eval_episodes=8,
    methods=(BEST, HUMAN, SPARSE),
    gap=Estimate(1.0, (0.5, 1.5)),
    transitions=512,
    choice=Choice((Contender("g02-c05", Estimate(2.5, None)), Contender("g03-c01", None))),
)


def test_the_summary() -> None:
    table = summary_rows(FOUND)
    assert table.title == "ant: progress along +x per second"
    assert table.header == ("reward", "IQM (m/s)", "95% interval", "better than human", "normalised")
    assert table.rows == (
        ("best (g02-c05)", "2.5", "[2.25, 2.75]", "0.75 [0.50, 1.00]", "1.50 [1.25, 2.00]"),
        ("human-written", "2", "[2, 12,346]", "-", "1.00 [1.00, 1.00]"),
        ("bare metric", "1", "-", "0.00", "0.00"),
    )
    assert table.notes == (
        "each trained with 2 fresh seeds for 230,400 control steps (0.5 of a training in the search); a score is the "
        "mean of 8 evaluation episodes",
        "intervals of 2 seeds are rough",
        "better than human: the probability that a training with it scores above one with the human-written reward",
        "normalised: (reward - bare metric) / |human-written - bare metric|; human-written - bare metric is "
        "1 [0.5, 1.5] m/s",
        "on 512 recorded transitions g02-c05 correlates with the human-written reward by 0.83 (Pearson)",
        "the search could not tell g02-c05 and g03-c01 apart, so each was trained with the fresh seeds (2.5 against "
        "-); g02-c05 is best by all trainings together, and its own figure flatters it",
        "human-written: from the cache of an earlier run (seeds 1000, 1001)",
        "bare metric: a training was given up: it became NaN",
    )


def test_a_run_without_confinement_says_so_below_its_summary() -> None:
    assert not [note for note in summary_rows(FOUND).notes if "UNSAFE" in note]
    assert "UNSAFE: anything ran" in summary_rows(replace(FOUND, unsafe="anything ran")).notes


def test_every_training() -> None:
    table = seed_rows(FOUND)
    assert table.title == "ant: score of every training (m/s)"
    assert table.header == ("seed", "1000", "1001")
    assert table.rows == (
        ("best (g02-c05)", "2.25", "2.75"),
        ("human-written", "2", "12,346"),
        ("bare metric", "1", "-"),
    )


def test_no_normalised_score_is_explained() -> None:
    def explained(**changes: object) -> str:
        return next(note for note in summary_rows(replace(FOUND, **changes)).notes if "normalised" in note)  # type: ignore[arg-type]

    assert explained(gap=Estimate(0.1, (-1.0, 1.0))) == (
        "no normalised score: human-written - bare metric is 0.1 [-1, 1] m/s, which is not clear of zero"
    )
    assert explained(gap=None) == "no normalised score: a baseline has no scores"
    assert explained(methods=(BEST, HUMAN), gap=None) == "no normalised score: the task has no sparse reward"
    same = replace(HUMAN, role=Role.SPARSE, name="sparse", same_as="human")
    assert explained(methods=(BEST, HUMAN, same), gap=None) == (
        "no normalised score: bare metric and human-written are the same function"
    )


def test_a_baseline_that_is_the_other_has_no_row() -> None:
    same = replace(HUMAN, role=Role.SPARSE, name="sparse", same_as="human")
    found = replace(FOUND, methods=(BEST, HUMAN, same))
    assert [row[0] for row in summary_rows(found).rows] == ["best (g02-c05)", "human-written"]
    assert len(seed_rows(found).rows) == 2
    assert "bare metric: the same function as human-written, and so the same trainings" in summary_rows(found).notes


def test_the_verdict() -> None:
    def said(**changes: object) -> str:
        best = replace(BEST, **changes)  # type: ignore[arg-type]
        return verdict(replace(FOUND, methods=(best, HUMAN, SPARSE)))

    start = "g02-c05 scores 2.5 m/s and the human-written reward 2: better with probability "
    assert said() == f"{start}0.75 [0.50, 1.00] (these seeds do not tell which is better)"
    assert said(improvement=Estimate(0.9, (0.6, 1.0))) == f"{start}0.90 [0.60, 1.00] (better)"
    assert said(improvement=Estimate(0.1, (0.0, 0.4))) == f"{start}0.10 [0.00, 0.40] (worse)"
    assert said(improvement=Estimate(1.0, None)) == f"{start}1.00 (one seed says little)"
    assert said(same_as="human") == "g02-c05 computes the human-written reward itself"
    assert said(iqm=None, improvement=None, failed="it became NaN") == (
        "g02-c05 could not be compared with the human-written reward: it became NaN"
    )


def test_numbers() -> None:
    assert [number(value) for value in (0.0, 2.26789, 1234.56, 12345.6, -0.00012345)] == [
        "0",
        "2.268",
        "1235",
        "12,346",
        "-0.0001234",
    ]
