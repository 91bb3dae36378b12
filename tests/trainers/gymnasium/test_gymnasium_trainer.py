"""Trainings with a graph in place of an environment's reward, and how they stop and are carried on."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from gym_environments import HERE

from eureka.app.configs import compose_config
from eureka.core.errors import ConfigError, TrainingError
from eureka.core.pictures import Look
from eureka.core.training import OwnReward, Progress, TrainingJob, TrainingLength, TrainingResult
from eureka.core.types import Rejected

pytest.importorskip("stable_baselines3")

from eureka.trainers.gymnasium import trainer as module
from eureka.trainers.gymnasium.algorithms import make_algorithm, set_training_state, training_state
from eureka.trainers.gymnasium.environment import EnvironmentMaker
from eureka.trainers.gymnasium.hyperparameters import make_settings
from eureka.trainers.gymnasium.leftovers import folder_of_leftovers
from eureka.trainers.gymnasium.playing import load_policy
from eureka.trainers.gymnasium.recipe import EnvironmentRecipe
from eureka.trainers.gymnasium.settings import AlgorithmSettings, TrainingOrder
from eureka.trainers.gymnasium.trainer import GymnasiumTrainer
from eureka.trainers.gymnasium.training import train

SUPPORT = Path(__file__).parents[2] / "support"
POLE = EnvironmentRecipe("CartPole-v1")
WALK = EnvironmentRecipe(f"{HERE}:Walk", metric="any:info.is_success", folder=str(SUPPORT))
PPO = AlgorithmSettings("ppo", 2, json.dumps({"n_steps": 32, "batch_size": 32, "n_epochs": 1}))


def graph(operation: str, name: str, *arguments: object) -> str:
    """A reward that is one operation on a State field."""
    return json.dumps(
        {
            "version": 1,
            "inputs": [name],
            "constants": {},
            "nodes": [{"op": operation, "args": [{"input": name}, *arguments]}],
            "total": {"node": 0},
            "components": [{"name": "angle", "value": {"node": 0}}],
        }
    )


DOUBLED = graph("mul.Tensor", "pole_angle", -2.0)
INFINITE = graph("div.Tensor", "pole_angle", 0.0)
FORWARD = graph("mul.Tensor", "speed", 1.0)


def order(text: str, seed: int = 0, **changes: object) -> TrainingOrder:
    defaults = {"environment": POLE, "steps": 256, "evaluations": 2, "eval_episodes": 3, "settings": PPO}
    return TrainingOrder(candidate_id="g01-c01", graph=text, seed=seed, **{**defaults, **changes})  # type: ignore[arg-type]


def trained(given: TrainingOrder) -> TrainingResult:
    events: list[object] = []
    train(given, events.append)
    assert isinstance(events[-1], TrainingResult)
    return events[-1]


def trainer_of(*overrides: str) -> GymnasiumTrainer:
    return GymnasiumTrainer(compose_config([*overrides, "description=do it"]), {"PYTHONPATH": str(SUPPORT)})


@pytest.mark.process
def test_a_training_gives_curves_statistics_and_scores() -> None:
    events: list[object] = []
    train(order(DOUBLED), events.append)
    *progress, result = events
    assert [type(event) for event in progress] == [Progress] * 4  # 256 steps in rollouts of 2 x 32
    assert isinstance(result, TrainingResult)
    assert (result.steps, result.checkpoint_steps) == ((64, 128, 192, 256), (128, 256))
    assert len(result.final_scores) == 3
    # The environment gives 1 a step, whatever the reward: its return is an episode's length.
    assert all(score == int(score) > 0 for score in result.final_scores)
    assert result.components["angle"] == result.total
    # The pole's angle is in radians and within the limit of 0.2095, of which the graph makes twice as much.
    assert result.statistics["angle"].maximum <= 2 * 0.5
    assert result.policy_format == "sb3-ppo"


@pytest.mark.process
def test_the_same_order_gives_the_same_scores_here_and_another_seed_others() -> None:
    first, again, other = (trained(order(DOUBLED, seed)).checkpoint_scores for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.process
@pytest.mark.parametrize("algorithm", ["ppo", "sac", "td3", "dqn"])
def test_what_stopped_goes_on_where_it_was(algorithm: str, tmp_path: Path) -> None:
    settings, environment, text = PPO, WALK, FORWARD
    if algorithm in ("sac", "td3"):
        small = {"buffer_size": 500, "learning_starts": 20, "batch_size": 16, "policy_kwargs": {"net_arch": [8]}}
        settings = AlgorithmSettings(algorithm, 1, json.dumps(small))
    elif algorithm == "dqn":
        small = {"buffer_size": 500, "learning_starts": 20, "batch_size": 16, "policy_kwargs": {"net_arch": [8]}}
        settings, environment, text = AlgorithmSettings("dqn", 2, json.dumps(small)), POLE, DOUBLED
    whole = order(text, settings=settings, environment=environment, steps=128, checkpoint=str(tmp_path / "sb3_a.pt"))
    first = trained(replace(whole, stop_after=1))
    assert first.checkpoint_steps == (64,)
    before = torch.load(tmp_path / "sb3_a.pt", weights_only=True)["training"]
    if algorithm != "ppo":
        assert len(before["buffer"]["rewards"]) * settings.num_envs == 64
    events: list[object] = []
    train(whole, events.append)
    second = events[-1]
    assert isinstance(second, TrainingResult)
    # The first half is not trained again, and its curve is part of the whole.
    assert next(event.steps for event in events[:-1] if isinstance(event, Progress)) > 64
    assert second.checkpoint_scores[0] == first.checkpoint_scores[0]
    assert second.steps[: len(first.steps)] == first.steps
    assert second.metric[: len(first.metric)] == first.metric
    # Another reward does not go on from it.
    other = trained(replace(whole, graph="own", stop_after=1))
    assert other.components == {}


@pytest.mark.process
def test_everything_that_learning_needs_is_put_back() -> None:
    from stable_baselines3.common.vec_env import DummyVecEnv

    settings = AlgorithmSettings("sac", 1, json.dumps({"buffer_size": 100, "learning_starts": 10, "batch_size": 8}))
    env = DummyVecEnv([EnvironmentMaker(EnvironmentRecipe("Pendulum-v1")).make])
    first, second = (make_algorithm(settings, env, seed, 100) for seed in (0, 1))
    first.learn(30)
    state = training_state(first)
    set_training_state(second, state)
    again = training_state(second)
    assert again["num_timesteps"] == 30
    assert again["buffer_at"] == [30, False]
    assert torch.equal(again["variables"]["log_ent_coef"], state["variables"]["log_ent_coef"])
    for name, value in state["parameters"]["policy"].items():
        assert torch.equal(value, again["parameters"]["policy"][name])


@pytest.mark.process
def test_a_reward_that_is_not_finite_ends_its_training() -> None:
    events: list[object] = []
    train(order(INFINITE), events.append)
    (rejected,) = events
    assert isinstance(rejected, Rejected)
    assert rejected.reason == "after 0 steps component `angle` became NaN or infinite on states met in training"


@pytest.mark.process
def test_observations_are_normalised_as_a_file_says_and_policies_carry_it() -> None:
    settings = replace(PPO, normalize='{"norm_reward": false}')
    result = trained(order(FORWARD, environment=WALK, settings=settings, steps=64))
    trainer = trainer_of(f"env={HERE}:Walk", "metric=any:info.is_success")
    frames = list(trainer.render(result.policy, Look(fps=5, overlay=True), FORWARD))
    # Ten steps of a tenth of a second, of which every second is shown.
    assert [frame.step for frame in frames] == [0, 2, 4, 6, 8, 10]
    assert (frames[-1].ended, frames[0].picture.shape) == ("time limit", (40, 60, 3))
    assert frames[-1].metric in (0.0, 1.0)
    assert frames[-1].lines[0].startswith("reward ")
    with pytest.raises(TrainingError, match="this is no policy that Stable-Baselines3 trained"):
        list(trainer.render(b"PK", Look()))


def test_ppo_sees_normalised_numbers_unless_a_file_says_otherwise() -> None:
    assert make_settings("ppo", {}, None).normalize == "{}"
    assert make_settings("ppo", {"gamma": 0.9}, None).normalize == ""
    assert make_settings("sac", {}, None).normalize == ""


def test_choices_are_not_normalised() -> None:
    """FrozenLake's observation is one of sixteen."""
    settings = replace(PPO, normalize="{}")
    recipe = EnvironmentRecipe("FrozenLake-v1")
    result = trained(order(OwnReward.OWN.value, environment=recipe, settings=settings, steps=64))
    assert load_policy(result.policy, EnvironmentMaker(recipe))(np.zeros((3,), int)).shape == (3,)


