"""A Gymnasium environment as State and transitions, and one training with a graph in place of its reward."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from eureka.core.errors import ConfigError
from eureka.core.training import OwnReward, Progress, TrainingJob, TrainingLength, TrainingResult
from eureka.core.types import Rejected

pytest.importorskip("stable_baselines3")

from eureka.trainers.gymnasium import trainer as module
from eureka.trainers.gymnasium.environment import make_environment, read_state, state_fields, without_reward
from eureka.trainers.gymnasium.settings import PPOSettings, TrainingOrder
from eureka.trainers.gymnasium.trainer import GymnasiumTrainer
from eureka.trainers.gymnasium.training import train

SMALL = PPOSettings(num_envs=2, n_steps=32, batch_size=32, n_epochs=1)


def graph(operation: str, *arguments: object) -> str:
    """A reward that is one operation."""
    return json.dumps(
        {
            "version": 1,
            "inputs": ["obs_2"],
            "constants": {},
            "nodes": [{"op": operation, "args": list(arguments)}],
            "total": {"node": 0},
            "components": [{"name": "angle", "value": {"node": 0}}],
        }
    )


DOUBLED = graph("mul.Tensor", {"input": "obs_2"}, -2.0)
INFINITE = graph("div.Tensor", {"input": "obs_2"}, 0.0)


def order(text: str, seed: int = 0, **changes: object) -> TrainingOrder:
    defaults = {"steps": 256, "evaluations": 2, "eval_episodes": 3, "settings": SMALL}
    return TrainingOrder("CartPole-v1", "g01-c01", text, seed, **{**defaults, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def trainer() -> GymnasiumTrainer:
    return GymnasiumTrainer("CartPole-v1", "balance the pole")


def test_the_state_is_every_number_of_the_observation_and_the_action(trainer: GymnasiumTrainer) -> None:
    spec = trainer.spec
    assert [(f.name, f.shape, f.dtype) for f in spec.fields] == [
        *((f"obs_{i}", (), "float32") for i in range(4)),
        ("action", (), "int64"),
    ]
    # CartPole's own limit, and 50 frames a second.
    assert (spec.episode_steps, spec.control_step_s) == (500, 0.02)
    assert "Pole Angular Velocity" in spec.source
    assert "## Episode End" in spec.source
    pendulum = state_fields(make_environment("Pendulum-v1"))
    assert (pendulum[-1].shape, pendulum[-1].dtype) == ((1,), "float32")
    assert pendulum[-1].description == "the action, each number between -2 and 2"
    assert [f.name for f in state_fields(make_environment("FrozenLake-v1"))] == ["obs", "action"]


def test_the_environments_own_reward_is_not_shown(trainer: GymnasiumTrainer) -> None:
    assert "reward" not in trainer.spec.source.lower()
    page = "Top.\n## Rewards\nIt is +1.\n### More\nmore\n## Starting State\nnear zero\n## Version History\n* v1"
    assert without_reward(page) == "Top.\n## Starting State\nnear zero"


def test_rows_are_environments() -> None:
    state = read_state(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0, 1]), is_discrete=False)
    assert state["obs_1"].tolist() == [2.0, 4.0]
    assert state["action"].tolist() == [0, 1]
    assert state["action"].dtype == torch.int64


@pytest.mark.parametrize(
    ("identity", "sentence"),
    [
        ("CartPol-v1", r"env=CartPol-v1: Gymnasium has no environment of this name; did you mean CartPole-v1"),
        ("Blackjack-v1", r"env=Blackjack-v1: observations must be Box or Discrete and no images, .* Tuple"),
    ],
)
def test_what_cannot_be_trained_in_is_one_sentence(identity: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        GymnasiumTrainer(identity, "do it")


def test_a_missing_package_is_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'eureka-rewards\[sb3\]'"):
        GymnasiumTrainer("CartPole-v1", "balance the pole")


def test_transitions_are_the_same_for_the_same_seed(trainer: GymnasiumTrainer) -> None:
    first, again, other = trainer.record(128, 3), trainer.record(128, 3), trainer.record(128, 4)
    assert all(torch.equal(value, again.state[name]) for name, value in first.state.items())
    assert not torch.equal(first.state["obs_0"], other.state["obs_0"])
    # Random actions let every episode end: a quarter of 128 rows.
    assert (len(first.metric), int(first.terminated.sum())) == (128, 32)


@pytest.mark.process
def test_a_training_gives_curves_statistics_and_scores() -> None:
    *progress, result = train(order(DOUBLED))
    assert [type(event) for event in progress] == [Progress] * 4  # 256 steps in rollouts of 2 x 32
    assert isinstance(result, TrainingResult)
    assert (result.steps, result.checkpoint_steps) == ((64, 128, 192, 256), (128, 256))
    assert len(result.final_scores) == 3
    # The environment gives 1 a step, whatever the reward: its return is an episode's length.
    assert all(score == int(score) > 0 for score in result.final_scores)
    assert result.components["angle"] == result.total
    # The pole's angle is in radians and within the limit of 0.2095, of which the graph makes twice as much.
    assert result.statistics["angle"].maximum <= 2 * 0.5
    assert result.statistics["angle"].minimum >= -2 * 0.5


@pytest.mark.process
def test_the_same_order_gives_the_same_scores_here_and_another_seed_others() -> None:
    def scores(seed: int) -> tuple[float, ...]:
        *_, result = train(order(DOUBLED, seed))
        assert isinstance(result, TrainingResult)
        return result.checkpoint_scores

    assert scores(0) == scores(0)
    assert scores(0) != scores(1)


@pytest.mark.process
def test_a_reward_that_is_not_finite_ends_its_training() -> None:
    (rejected,) = train(order(INFINITE))
    assert isinstance(rejected, Rejected)
    assert rejected.reason == "after 0 steps component `angle` became NaN or infinite on states met in training"


@pytest.mark.process
def test_jobs_of_all_kinds_through_the_process(trainer: GymnasiumTrainer, tmp_path: Path) -> None:
    length = TrainingLength(steps=128, evaluations=1, eval_episodes=1)
    options = {"num_envs": 2, "n_steps": 32}
    jobs = [
        TrainingJob("g01-c01", INFINITE, 0, length, options=options),
        TrainingJob("human", OwnReward.OWN, 0, length, options=options),
    ]
    try:
        events = list(trainer.train(jobs, tmp_path))
    finally:
        trainer.close()
    assert [type(event) for event in events] == [Rejected, Progress, Progress, TrainingResult]
    own = events[-1]
    assert isinstance(own, TrainingResult)
    # The own reward is 1 a step, and has no parts.
    assert (own.total, own.components, own.trained_steps) == ((1.0, 1.0), {}, 128)
    with pytest.raises(ConfigError, match="`horizon` is no option of PPO here"):
        next(trainer.train([TrainingJob("g01-c01", DOUBLED, 0, length, options={"horizon": 1})], tmp_path))
