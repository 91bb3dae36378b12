"""Scores against other trainers: what is missing, the table by hand, a tiny run, and the form of what is committed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import peer_scores  # noqa: E402
from peer_scores import OURS, Score, Wanted  # noqa: E402

from eureka.tasks import load_task  # noqa: E402


def test_only_what_is_missing_is_wanted() -> None:
    # 32 steps in 16 worlds: 2,048 come nearest to 2,000 with 4 updates.
    there = [Score("cartpole", OURS, 0, 2048, 10.0)]
    wanted = peer_scores.missing(["cartpole"], [OURS, "rsl_rl"], 2, 2000, there)
    assert [(one.trainer, one.seed) for one in wanted] == [(OURS, 1), ("rsl_rl", 0), ("rsl_rl", 1)]
    assert len(peer_scores.missing(["cartpole"], [OURS], 1, 4096, there)) == 1


def test_the_table() -> None:
    scores = [Score("cartpole", OURS, seed, 1024, 40.0) for seed in range(2)]
    scores += [Score("cartpole", "rsl_rl", seed, 1024, 30.0) for seed in range(2)]
    metric = load_task("cartpole").metric
    assert peer_scores.score_lines(scores) == [
        f"**cartpole**, 1,024 steps ({metric.description}, {metric.unit})",
        "",
        "| trainer | IQM | 95% interval | eureka above it by | seeds |",
        "| --- | --- | --- | --- | --- |",
        "| eureka | 40 | [40, 40] | - | 2 |",
        "| rsl_rl | 30 | [30, 30] | 10 [10, 10] | 2 |",
        "",
    ]


@pytest.mark.process
@pytest.mark.filterwarnings("ignore")
def test_a_tiny_run_of_every_trainer(tmp_path: Path) -> None:
    """Our own and every peer, 2 updates of cartpole; what was made is read back, and nothing is missing then."""
    pytest.importorskip("rsl_rl")
    path = tmp_path / "scores.json"
    task = load_task("cartpole")
    rows = task.info.num_envs * task.info.ppo.horizon
    schedule = peer_scores.Schedule(task.info.num_envs, 2 * rows, 1, 2, task.info.ppo)
    # The peers in a process of their own: rsl_rl brings a library that replaces functions of torch.
    scores = list(peer_scores.make([Wanted("cartpole", name, 0, schedule) for name in peer_scores.TRAINERS], 1))
    peer_scores.write_scores(scores, path)
    assert peer_scores.read_scores(path) == tuple(scores)
    assert {score.trainer for score in scores} == set(peer_scores.TRAINERS)
    # An episode lasts 20 s.
    assert all(0.0 < score.score <= 20.0 for score in scores)
    assert peer_scores.missing(["cartpole"], peer_scores.TRAINERS, 1, 2 * rows, scores) == []


def test_the_committed_scores_have_this_form() -> None:
    scores = peer_scores.read_scores()
    assert len({(score.task, score.trainer, score.seed, score.steps) for score in scores}) == len(scores)
    assert {score.trainer for score in scores} <= set(peer_scores.TRAINERS)
