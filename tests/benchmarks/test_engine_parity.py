"""Parity of the engines: the table by hand, a tiny comparison where Warp is, and the form of what is committed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import engine_parity  # noqa: E402
from engine_parity import Parities, Parity, Scores  # noqa: E402
from search_study_data import Hardware  # noqa: E402


def test_the_table() -> None:
    one = Parity("cartpole", 2e-5, 1e-6, 3e-4, 1e-5, 2, Scores((20.0,) * 8, (19.0,) * 8))
    lines = engine_parity.parity_lines(Parities(1, Hardware("x86_64", "a CPU", 2), (one,)))
    assert lines[2] == "| cartpole | 1e-06, 2e-05 | 1e-05, 0.0003 | 20 [20, 20] | 19 [19, 19] | -1 [-1, -1] |"
    assert "2 policies a task, trained with the human-written reward, for 4 episodes each" in lines[4]


@pytest.mark.warp
@pytest.mark.timeout(900)
def test_a_tiny_comparison(tmp_path: Path) -> None:
    pytest.importorskip("mujoco_warp")
    found = engine_parity.compare("cartpole", 1, 2)
    assert found.qpos_median < 1e-4
    assert len(found.scores.c) == len(found.scores.warp) == 2
    engine_parity.write_parity([found], tmp_path / "parity.json")
    there = engine_parity.read_parity(tmp_path / "parity.json")
    assert there is not None
    assert there.tasks == (found,)


def test_the_committed_parity_has_this_form() -> None:
    parities = engine_parity.read_parity()
    assert parities is not None
    assert parities.version == engine_parity.VERSION
    for one in parities.tasks:
        assert len(one.scores.c) == len(one.scores.warp)
        assert len(one.scores.c) % one.policies == 0
