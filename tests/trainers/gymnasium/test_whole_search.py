"""A whole search in a Gymnasium environment, in which no process imports MuJoCo."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from eureka.evaluation import Role, read_comparison
from eureka.store import RunStore

pytest.importorskip("stable_baselines3")
pytestmark = pytest.mark.process

MAIN = """
import sys
from eureka.app.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
assert "gymnasium" in sys.modules
assert "mujoco" not in sys.modules
"""
NO_MUJOCO = """raise RuntimeError("a process of this run imported mujoco")\n"""
KEYS = (
    "env=CartPole-v1",
    "description=balance the pole",
    "llm=program_search",
    "search.generations=2",
    "search.samples=4",
    "search.finalists=1",
    "train.steps=1024",
    "train.checkpoints=2",
    "train.eval_episodes=2",
    "train.halving=race",
    "evaluation.seeds=1",
)


def test_two_generations_of_four_without_mujoco(tmp_path: Path) -> None:
    hidden = tmp_path / "first"
    (hidden / "mujoco").mkdir(parents=True)
    (hidden / "mujoco" / "__init__.py").write_text(NO_MUJOCO)
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    environment |= {"PYTHONPATH": str(hidden), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", MAIN, "run", *KEYS, f"output={tmp_path / 'run'}"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "policies train on" in done.stdout
    with RunStore.open(tmp_path / "run", read_only=True) as store:
        assert len(store.finished_generations()) == 2
        trained = {result.candidate_id for result in store.results()}
        assert len(trained) + len(store.rejections()) == 8
        for result in store.results():
            # Two whole rollouts of 8 environments x 64 steps; one for those that lost the race.
            assert result.steps in ((512,), (512, 1024))
            assert result.checkpoint_steps == result.steps
            assert len(result.final_scores) == 2
            assert result.components.keys() == result.statistics.keys()
            assert result.policy_format == "sb3-ppo"
    comparison = read_comparison(tmp_path / "run")
    assert comparison is not None
    assert [method.role for method in comparison.methods] == [Role.BEST, Role.HUMAN]
    assert (tmp_path / "run" / "report.html").is_file()
