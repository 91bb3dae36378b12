"""The GPU's benchmark, on the CPU device and tiny; and the form of what is committed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("mujoco_warp", reason="needs mujoco-warp and warp-lang: pip install -e '.[gpu]'")

import gpu
import gpu_generation

FIELDS = {"version", "device", "machine", "versions", "rounds", "updates", "rows"}
RESULTS = Path(gpu.__file__).parent / "results"
COMMITTED = [RESULTS / f"gpu_{name}.json" for name in ("ant", "ant_launched", "humanoid")]


def check(path: Path) -> list[gpu.Row]:
    result = json.loads(path.read_text())
    assert set(result) == FIELDS
    assert result["version"] == gpu.VERSION
    rows = [gpu.Row(**row) for row in result["rows"]]
    for row in rows:
        assert row.training is None or row.share == pytest.approx(row.training / row.bare)
    return rows


@pytest.mark.warp
@pytest.mark.timeout(900)
def test_a_tiny_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    arguments = ["gpu.py", "--tasks", "cartpole", "--groups", "1", "2", "--num-envs", "4", "--rounds", "1"]
    arguments += ["--updates", "1", "--device", "cpu", "--results", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", arguments)
    gpu.main()
    one, two = check(tmp_path / "gpu_cartpole.json")
    assert (one.task, one.groups, two.groups, two.num_envs) == ("cartpole", 1, 2, 4)
    assert one.cost is None
    assert two.cost > 0
    assert one.bare > one.training > 0


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_what_is_committed_has_its_form(path: Path) -> None:
    assert check(path)


@pytest.mark.warp
@pytest.mark.timeout(900)
def test_a_tiny_generation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever one update of the original's setting scores, half of two groups reach within a few updates."""
    arguments = ["gpu_generation.py", "--task", "cartpole", "--groups", "2", "--num-envs", "8", "--steps", "16000"]
    arguments += ["--original-epochs", "1", "--original-num-envs", "8", "--device", "cpu", "--results", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", arguments)
    gpu_generation.main()
    found = gpu_generation.Result(**json.loads((tmp_path / "gpu_generation.json").read_text()))
    assert len(found.scores) == found.groups == 2
    assert 0 < found.target < 20
    assert found.generation_s is not None
    assert found.generation_s > 0
    assert sum(found.scores) / 2 >= found.target
    assert 0 < found.generation_steps <= 16000
