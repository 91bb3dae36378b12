"""How many seeds suit the time that answers take."""

from dataclasses import replace

import pytest
from fake_trainer import FakeTrainer

from eureka.app.configs import compose_config
from eureka.app.estimate import MAX_TRAINING_SEEDS, training_seeds
from eureka.core.training import TrainingLength
from eureka.core.types import Message, Prompt, PromptFacts

PROMPT = Prompt((Message("user", "write a reward"),), PromptFacts("t", 0, 1, ()))
LENGTH = TrainingLength(100_000, 4, 8)
ASKED = ["task=cartpole", "llm=openai", "llm.model=some-model", "search.generations=1", "search.samples=4"]


def seeds(speed: float, *changes: str) -> int:
    return training_seeds(compose_config([*ASKED, *changes]), FakeTrainer(speed=speed), LENGTH, PROMPT)


def test_answers_of_minutes_leave_time_for_seeds() -> None:
    # 4 x 100,000 steps take 400,000 s, 4,000 s and 4 s; the answers about a minute or two.
    assert seeds(1.0) == 1
    assert seeds(100.0) == 1
    assert seeds(100_000.0) == MAX_TRAINING_SEEDS


def test_what_is_given_stays_and_who_answers_at_once_gets_one() -> None:
    assert seeds(100_000.0, "train.seeds=2") == 2
    config = compose_config(["task=cartpole", "llm=program_search"])
    assert training_seeds(config, FakeTrainer(speed=1e9), LENGTH, PROMPT) == 1
    assert (
        training_seeds(replace(config, train=replace(config.train, seeds=4)), FakeTrainer(speed=1.0), LENGTH, PROMPT)
        == 4
    )


@pytest.mark.parametrize("speed", [1.0, 5_000.0, 1e6])
def test_never_more_than_three(speed: float) -> None:
    assert 1 <= seeds(speed) <= MAX_TRAINING_SEEDS