@pytest.mark.process
def test_jobs_of_all_kinds_through_processes(tmp_path: Path) -> None:
    trainer = trainer_of(f"env={HERE}:Walk", "metric=any:info.is_success", "train.workers=2")
    assert trainer.can.continues
    assert trainer.can.renders
    assert trainer.baselines() == {OwnReward.OWN: OwnReward.OWN, OwnReward.METRIC: OwnReward.METRIC}
    options = {"n_envs": 2, "n_steps": 32}
    length = TrainingLength(steps=128, evaluations=1, eval_episodes=1)
    rewards = {"g01-c01": graph("div.Tensor", "speed", 0.0), "human": OwnReward.OWN, "metric": OwnReward.METRIC}
    jobs = [TrainingJob(name, reward, 0, length, options=options) for name, reward in rewards.items()]
    try:
        events = list(trainer.train(jobs, tmp_path))
        assert {type(event) for event in events} == {Rejected, Progress, TrainingResult}
        results = {event.candidate_id: event for event in events if isinstance(event, TrainingResult)}
        assert results.keys() == {"human", "metric"}
        assert all(value < 0 for value in results["human"].total)  # minus the distance
        assert all(0 <= value <= 1 for value in results["metric"].total)  # whether it is there
        assert list(tmp_path.glob("sb3_*.pt"))
        trainer.forget(tmp_path)
        assert not list(tmp_path.glob("sb3_*"))
        with pytest.raises(ConfigError, match="options of g01-c01: PPO has no `horizon`"):
            next(trainer.train([replace(jobs[0], options={"horizon": 1})], tmp_path))
    finally:
        trainer.close()


