"""The table of the study on tuned constants, by hand."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from search_study_data import Hardware
from tuning import Tried, TuningStudy, lines

from eureka.evaluation.data import Estimate


def test_each_arm_has_a_row_and_the_difference_its_interval() -> None:
    alone = (Tried(0, "g02-c01", False, (0.25, 0.75), 0, 0, 100), Tried(1, "g01-c03", False, (1.0, 0.5), 0, 0, 100))
    tuned = (Tried(0, "g02-c08", True, (0.5, 0.5), 4, 1, 100), Tried(1, "g03-c02", False, (0.25, 0.25), 4, 2, 100))
    hardware = Hardware("x86_64", "a processor", 2)
    arms = {"answers alone": alone, "two of them tuned": tuned}
    found = TuningStudy("swingup", "python tuning.py", hardware, arms, Estimate(-0.25, (-0.5, 0.125)))
    assert lines(found)[2:] == [
        "| answers alone | 0.625 | 0 of 2 | - |",
        "| two of them tuned | 0.375 | 1 of 2 | 3 of 8 |",
        "",
        "swingup: second row less the first: -0.250 [-0.500, +0.125] (2 pairs). `python tuning.py`",
    ]
