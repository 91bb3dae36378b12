"""What benchmarks/verification.py verifies: answers of the embedded proposer."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import verification

from eureka.tasks import load_task


def test_the_embedded_proposers_answers_are_extracted() -> None:
    candidates = verification.proposed(load_task("cartpole"), 3)
    assert [candidate.id for candidate in candidates] == ["g01-c01", "g01-c02", "g01-c03"]