@pytest.mark.process
def test_trainings_leave_no_files_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither Stable-Baselines3's logger nor an environment; all that is left goes with this process's own folder."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    folder_of_leftovers.cache_clear()
    try:
        trained(order(DOUBLED, steps=64))
        assert list(temporary.iterdir()) == [Path(folder_of_leftovers())]
        assert list(temporary.rglob("*")) == [Path(folder_of_leftovers())]
        trainer = trainer_of(f"env={HERE}:LeavesFiles")
        here = len(list(temporary.rglob("maze*")))
        job = TrainingJob("human", OwnReward.OWN, 0, TrainingLength(64, 1, 1), options={"n_envs": 2, "n_steps": 32})
        assert isinstance(list(trainer.train([job], tmp_path / "run"))[-1], TrainingResult)
        trainer.close()
        assert len(list(temporary.rglob("maze*"))) > here > 0
        assert list(temporary.iterdir()) == [Path(folder_of_leftovers())]
    finally:
        folder_of_leftovers.cache_clear()


@pytest.mark.process
def test_leftovers_are_removed_at_the_end() -> None:
    text = "from eureka.trainers.gymnasium.leftovers import folder_of_leftovers; print(folder_of_leftovers())"
    folder = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout.strip()
    assert "eureka-environments-" in folder
    assert not Path(folder).exists()


@pytest.mark.process
def test_a_function_of_the_users_own_trains(tmp_path: Path) -> None:
    own = AlgorithmSettings(f"{HERE}:hop", 1)
    result = trained(order(FORWARD, environment=WALK, settings=own, steps=100))
    # It always goes right, and so comes to the goal.
    assert result.final_scores == (1.0, 1.0, 1.0)
    assert result.total[-1] == 1.0
    assert result.checkpoint_steps == (100,)
    with pytest.raises(TrainingError, match="it took no step in the environment"):
        trained(order(FORWARD, environment=WALK, settings=AlgorithmSettings(f"{HERE}:lazy", 1)))
    trainer = trainer_of(f"env={HERE}:Walk", f"trainer={HERE}:hop")
    assert (trainer.can.continues, trainer.can.renders, trainer.provenance) == (False, False, None)


