"""`eureka init --llm`: a language model names the State, and what it writes is checked before it ends in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from model_server import Step, serving

from eureka.app.cli import main
from eureka.app.naming import read_names
from eureka.core.errors import ProposerError
from eureka.core.types import FieldSpec
from eureka.trainers.gymnasium.environment import EnvironmentMaker
from eureka.trainers.gymnasium.recipe import EnvironmentRecipe

FIELDS = tuple(FieldSpec(name, (), "float32", "1", "", "") for name in ("obs_0", "obs_1", "action"))
BETTER = {"cart_velocity": ["speed", "m/s", "of the cart, positive to the right"]}


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return int(caught.value.code or 0)


def named(answer: str) -> list[tuple[str, str, str]]:
    return [(field.name, field.unit, field.description) for field in read_names(answer, FIELDS)]


def test_names_are_read_from_an_answer_with_words_around_them() -> None:
    answer = 'Here {is} it:\n```json\n{"obs_1": ["height", "m", "above\\nthe \\u0007pad"], "other": 1}\n```'
    assert named(answer) == [("obs_0", "1", ""), ("height", "m", "above the pad"), ("action", "1", "")]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("I do not know.", "it holds no JSON object with the fields' names"),
        ("{" * 100_000, "it holds no JSON object with the fields' names"),
        ('{"obs_0": "height"}', r"`obs_0` has no \[name, unit, description\]"),
        ('{"obs_0": ["a\\"]; import os", "m", ""]}', "which is no plain name"),
        ('{"obs_0": ["lambda", "m", ""]}', "which is no plain name"),
        ('{"obs_0": ["height", "m", ""], "obs_1": ["height", "m", ""]}', "it calls two fields `height`"),
        ('{"obs_0": ["action", "m", ""]}', "it calls two fields `action`"),
    ],
)
def test_an_answer_that_cannot_be_used_is_one_sentence(answer: str, sentence: str) -> None:
    with pytest.raises(ProposerError, match=f"cannot be used, so nothing was written: .*{sentence}.*leave out --llm"):
        read_names(answer, FIELDS)


@pytest.mark.process
def test_the_file_has_the_models_names_after_a_diff(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with serving(Step(text=json.dumps(BETTER))) as server:
        server_words = ("llm=local", f"llm.base_url={server.url}/v1", "llm.model=small", "llm.max_usd=null")
        assert ended("init", "cart", "--env", "CartPole-v1", "--llm", "--yes", *server_words) == 0
        sent = json.dumps(server.requests)
    said = capsys.readouterr().out
    assert '+            "speed": step.observation[1],' in said
    assert '-            "cart_velocity": step.observation[1],' in said
    assert "wrote cart.py" in said
    # The model reads the page, and nothing of the reward.
    assert "A pole is attached by an un-actuated joint to a cart" in sent
    assert "## Rewards" not in sent
    fields = EnvironmentMaker(EnvironmentRecipe(str(tmp_path / "cart.py"))).reader.fields
    found = {field.name: (field.unit, field.description) for field in fields}
    assert found["speed"] == ("m/s", "of the cart, positive to the right")
    assert "cart_position" in found


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--llm"], "--llm asks at the terminal whether its names are taken: add --yes to take them unasked"),
        (["--llm", "--yes", "llm=program_search"], "--llm needs a language model, and llm=program_search is none"),
        (["--llm", "--yes", "seed=1"], "`seed=1`: with --llm, llm=PROVIDER and llm.KEY=VALUE can be given"),
        (["llm=local"], "`llm=local` says which language model names the State: add --llm"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_asked(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ended("init", "cart", "--env", "CartPole-v1", *words) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())
