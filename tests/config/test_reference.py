"""The reference of the configuration: complete, true of presets, and the page that is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka.app.cli import main
from eureka.app.configs import choices
from eureka.config.overrides import keys_of
from eureka.config.reference import keys_about, reference
from eureka.config.reference_page import as_markdown
from eureka.config.schema import BUDGETS, RunConfig
from eureka.core.errors import ConfigError

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_every_key_is_there_with_a_meaning() -> None:
    keys = {key.name: key for key in reference(choices())}
    wanted = set(keys_of(RunConfig, "")) | {name for cls in choices().llm.values() for name in keys_of(cls, "llm.")}
    assert set(keys) | {"llm.name"} == wanted | {"llm"}
    assert [name for name, key in keys.items() if len(key.meaning) < 10] == []
    assert keys["search.samples"].presets["budget=paper"] == str(BUDGETS["paper"]["search"]["samples"])
    assert keys["train.halving"].presets == {"preset=eureka2023": "off"}
    assert keys["llm.max_usd"].default == "5.0 (anthropic, openai); null (ollama, local)"
    assert keys["llm.run"].owners == ("replay",)
    assert keys["search.feedback"].kind == "off | ask"


def test_one_key_or_all_below_a_word() -> None:
    assert [key.name for key in keys_about("evaluation", choices())] == [
        "evaluation.seeds",
        "evaluation.steps",
        "evaluation.cache",
    ]
    assert [key.name for key in keys_about("halving", choices())] == ["train.halving"]
    with pytest.raises(ConfigError, match=r"`serch`: there is no such key \(did you mean search or"):
        keys_about("serch", choices())
    with pytest.raises(ConfigError, match=r"`sedd`: there is no such key \(did you mean seed\?\)"):
        keys_about("sedd", choices())


def test_the_page_is_made_of_the_code() -> None:
    assert PAGE.read_text() == as_markdown(reference(choices())), (
        "run `eureka config --markdown > docs/configuration.md`"
    )


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["config", "search.samples"])
    assert caught.value.code == 0
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert first.startswith("search.samples=8  (whole number, at least 1, budget=quick: 8, ")
    assert second == "    Candidates per generation."
