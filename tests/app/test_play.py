"""`eureka play`: whose policy is filmed, where the video goes, what is said."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from records import finish

from eureka.app.cli import main
from eureka.app.configs import compose_config
from eureka.app.play import film, parse_size
from eureka.config import to_yaml
from eureka.core.errors import RenderingUnavailable, StoreError, VideoError
from eureka.core.pictures import Look
from eureka.core.training import TrainingResult
from eureka.core.types import Candidate, Completion, Reward
from eureka.store import RunFacts, RunStore
from eureka.trainers.population.networks import StackedMLP
from eureka.trainers.population.policy import Policies
from eureka.ui.video.film import FilmedEpisode, FilmJob, Video
from eureka.ui.video.gl import find_gl
from eureka.ui.video.process import FilmProcess

GRAPH = (
    '{"version":1,"inputs":["pole_angle"],"constants":{},"nodes":[{"op":"neg","args":[{"input":"pole_angle"}]}],'
    '"total":{"node":0},"components":[{"name":"a","value":{"node":0}}]}'
)


def still_policy() -> bytes:
    network = StackedMLP((4, 1), "relu")
    zeros, ones = torch.zeros(1, 1, 4), torch.ones(1, 1, 4)
    return Policies(network, torch.zeros(1, network.num_parameters), zeros, ones).dump(0)


@pytest.fixture
def run(tmp_path: Path, make_result: Callable[..., TrainingResult]) -> Path:
    """A run with two candidates in one generation, the second best, and a comparison with the human reward."""
    folder = tmp_path / "run"
    policy = still_policy()
    with RunStore.create(folder, to_yaml(compose_config(["task=cartpole"], [])), RunFacts(metric_unit="s")) as store:
        for name, scores in (("g01-c01", {0: 1.0}), ("g01-c02", {0: 2.0, 1: 5.0})):
            store.record_completion(Completion(name, "", "model"))
            store.record_candidate(Candidate(name, "", ("pole_angle",)))
            store.record_reward(Reward(name, GRAPH, ("a",)))
            for seed, score in scores.items():
                store.record_result(replace(make_result(name, (score,), seed=seed), policy=policy + bytes([seed])))
        for name in ("g01-c02", "human"):
            for seed, score in {1000: 3.0, 1001: 7.0, 1002: 4.0}.items():
                store.record_evaluation(replace(make_result(name, (score,), seed=seed), policy=policy))
        finish(store, 1, "g01-c02")
    return folder


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[FilmJob]:
    """Stands in for drawing: remembers what was asked for."""
    jobs: list[FilmJob] = []

    def render(process: FilmProcess, job: FilmJob, to: Path) -> Video:
        if not to.parent.is_dir():
            raise VideoError(f"{to}: the video cannot be written: No such file or directory")
        jobs.append(job)
        to.write_bytes(b"mp4")
        to.with_suffix(".jpg").write_bytes(b"jpg")
        return Video(str(to), str(to.with_suffix(".jpg")), 10, 25.0, (FilmedEpisode(10, 0.4, 0.36, "terminated"),))

    monkeypatch.setattr(FilmProcess, "film", render)
    return jobs


@pytest.mark.parametrize(
    ("name", "seed", "place"),
    [
        ("best", 1, "best/rollout.mp4"),
        ("g01-c02", 1, "generation_01/candidate_02/rollout.mp4"),
        ("g01-c01", 0, "generation_01/candidate_01/rollout.mp4"),
        ("human", 1002, "evaluation/human.mp4"),
    ],
)
def test_whose_policy_and_where_to(run: Path, asked: list[FilmJob], name: str, seed: int, place: str) -> None:
    """The search's best seed; of a comparison the median one: of 3, 4 and 7 that with 4."""
    with RunStore.open(run, read_only=True) as store:
        filmed = film(store, name, Look(), {})
    assert filmed.result.seed == seed
    assert filmed.video.path == str(run / place)
    assert (run / place).read_bytes() == b"mp4"
    assert (run / place).with_suffix(".jpg").read_bytes() == b"jpg"
    assert asked[0].config.task == "cartpole"
    assert asked[0].policy == filmed.result.policy
    assert asked[0].graph == ("" if name == "human" else GRAPH)


def test_policies_that_are_not_there(run: Path, asked: list[FilmJob], tmp_path: Path) -> None:
    with RunStore.open(run, read_only=True) as store:
        with pytest.raises(StoreError, match=r"no trained policy of `g02-c01`; there are g01-c01, g01-c02, human"):
            film(store, "g02-c01", Look(), {})
        with pytest.raises(VideoError, match="the video cannot be written: No such file"):
            film(store, "best", Look(), {}, to=tmp_path / "none" / "best.mp4")
    empty = tmp_path / "empty"
    with RunStore.create(empty, to_yaml(compose_config(["task=cartpole"], []))) as store:
        with pytest.raises(StoreError, match="no generation has finished"):
            film(store, "best", Look(), {})
        with pytest.raises(StoreError, match="no trained policy of `human`; none is trained yet"):
            film(store, "human", Look(), {})


def test_a_failure_leaves_the_run_as_it_was(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> Video:
        raise RenderingUnavailable("nothing here can draw")

    monkeypatch.setattr(FilmProcess, "film", fail)
    before = sorted(run.rglob("*"))
    with RunStore.open(run, read_only=True) as store, pytest.raises(RenderingUnavailable):
        film(store, "best", Look(), {})
    assert sorted(run.rglob("*")) == before


def test_the_command_says_what_it_filmed(
    run: Path, asked: list[FilmJob], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "mine.mp4"
    command = ["play", str(run), "--candidate", "g01-c02", "--episodes", "3", "--to", str(to), "--size", "640x480"]
    with pytest.raises(SystemExit) as ended:
        main([*command, "--seconds", "5", "--fps", "25", "--seed", "4", "--camera", "front", "--shadows", "--overlay"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.splitlines() == [
        "g01-c02, trained with seed 1 to 5 s",
        "episode 1: 10 steps, 0.4 s, ended early; 0.36 s",
        f"wrote {to}",
    ]
    assert to.read_bytes() == b"mp4"
    assert asked[0].look == Look(
        episodes=3,
        seed=4,
        max_seconds=5.0,
        width=640,
        height=480,
        fps=25,
        camera="front",
        shadows=True,
        overlay=True,
    )


@pytest.mark.parametrize("text", ["640", "640x", "ax4", "640x-2", "640 x 480", "6.4x4"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(VideoError, match="give width and height in pixels, as in 480x360"):
        parse_size(text)


@pytest.mark.process
def test_a_video_of_a_run(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With nothing in between: an mp4 and a poster in the run folder."""
    try:
        find_gl(os.environ)
    except RenderingUnavailable as error:
        pytest.skip(str(error))
    with pytest.raises(SystemExit) as ended:
        main(["play", str(run), "--size", "64x48", "--seconds", "0.2", "--overlay"])
    assert ended.value.code == 0
    assert re.search(r"episode 1: 5 steps, 0\.2 s, not shown to its end; 0\.2 s\n", capsys.readouterr().out)
    assert b"ftyp" in (run / "best" / "rollout.mp4").read_bytes()[:32]
    assert (run / "best" / "rollout.jpg").read_bytes().startswith(b"\xff\xd8")
