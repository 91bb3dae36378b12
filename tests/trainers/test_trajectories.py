"""Trajectories of an environment under policies of different skill, made once and kept."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import torch

from eureka.core.errors import TaskError
from eureka.reward.analysis.trajectory import LONGEST, Trajectory, transitions
from eureka.trainers import trajectories as module
from eureka.trainers.population.trainer import PopulationTrainer
from eureka.trainers.trajectories import (
    EPISODES,
    KINDS,
    Trajectories,
    cached_trajectories,
    make_trajectories,
)


@pytest.fixture(scope="module")
def trainer() -> Iterator[PopulationTrainer]:
    with closing(PopulationTrainer("cartpole", workers=1)) as trainer:
        yield trainer


@pytest.fixture(scope="module")
def made(trainer: PopulationTrainer) -> Trajectories:
    return make_trajectories(trainer)


@pytest.mark.process
def test_skill_shows(made: Trajectories) -> None:
    assert [t.kind for t in made] == [kind for kind in KINDS for _ in range(EPISODES)]
    scores = {kind: [t.score for t in made if t.kind == kind] for kind in KINDS}
    # Cartpole's score is the time upright: random actions fall within a second, a trained policy balances to the cut.
    assert max(scores["random"]) < 1.5
    assert min(scores["trained"]) > 4 * max(scores["random"])
    assert max(scores["random"]) < sum(scores["half-trained"]) / EPISODES <= max(scores["trained"])


@pytest.mark.process
def test_each_is_one_episode_with_its_own_score(made: Trajectories, trainer: PopulationTrainer) -> None:
    for trajectory in made:
        angle = trajectory.state["pole_angle"].abs()
        assert trajectory.steps <= LONGEST
        assert trajectory.terminated == bool(angle[-1] > 0.2)
        assert trajectory.terminated or trajectory.steps == LONGEST
        assert bool((angle[:-1] <= 0.2).all())
        # Every step upright counts one control step of 0.04 s.
        assert trajectory.score == pytest.approx(int((angle <= 0.2).sum()) * 0.04, rel=1e-5)
    assert {name: value.shape[1:] for name, value in made[0].state.items()} == {
        f.name: f.shape for f in trainer.spec.fields
    }


@pytest.mark.process
def test_the_cache_gives_what_was_made(
    made: Trajectories, trainer: PopulationTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(module, "make_trajectories", lambda trainer: calls.append("made") or made)
    told: list[str] = []
    first = cached_trajectories(trainer, tmp_path / "new", told.append)
    again = cached_trajectories(trainer, tmp_path / "new", told.append)
    assert calls == ["made"]
    assert len(told) == 1
    assert "trained with the task's own human-written reward for 30,000 control steps" in told[0]
    assert str(tmp_path) in told[0]
    assert [vars(t) | {"state": 0} for t in first] == [vars(t) | {"state": 0} for t in again]
    assert all(torch.equal(a.state[n], b.state[n]) for a, b in zip(first, again, strict=True) for n in a.state)


@pytest.mark.process
def test_a_broken_cache_is_made_anew(
    made: Trajectories, trainer: PopulationTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "make_trajectories", lambda trainer: made)
    cached_trajectories(trainer, tmp_path, lambda text: None)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:1000])
    assert cached_trajectories(trainer, tmp_path, lambda text: None)[0].kind == "random"


@pytest.mark.process
def test_without_a_place_to_keep_them(
    made: Trajectories, trainer: PopulationTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "make_trajectories", lambda trainer: made)
    told: list[str] = []
    assert cached_trajectories(trainer, None, told.append) is made
    assert told[0].endswith("they are not kept")
    (tmp_path / "file").write_text("")
    assert cached_trajectories(trainer, tmp_path / "file", told.append) is made


def test_transitions_reach_the_end_of_every_trajectory() -> None:
    long = Trajectory("random", {"x": torch.arange(100.0)}, 0.0, True)
    short = Trajectory("trained", {"x": torch.arange(3.0) + 200}, 1.0, False)
    found = transitions({"x": torch.tensor([-1.0])}, (long, short), num=5)
    assert found["x"].tolist() == [-1.0, 0.0, 25.0, 50.0, 74.0, 99.0, 200.0, 201.0, 202.0]


HUMAN: dict[str, tuple[Callable[[object], object], str]] = {
    "branches": (lambda state: (1.0, {}) if state.pole_angle.any() else (0.0, {}), "cannot become a reward graph"),  # type: ignore[attr-defined]
    "explodes": (
        lambda state: ((0.21 - state.pole_angle.abs()).log(), {"a": state.pole_angle}),  # type: ignore[attr-defined]
        "human_reward` gives values that are not finite",
    ),
}


@pytest.mark.process
@pytest.mark.parametrize("case", HUMAN)
def test_a_human_reward_that_is_no_reward(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function, words = HUMAN[case]
    with closing(PopulationTrainer("cartpole", workers=1)) as trainer:
        monkeypatch.setattr(type(trainer.task), "human_reward", lambda self, state: function(state))
        with pytest.raises(TaskError, match=words):
            make_trajectories(trainer)
