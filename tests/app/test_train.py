"""`eureka train`: one reward, its scores, curves and policies."""

import csv
from pathlib import Path

import pytest

from eureka.app.cli import main
from eureka.store import RunStore

SOURCE = """import torch

def compute_reward(pole_angle):
    up = torch.cos(pole_angle)
    return up, {"up": up}
"""
SHORT = ["train.steps=2000", "train.num_envs=8", "train.checkpoints=2", "train.eval_episodes=2", "train.workers=1"]


@pytest.mark.process
def test_a_file_is_trained_and_its_curves_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "import torch\ndef compute_reward(pole_angle):\n    up = torch.cos(pole_angle)\n    return up, {'up': up}\n"
    )
    folder = tmp_path / "trained"
    given = ["task=cartpole", f"reward={file}", f"output={folder}", *SHORT]
    with pytest.raises(SystemExit, match="0"):
        main(["train", *given, "--seeds", "2", "--no-film", "--quiet"])
    said = capsys.readouterr().out
    assert "cartpole trained with the reward `file`" in said
    assert "interquartile mean" in said
    with (folder / "curves.csv").open() as rows:
        table = list(csv.DictReader(rows))
    assert {row["seed"] for row in table} == {"0", "1"}
    assert {"steps", "metric", "episode_length", "total", "up"} <= table[0].keys()
    with RunStore.open(folder, read_only=True) as store:
        results = store.evaluations()
    assert [(result.candidate_id, result.seed) for result in results] == [("file", 0), ("file", 1)]
    # The table's last row of a seed is the last update of its training.
    assert float(table[-1]["steps"]) == results[1].trained_steps


@pytest.mark.parametrize(
    ("reward", "said"),
    [
        ([], "give reward=human, reward=metric or reward=FILE"),
        (["reward=nowhere.py"], "reward=nowhere.py: cannot be read: No such file or directory"),
    ],
)
def test_a_reward_must_be_named(reward: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["train", "task=cartpole", *reward])
    assert said in capsys.readouterr().err