@pytest.mark.process
def test_the_environments_own_faults_blame_no_reward(tmp_path: Path) -> None:
    trainer = trainer_of(f"env={HERE}:RaisesInStep")
    job = TrainingJob("g01-c01", OwnReward.OWN, 0, TrainingLength(512, 1, 1))
    try:
        with pytest.raises(TrainingError, match="env=gym_environments:RaisesInStep: step raised RuntimeError"):
            list(trainer.train([job], tmp_path))
    finally:
        trainer.close()


ZOO = """
LunarLander-v3:
  n_envs: 16
CartPole-v1:
  n_envs: 4
  n_timesteps: !!float 1e5
  policy: 'MlpPolicy'
  learning_rate: lin_1e-3
  clip_range: 2e-1
  normalize: "{'norm_obs': True, 'norm_reward': False}"
  policy_kwargs: "dict(net_arch=[64, 64], activation_fn=nn.Tanh)"
"""


def test_hyper_parameters_of_the_zoos_form(tmp_path: Path) -> None:
    path = tmp_path / "ppo.yml"
    path.write_text(ZOO)
    trainer = trainer_of("env=CartPole-v1", f"train.hyperparameters={path}")
    assert trainer.settings.num_envs == 4
    values = trainer.settings.values
    assert (values["learning_rate"], values["clip_range"]) == ("lin_1e-3", 0.2)
    assert values["policy_kwargs"] == {"net_arch": [64, 64], "activation_fn": "Tanh"}
    assert json.loads(trainer.settings.normalize) == {"norm_obs": True, "norm_reward": False}
    assert trainer.budgets["quick"] == 100_000
    # Four environments with 64 steps each are a rollout, as nothing else is said.
    assert trainer.evaluated_after(TrainingLength(512, 1, 1)) == (512,)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["env=CartPole-v1", "trainer=sb3.sac"], r"trainer=sb3.sac: .* Discrete\(2\); sb3.ppo or sb3.dqn can"),
        (["env=CartPole-v1", "trainer=sb3.a2c"], r"trainer=sb3.a2c: there is no such trainer; give sb3.ppo, sb3.sac"),
        (["env=CartPole-v1", f"trainer={HERE}:run"], "has no function `run`"),
        (["env=CartPole-v1", "train.hyperparameters=none.yml"], "it cannot be read: No such file"),
    ],
)
def test_trainers_that_cannot_be_had(overrides: list[str], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        trainer_of(*overrides)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("n_step: 5", r"PPO has no `n_step` \(did you mean n_steps\?\)"),
        ("policy: CnnPolicy", "its policy sees pictures"),
        ("frame_stack: 4", "`frame_stack` is not taken here: give env.wrappers=FrameStackObservation"),
        ("LunarLander-v3: {n_steps: 5}", "it has no entry for CartPole-v1, and no `default`"),
        ('policy_kwargs: "__import__(1)"', "policy_kwargs: `__import__.1.` cannot be read"),
        ("[1, 2]", "it holds no mapping"),
        ("a: [", "it is no YAML"),
    ],
)
def test_hyper_parameters_that_cannot_be_taken(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "ppo.yml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=sentence):
        trainer_of("env=CartPole-v1", f"train.hyperparameters={path}")


def test_a_missing_package_is_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install .*(stable-baselines3>=|\[sb3\]')"):
        trainer_of("env=CartPole-v1")


def test_what_the_policy_should_do_must_be_said() -> None:
    with pytest.raises(ConfigError, match=r'add "description=..."; its page says: The goal is to be at 1\.'):
        GymnasiumTrainer(compose_config([f"env={HERE}:Walk"]))


def test_what_is_told_of_an_environment() -> None:
    trainer = trainer_of("env=CartPole-v1")
    assert "reward" not in trainer.spec.source.lower()
    assert "## Episode End" in trainer.spec.source
    assert "The action space is Discrete(2)." in trainer.spec.source
    assert (trainer.spec.episode_steps, trainer.spec.control_step_s) == (500, 0.02)
    judged, returns = trainer.cost([TrainingJob("a", OwnReward.OWN, 0, TrainingLength(512, 1, 1))]).sentences
    assert "its own reward is the human-written one and, as the metric is its sum, the bare metric too" in judged
    assert "random episodes" in returns
