"""Trainings in another interpreter, against stand-ins with the classes of mjlab and Isaac Lab."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from simulator_helpers import SIMULATORS, environment, reward_graph

from eureka.config import HUMAN, EnvConfig, RunConfig, SearchConfig, SimulatorConfig
from eureka.config.schema import TrainConfig
from eureka.core.errors import ConfigError, TrainingError
from eureka.core.training import (
    OwnReward,
    Progress,
    TrainingJob,
    TrainingLength,
    TrainingResult,
    WorkerRestarted,
)
from eureka.core.types import Rejected
from eureka.trainers.remote.asking import describe_interpreter
from eureka.trainers.remote.inside.simulators import SimulatorError, require_motions
from eureka.trainers.remote.table import table_graph
from eureka.trainers.remote.trainer import RemoteTrainer

pytest.importorskip("rsl_rl")
pytestmark = pytest.mark.process

LENGTH = TrainingLength(steps=128, evaluations=2, eval_episodes=3)
"""Four updates of 4 environments x 8 steps."""


def open_trainer(simulator: str, task: str, **changes: Any) -> RemoteTrainer:
    return RemoteTrainer(config_of(simulator, task, **changes), environment())


def config_of(
    simulator: str, task: str, python: str | None = sys.executable, *, device: str | None = None, **changes: Any
) -> RunConfig:
    """Of a run with 4 environments."""
    env, train = EnvConfig(id=f"{simulator}:{task}"), TrainConfig(num_envs=4)
    return RunConfig(env=env, train=train, **{simulator: SimulatorConfig(python, device)}, **changes)


@pytest.fixture(scope="module")
def point() -> Iterator[RemoteTrainer]:
    trainer = open_trainer("mjlab", "Mjlab-Point")
    yield trainer
    trainer.close()


def test_the_task_is_told_without_its_rewards(point: RemoteTrainer) -> None:
    spec = point.spec
    assert (spec.name, spec.control_step_s, spec.episode_steps) == ("Mjlab-Point", 0.05, 20)
    assert [field.name for field in spec.fields][:3] == ["robot_joint_pos", "robot_joint_vel", "action"]
    assert "out_of_rail" in spec.source
    assert not any(word in spec.source for word in ("distance", "effort", "at_rest"))
    assert "joint limits of robot: slide -2 to 2" in spec.physical_facts
    assert "so it is return; metric= names another: metrics.at_rest" in point.description
    assert "4 environments" in point.description
    assert "the CPU" in point.description
    assert point.discount == 0.97


def test_transitions_hold_the_state_the_metric_and_ends(point: RemoteTrainer) -> None:
    recording = point.record(64, 3)
    again = point.record(64, 3)
    assert all(torch.equal(value, again.state[name]) for name, value in recording.state.items())
    # The return's value of a step is the table's: 2 exp(-1.5 |x|) - 0.01 a^2, times 0.05 s.
    place, push = recording.state["robot_joint_pos"][:, 0], recording.state["action"][:, 0]
    wanted = 0.05 * (2.0 * torch.exp(-1.5 * place.abs()) - 0.01 * push**2)
    assert torch.allclose(recording.metric, wanted, atol=1e-5)
    assert torch.equal(recording.terminated, recording.state["terminated"])
    assert bool((place.abs() > 0.6).eq(recording.terminated).all())


def test_the_own_table_trains_term_by_term_and_its_sum_is_theirs(point: RemoteTrainer, tmp_path: Path) -> None:
    *progress, result = point.train([TrainingJob("human", OwnReward.OWN, 0, LENGTH)], tmp_path)
    assert [event.steps for event in progress if isinstance(event, Progress)] == [32, 64, 96, 128]
    assert isinstance(result, TrainingResult)
    assert (result.checkpoint_steps, len(result.final_scores)) == ((64, 128), 3)
    assert list(result.components) == ["distance", "effort", "off"]
    sums = [sum(values) for values in zip(*result.components.values(), strict=True)]
    assert sums == pytest.approx(result.total, abs=1e-5)
    assert result.statistics["off"].maximum == 0.0
    # At most 2 a step of 0.05 s for 20 steps.
    assert all(0.0 < score <= 2.0 for score in result.final_scores)
    assert result.policy_format == "rsl_rl"
    assert set(torch.load(__import__("io").BytesIO(result.policy), weights_only=True)) == {
        "actor_state_dict",
        "critic_state_dict",
    }


@pytest.mark.parametrize(
    ("simulator", "task", "weights"),
    [
        ("mjlab", "Mjlab-Novelty", {"distance": 2.0, "effort": -0.01, "novelty": 0.5}),
        ("isaaclab", "Isaac-Point-v0", {"distance": 2.0, "effort": -0.01}),
    ],
)
def test_the_table_term_by_term_is_the_table(
    simulator: str, task: str, weights: dict[str, float], tmp_path: Path
) -> None:
    """As a graph over the values of its terms, among them one that keeps something from step to step."""
    trainer = open_trainer(simulator, task, search=SearchConfig(init=HUMAN))
    try:
        # What has no weight is never computed, and is no field.
        assert [field.name for field in trainer.spec.fields][-len(weights) :] == [f"term_{name}" for name in weights]
        assert (
            "distance: weight 2, term_distance in the State\n    scale: 1.5\n    def distance(" in trainer.spec.source
        )
        recorded = trainer.record(64, 3)
        if simulator == "mjlab":
            total = sum(weight * recorded.state[f"term_{name}"] for name, weight in weights.items())
            assert torch.allclose(recorded.metric, 0.05 * torch.as_tensor(total), atol=1e-5)
        graph = trainer.human_graph()
        jobs = [TrainingJob("g01-c00", reward, 0, LENGTH) for reward in (OwnReward.OWN, graph)]
        own, start = [event for event in trainer.train(jobs, tmp_path) if isinstance(event, TrainingResult)]
        assert list(start.components) == list(weights)
        for name in weights:
            assert start.components[name] == pytest.approx(own.components[name], abs=1e-5)
        assert start.total == pytest.approx(own.total, abs=1e-5)
        assert start.final_scores == pytest.approx(own.final_scores, abs=1e-5)
    finally:
        trainer.close()


def test_a_table_that_is_no_function_of_the_state(tmp_path: Path) -> None:
    state = tmp_path / "state.py"
    state.write_text("FIELDS = {'term_effort': None}\ndef state(env): return {}\n")
    trainer = open_trainer("mjlab", "Mjlab-Point", search=SearchConfig(init=HUMAN), state=str(state))
    try:
        with pytest.raises(ConfigError, match=r"the term effort of Mjlab-Point cannot be read: state= takes term_eff"):
            trainer.human_graph()
    finally:
        trainer.close()
    with pytest.raises(ConfigError, match="the reward table of Mjlab-Point has no term with a weight"):
        table_graph("Mjlab-Point", [], ())


def test_a_graph_trains_and_goes_on_where_it_was_stopped(point: RemoteTrainer, tmp_path: Path) -> None:
    half = TrainingLength(steps=128, evaluations=2, eval_episodes=3, stop_after=1)
    (job,), (whole,) = ([TrainingJob("g01-c02", reward_graph(6), 1, length)] for length in (half, LENGTH))
    *_, first = point.train([job], tmp_path)
    assert isinstance(first, TrainingResult)
    assert first.steps == (32, 64)
    *progress, second = point.train([whole], tmp_path)
    assert [event.steps for event in progress if isinstance(event, Progress)] == [96, 128]
    assert isinstance(second, TrainingResult)
    assert second.steps == (32, 64, 96, 128)
    assert second.checkpoint_scores[0] == first.checkpoint_scores[0]
    # The total is twice the sum of the components: what is missing is in no component, and in the total.
    twice = [2 * sum(values) for values in zip(*second.components.values(), strict=True)]
    assert twice == pytest.approx(second.total, abs=1e-5)
    # Asked again, it is there already.
    (again,) = point.train([whole], tmp_path)
    assert isinstance(again, TrainingResult)
    assert again.final_scores == second.final_scores
    point.forget(tmp_path)
    assert not list(tmp_path.glob("trained/*"))


def weights_of(policy: bytes) -> torch.Tensor:
    """All numbers of the actor."""
    state = torch.load(io.BytesIO(policy), weights_only=True)["actor_state_dict"]
    return torch.cat([value.flatten() for value in state.values()])


def test_a_training_starts_from_a_policy(point: RemoteTrainer, tmp_path: Path) -> None:
    job = TrainingJob("g01-c02", reward_graph(), 0, LENGTH)
    *_, first = point.train([job], tmp_path)
    assert isinstance(first, TrainingResult)
    policy = point.read_policy(first.policy)
    assert (policy.format, policy.data) == ("rsl_rl", first.policy)
    *_, second = point.train([replace(job, candidate_id="g02-c01", start=policy)], tmp_path)
    *_, other = point.train([replace(job, seed=5)], tmp_path)
    assert isinstance(second, TrainingResult)
    assert isinstance(other, TrainingResult)
    # Four updates from where the first ended: nearer to it than policies from scratch are to each other.
    moved, elsewhere = ((weights_of(r.policy) - weights_of(first.policy)).norm() for r in (second, other))
    assert 0.0 < moved < 0.5 * elsewhere


def test_what_is_no_policy_of_the_task(point: RemoteTrainer) -> None:
    other = io.BytesIO()
    torch.save({"actor_state_dict": {"mlp.0.weight": torch.zeros(99, 2)}}, other)
    for data in (b"", b"no policy", b"PK", other.getvalue()):
        with pytest.raises(TrainingError, match="it is no policy"):
            point.read_policy(data)


def test_what_is_not_finite_is_counted_and_told(point: RemoteTrainer, tmp_path: Path) -> None:
    graph = reward_graph(5, place={"node": 1}, broken={"node": 7})
    (_, rejected) = point.train([TrainingJob("g01-c03", graph, 0, LENGTH)], tmp_path)
    assert isinstance(rejected, Rejected)
    assert "after 0 steps the reward became NaN or infinite on states met in training" in rejected.reason
    assert "(`broken` on 32 of 32 rows)" in rejected.feedback


def test_a_process_that_dies_goes_on_once_and_nobody_is_blamed(tmp_path: Path) -> None:
    trainer = open_trainer("mjlab", "Mjlab-Dying")
    try:
        events = list(trainer.train([TrainingJob("g01-c02", reward_graph(), 0, LENGTH)], tmp_path))
        kinds = [type(event).__name__ for event in events if not isinstance(event, Progress)]
        assert kinds == ["WorkerRestarted", "TrainingResult"]
        restarted = next(event for event in events if isinstance(event, WorkerRestarted))
        assert "the simulator ended by itself" in restarted.reason
        # The last evaluation before was after the second update: two are left.
        assert [event.steps for event in events if isinstance(event, Progress)][-2:] == [96, 128]
    finally:
        trainer.close()


def test_a_velocity_command_is_tracked_by_default_and_curricula_start_anew(tmp_path: Path) -> None:
    trainer = open_trainer("mjlab", "Mjlab-Velocity")
    try:
        assert trainer.spec.metric is not None
        assert "within 0.25 m/s" in trainer.spec.metric.description
        assert (trainer.spec.metric.lowest, trainer.spec.metric.highest) == (0.0, 1.0)
        assert trainer.spec.sentence.startswith("Follow the commanded velocity")
        jobs = [TrainingJob("g01-c02", reward_graph(), seed, LENGTH) for seed in (0, 1)]
        results = [event for event in trainer.train(jobs, tmp_path) if isinstance(event, TrainingResult)]
        assert [result.seed for result in results] == [0, 1]
        assert all(0.0 <= score <= 1.0 for result in results for score in result.final_scores)
    finally:
        trainer.close()


@pytest.mark.parametrize("metric", ["metrics.at_rest", "termination.out_of_rail", "reward.distance"])
def test_a_metric_that_is_named(metric: str, tmp_path: Path) -> None:
    trainer = open_trainer("mjlab", "Mjlab-Point", metric=metric)
    try:
        assert "nobody named a metric" not in trainer.description
        *_, result = trainer.train([TrainingJob("g01-c02", reward_graph(), 0, LENGTH)], tmp_path)
        assert isinstance(result, TrainingResult)
        highest = 2.0 if metric == "reward.distance" else 1.0
        assert all(0.0 <= score <= highest for score in result.final_scores)
        if metric.startswith("termination"):
            assert set(result.final_scores) <= {0.0, 1.0}
    finally:
        trainer.close()


def test_isaac_lab_by_the_same_words(tmp_path: Path) -> None:
    trainer = open_trainer("isaaclab", "Isaac-Point-v0")
    try:
        assert "isaaclab 3.0.0" in trainer.description
        assert trainer.record(32, 0).state["robot_joint_pos"].shape == (32, 1)
        jobs = [TrainingJob("g01-c02", reward, 0, LENGTH) for reward in (reward_graph(), OwnReward.OWN)]
        results = [event for event in trainer.train(jobs, tmp_path) if isinstance(event, TrainingResult)]
        assert [list(result.components) for result in results] == [["place", "speed"], ["distance", "effort", "off"]]
    finally:
        trainer.close()


@pytest.mark.parametrize(
    ("simulator", "task", "sentence"),
    [
        ("mjlab", "Mjlab-Pint", "env=mjlab:Mjlab-Pint: mjlab has no task Mjlab-Pint; did you mean Mjlab-Point"),
        ("mjlab", "Mjlab-Fetched", "env=mjlab:Mjlab-Fetched: the task wants files from the network"),
        ("mjlab", "Mjlab-Device", "env=mjlab:Mjlab-Device: the task wants a GPU, and torch sees none in that interp"),
        ("isaaclab", "Isaac-Point-v1", "Isaac Lab has no task Isaac-Point-v1; did you mean Isaac-Point-v0"),
        ("isaaclab", "Isaac-Point-Direct-v0", "is of the direct workflow, which has no reward manager"),
    ],
)
def test_a_task_that_cannot_be_opened_is_one_sentence(simulator: str, task: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        open_trainer(simulator, task)


def test_a_metric_that_there_is_not() -> None:
    with pytest.raises(
        ConfigError, match=r"metric=speed: there is no such metric in this task; there are metrics.at_rest"
    ):
        open_trainer("mjlab", "Mjlab-Point", metric="speed")


def test_a_version_that_was_not_tried_is_a_warning_and_is_told_where_it_fails(tmp_path: Path) -> None:
    about = tmp_path / "mjlab-1.7.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mjlab\nVersion: 1.7.0\n")
    newer = environment(PYTHONPATH=f"{tmp_path}{os.pathsep}{SIMULATORS}")
    trainer = RemoteTrainer(config_of("mjlab", "Mjlab-Point", sys.executable), newer)
    trainer.close()
    assert "; warning: mjlab 1.7.0 was not tried (1.6.0 was); " in trainer.description
    with pytest.raises(ConfigError, match=r"wants files .*; mjlab 1\.7\.0 was not tried \(1\.6\.0 was\)$"):
        RemoteTrainer(config_of("mjlab", "Mjlab-Fetched", sys.executable), newer)
    assert "mjlab 1.7.0, which was not tried (1.6.0 was)" in describe_interpreter("mjlab.python", sys.executable, newer)


def test_interpreters_that_cannot_serve(tmp_path: Path) -> None:
    script = tmp_path / "python"
    cases = {
        str(tmp_path / "none"): "is no program",
        str(tmp_path): "is a folder: name the program in it",
    }
    for python, sentence in cases.items():
        with pytest.raises(ConfigError, match=rf"mjlab.python={python}: .*{sentence}"):
            RemoteTrainer(config_of("mjlab", "Mjlab-Point", python), environment())
    script.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'torch'\" >&2\nexit 1\n")
    script.chmod(0o755)
    with pytest.raises(ConfigError, match="it has no torch, which the simulator needs too"):
        RemoteTrainer(config_of("mjlab", "Mjlab-Point", str(script)), environment())
    with pytest.raises(ConfigError, match=r"add mjlab.python=PATH, the Python of the environment that has mjlab 1.6.0"):
        RemoteTrainer(config_of("mjlab", "Mjlab-Point", None), environment())
    without = environment(PYTHONPATH="")
    with pytest.raises(ConfigError, match=r"this Python has no mjlab: .* -m pip install 'mjlab==1.6.0'"):
        RemoteTrainer(config_of("mjlab", "Mjlab-Point", sys.executable), without)
    with pytest.raises(ConfigError, match=r"mjlab\.device=cuda:0: the torch of .* sees no GPU: leave it out"):
        RemoteTrainer(config_of("mjlab", "Mjlab-Point", sys.executable, device="cuda:0"), environment())
    with pytest.raises(ConfigError, match=r"state=nowhere\.py: there is no such file"):
        RemoteTrainer(config_of("mjlab", "Mjlab-Point", sys.executable, state="nowhere.py"), environment())


def test_a_tracking_task_without_its_motion_is_told_so(tmp_path: Path) -> None:
    require_motions("Mjlab-Velocity", {"twist": SimpleNamespace()})
    with pytest.raises(
        SimulatorError, match="Mjlab-Tracking tracks a motion, and its configuration names no motion file"
    ):
        require_motions("Mjlab-Tracking", {"motion": SimpleNamespace(motion_file="")})
    with pytest.raises(SimulatorError, match=r"walk.npz is not there: .*cfg.commands\['motion'\].motion_file set"):
        require_motions("Mjlab-Tracking", {"motion": SimpleNamespace(motion_file=str(tmp_path / "walk.npz"))})
    (tmp_path / "walk.npz").touch()
    require_motions("Mjlab-Tracking", {"motion": SimpleNamespace(motion_file=str(tmp_path / "walk.npz"))})
