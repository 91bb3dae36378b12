"""The rows of searches in Gymnasium environments, and what several processes gain, as sentences: by hand."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from gymnasium_searches import SEARCHES, Reward, Row, read_rows, search_lines
from sb3_workers import Measured, Round, sentence

from eureka.evaluation.data import Estimate


def test_a_row_has_what_was_typed_and_every_reward() -> None:
    found = Reward((0.5, 0.75), Estimate(0.625, (0.5, 0.75)), Estimate(1.0, (0.75, 1.0)))
    own = Reward((0.0, 0.25), Estimate(0.125, (0.0, 0.25)), None)
    panda = Row("panda", SEARCHES["panda"], 2.5, "return", found, own, None)
    pendulum = Row("pendulum", SEARCHES["pendulum"], 12.0, "return", found, own, own)
    lines = search_lines([panda, pendulum])
    assert lines[2:4] == [
        '| `env=Pendulum-v1 "description=swing the pole up and hold it upright" trainer=sb3.sac train.steps=4000 '
        "search.generations=2` | 12 | 0.625 [0.5, 0.75] | 0.125 [0, 0.25] | 0.125 [0, 0.25] | 1.00 [0.75, 1.00] |",
        '| `env=PandaReach-v3 "description=bring the hand to the target" train.steps=4096 search.generations=1` '
        "| 2.5 | 0.625 [0.5, 0.75] | 0.125 [0, 0.25] | the own | 1.00 [0.75, 1.00] |",
    ]
    assert lines[-1].endswith("and where nothing else is said `llm=program_search search.samples=4`.")


def test_played_back_answers_are_recorded_eight_for_a_search() -> None:
    played = [argument for typed in SEARCHES.values() for argument in typed if argument.startswith("llm.run=")]
    assert len(played) == 3
    for folder in (Path(__file__).parents[2] / argument.removeprefix("llm.run=") for argument in played):
        assert len(list(folder.glob("g01-c0?.md"))) == 8


def test_what_was_typed_is_the_same_in_every_checkout() -> None:
    typed = [argument for row in read_rows() for argument in row.typed]
    assert not [
        argument for argument in [*typed, *(each for row in SEARCHES.values() for each in row)] if "=/" in argument
    ]


def test_what_several_processes_gain_is_one_sentence() -> None:
    measured = Measured("Pendulum-v1", 8, 2, 16_384, (Round(60.0, 40.0, 0.25), Round(80.0, 40.0, 2.0)))
    assert sentence(measured) == (
        "8 trainings of 16,384 steps of Pendulum-v1: 70 s in one process, 40 s in 2; 1.75 times as fast (1.50 to 2.00 "
        "in 2 rounds, at a load of 0.2 to 2.0 before them)"
    )
