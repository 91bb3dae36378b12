"""Composing a run's config: presets, choices, one sentence for everything that is wrong, and Hydra left as it was."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import pytest
from hydra import compose, initialize
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

import eureka.config.compose
from eureka.app.configs import change_resumed, compose_config, from_yaml
from eureka.config import BUDGETS, EvaluationConfig, Parent, RunConfig, SandboxMode, SearchConfig, to_yaml
from eureka.config.compose import default_budget
from eureka.config.settings import stored_settings
from eureka.core.errors import ConfigError, TaskError
from eureka.proposers.anthropic import AnthropicConfig
from eureka.proposers.openai import OpenAIConfig
from eureka.proposers.program_search.proposer import ProgramSearchConfig
from eureka.proposers.provider import Effort
from eureka.proposers.replay import ReplayConfig


def test_defaults_and_overrides() -> None:
    config = compose_config(["task=ant", "budget=quick"])
    assert config == RunConfig(task="ant", llm=ProgramSearchConfig())
    config = compose_config(
        [
            "task=cartpole",
            "seed=7",
            "search.generations=2",
            "search.parent=best_of_generation",
            "train.steps=5000",
            "train.num_envs=null",
            "train.workers=2",
            "llm.use_probe=false",
            "sandbox=unsafe",
        ]
    )
    assert (config.task, config.seed) == ("cartpole", 7)
    assert config.search.generations == 2
    assert config.search.parent is Parent.best_of_generation
    assert (config.train.steps, config.train.num_envs, config.train.workers) == (5000, None, 2)
    assert config.llm == ProgramSearchConfig(use_probe=False)
    assert config.sandbox is SandboxMode.unsafe


def test_the_config_is_frozen() -> None:
    config = compose_config(["task=ant"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.search.samples = 3  # type: ignore[misc]


def test_budgets_preset_and_overrides_win() -> None:
    paper = compose_config(["budget=paper", "task=ant"])
    assert paper.budget == "paper"
    assert paper.search == SearchConfig(generations=5, samples=16)
    assert paper.evaluation == EvaluationConfig(seeds=5)
    assert compose_config(["search.samples=4", "task=ant", "budget=paper"]).search == SearchConfig(5, 4)
    assert compose_config(["task=ant", "budget=standard"]).search == SearchConfig(5, 8)


def test_the_default_budget_follows_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda self: str(self) == "/dev/nvidiactl")
    assert default_budget() == "standard"
    monkeypatch.setattr(Path, "exists", lambda self: False)
    assert default_budget() == "quick"
    monkeypatch.undo()
    monkeypatch.setattr(eureka.config.compose, "default_budget", lambda: "standard")
    assert compose_config(["task=ant"]).search.generations == BUDGETS["standard"]["search"]["generations"]


def test_later_overrides_win_and_groups_switch() -> None:
    assert compose_config(["task=ant", "seed=1", "seed=2"]).seed == 2
    config = compose_config(["task=ant", "llm=replay", "llm.run=a", "llm=replay"])
    assert config.llm == ReplayConfig(run="a")


@pytest.mark.parametrize("text", ["a b", "a,b=c", "x'y", "end\\", "{(1)}", "#1:2"])
def test_texts_are_taken_as_they_are(text: str) -> None:
    assert compose_config(["task=ant", f"output={text}"]).output == text


def test_language_models() -> None:
    given = ["llm.model=m/1", "llm.max_usd=2.5", "llm.max_tokens=1000", "llm.temperature=0.7", "llm.effort=none"]
    config = compose_config(["task=ant", "llm=openai", *given, 'llm.extra_body={"top_k": 4}', "search.hint=수평, 'so'"])
    assert config.llm == OpenAIConfig(
        model="m/1", max_usd=2.5, max_tokens=1000, temperature=0.7, effort=Effort.none, extra_body='{"top_k": 4}'
    )
    assert config.search.hint == "수평, 'so'"
    assert from_yaml(to_yaml(config)) == config
    assert (config.llm.concurrency, config.llm.max_seconds) == (8, None)
    assert compose_config(["task=ant", "llm=anthropic", "llm.max_usd=null"]).llm == AnthropicConfig(max_usd=None)


def test_auto_is_what_the_caller_says() -> None:
    assert compose_config(["task=ant"], proposer="anthropic").llm == AnthropicConfig()
    assert compose_config(["task=ant", "llm=auto", "llm.max_usd=1"], proposer="openai").llm == OpenAIConfig(max_usd=1.0)
    assert compose_config(["task=ant", "llm=program_search"], proposer="openai").llm == ProgramSearchConfig()
    assert compose_config(["task=ant", "llm=auto"]).llm == ProgramSearchConfig()


def test_a_resumed_run_may_change_its_models_keys() -> None:
    config = compose_config(["task=ant", "llm=openai", "llm.max_tokens=10", "seed=3"])
    changed = change_resumed(config, ["llm.max_tokens=20", "llm.fallback=program_search"])
    assert changed == dataclasses.replace(config, llm=OpenAIConfig(max_tokens=20, fallback="program_search"))
    assert change_resumed(config, []) == config
    for wrong in ("seed=4", "llm=anthropic"):
        with pytest.raises(ConfigError, match=r"a resumed run keeps its config; only the llm\.\* keys"):
            change_resumed(config, [wrong])
    with pytest.raises(ConfigError, match="must be at least 0"):
        change_resumed(config, ["llm.max_tokens=-1"])
    with pytest.raises(ConfigError, match="a resumed run keeps its config"):
        change_resumed(compose_config(["task=ant"]), ["llm.use_probe=false"])


def test_null_and_quotes() -> None:
    assert compose_config(["task=ant", "output=null"]).output is None
    assert compose_config(["task=ant", 'output="in quotes"']).output == "in quotes"


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            [],
            "no task given: add task=NAME, or env=ID for a Gymnasium environment; the tasks are acrobot, ",
        ),
        (
            ["task=cartpol"],
            "task=cartpol: there is no such choice (did you mean task=cartpole?); valid ones are acrobot, ",
        ),
        (["task=ant", "llm=openai", "llm.max_usd=much"], "llm.max_usd=much: expected a number or null"),
        (["task=ant", "llm=openai", "llm.max_usd=nan"], "llm.max_usd=nan: must be a number"),
        (["task=ant", "train.target=nan"], "train.target=nan: must be a number"),
        (["task=ant", "train.target=inf"], "train.target=inf: must be a number"),
        (["task=ant", "llm=openai", "llm.timeout_s=0"], "llm.timeout_s=0.0: must be at least 0.1"),
        (
            ["task=ant", "llm=openai", "llm.effort=hi"],
            "llm.effort=hi: there is no such choice (did you mean llm.effort=",
        ),
        (
            ["task=ant", "llm=anthropic", "llm.temperature=1"],
            "`llm.temperature` belongs to llm=openai, llm=ollama, llm=local, and this run has",
        ),
        (
            ["task=ant", "llm.max_usd=1"],
            "`llm.max_usd` belongs to llm=anthropic, llm=openai, llm=ollama, llm=local, and this run has llm=prog",
        ),
        (["task=ant", "llm=replays", "llm.run=x"], "llm=replays: there is no such choice (did you mean llm=replay?)"),
        (["task=ant", "budget=big"], "budget=big: there is no such choice; valid ones are quick, standard, paper"),
        (
            ["task=ant", "generations=3"],
            "no such key (did you mean search.generations?); valid ones are budget, preset, llm",
        ),
        (["task=ant", "search.sample=3"], "`search.sample=3`: there is no such key (did you mean search.samples?)"),
        (["task=ant", "+train.steps=3"], "`+train.steps=3`: there is no such key (did you mean train.steps?)"),
        (["task=ant", "hydra.run.dir=x"], "`hydra.run.dir=x`: there is no such key"),
        (["task=ant", "search=x"], "`search=x`: there is no such key"),
        (["ant"], "`ant` is not of the form key=value; for example task=ant search.samples=4"),
        (["task=ant", "search.samples=many"], "search.samples=many: expected a whole number"),
        (["task=ant", "search.samples=1,2"], "search.samples=1,2: expected a whole number"),
        (["task=ant", "search.samples=[1"], "search.samples=[1: expected a whole number"),
        (["task=ant", "train.steps=1.5"], "train.steps=1.5: expected a whole number or null"),
        (["task=ant", "llm.use_probe=maybe"], "llm.use_probe=maybe: expected true or false"),
        (
            ["task=ant", "sandbox=unsaf"],
            "sandbox=unsaf: there is no such choice (did you mean sandbox=unsafe?); valid ones are enforced, unsafe",
        ),
        (["task=ant", "search.generations=0"], "search.generations=0: must be at least 1"),
        (["task=ant", "train.steps=-5"], "train.steps=-5: must be at least 1"),
        (["task=ant", "seed=-1"], "seed=-1: must be at least 0"),
        (["task=ant", "output="], "output= is empty: give it a value"),
        (["task=ant", "llm=replay"], "llm.run must be given: add llm.run=VALUE"),
        (["task=ant", "llm.run=x"], "`llm.run` belongs to llm=replay, and this run has llm=program_search"),
        (["task=ant", "seed=${nothing}"], "the config cannot be composed: Interpolation key 'nothing' not found"),
    ],
)
def test_one_sentence_for_what_is_wrong(overrides: list[str], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compose_config(overrides)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_hydras_own_message_is_the_cause() -> None:
    with pytest.raises(ConfigError) as caught:
        compose_config(["task=ant", "search.samples=many"])
    assert "could not be converted to Integer" in str(caught.value.__cause__)


def test_tasks_of_the_users_own_folder(tmp_path: Path) -> None:
    (tmp_path / "juggle").mkdir()
    (tmp_path / "juggle" / "task.yaml").touch()
    assert compose_config(["task=juggle"], [tmp_path]).task == "juggle"
    with pytest.raises(ConfigError, match=r"valid ones are acrobot, .*, juggle, "):
        compose_config(["task=jiggle"], [tmp_path])
    with pytest.raises(TaskError, match="no such directory"):
        compose_config(["task=juggle"], [tmp_path / "nowhere"])


# ---- YAML --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "extra", [[], ["llm=replay", "llm.run=/runs/a b", "budget=paper", "output=x", "train.steps=9"]]
)
def test_yaml_round_trip(extra: list[str]) -> None:
    config = compose_config(["task=ant", *extra])
    assert from_yaml(to_yaml(config)) == config


@pytest.mark.parametrize(
    "text",
    ["task: [", "- 1", "llm: {name: oracle}", "llm: {name: replay, run: x}\nfoo: 1", "llm: {name: replay}\nseed: a"],
)
def test_yaml_of_another_version_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="the stored config cannot be read"):
        from_yaml(text)


@pytest.mark.parametrize("number", ["9223372036854775808", "-99999999999999999999999", "1" + "0" * 5000])
def test_numbers_that_no_run_has_are_refused(number: str) -> None:
    with pytest.raises(ConfigError, match="seed"):
        compose_config(["task=cartpole", f"seed={number}"])


def test_yaml_ranges_are_checked() -> None:
    text = to_yaml(compose_config(["task=ant"])).replace("generations: ", "generations: -")
    with pytest.raises(ConfigError, match="must be at least 1"):
        from_yaml(text)


# ---- Hydra's global state ----------------------------------------------------------------------------------------


def test_hydra_in_use_is_left_as_it_was() -> None:
    store = ConfigStore.instance()
    store.store(group="llm", name="mine", node={"x": 1})
    store.store(name="eureka_run", node={"y": 2})
    OmegaConf.register_new_resolver("mine", lambda: 3)
    try:
        with initialize(version_base="1.3", config_path=None):
            outer = GlobalHydra.instance().hydra
            for _ in range(2):
                assert compose_config(["task=ant"]).task == "ant"
            with pytest.raises(ConfigError, match="auto, anthropic, openai, ollama, local, program_search, replay"):
                compose_config(["task=ant", "llm=mine"])
            assert GlobalHydra.instance().hydra is outer
            assert compose("eureka_run") == {"y": 2}
        assert ConfigStore.instance() is store
        assert list(store.repo["llm"]) == ["mine.yaml"]
        assert "budget" not in store.repo
        assert OmegaConf.has_resolver("mine")
    finally:
        store.repo.pop("llm")
        store.repo.pop("eureka_run.yaml")
        OmegaConf.clear_resolver("mine")


PROGRAM = """
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from eureka.app.configs import compose_config

    @hydra.main(version_base="1.3", config_path=None)
    def main(config):
        print(compose_config(["task=ant", "seed=4"]).seed, compose_config(["task=ant", "seed=5"]).seed)
        print(HydraConfig.get().job.name)

    main()
"""


@pytest.mark.process
def test_inside_a_hydra_main_program(tmp_path: Path) -> None:
    script = tmp_path / "theirs.py"
    script.write_text(textwrap.dedent(PROGRAM))
    command = [sys.executable, str(script), f"hydra.run.dir={tmp_path / 'theirs'}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert result.stdout.split() == ["4", "5", "theirs"], result.stderr


def test_composing_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    compose_config(["task=ant"])
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "seed: " + "9" * 5000,
        "a: " + "[" * 100_000,
        "a: " + "{" * 100_000,
        "a: " + "[" * 400,
        "task: " + "x" * 200_000,
        "llm: []",
        "llm: {name: [1]}",
        "- 1",
        "\x00",
        "llm: {name: ${oc.env:HOME}}",
        "seed: ${oc.env:HOME}\nllm: {name: program_search}",
    ],
)
def test_the_config_of_a_stranger_is_read_with_a_bound(text: str) -> None:
    with pytest.raises(ConfigError, match="stored config cannot be read"):
        from_yaml(text)
    with suppress(ConfigError):
        stored_settings(text)


@pytest.mark.parametrize("hint", ["${oc.env:HOME}", "\\${oc.env:HOME}", "a $ {b} \\\\${seed} ${", "${search.samples}"])
def test_nothing_is_looked_up_for_a_stored_config(hint: str) -> None:
    text = to_yaml(compose_config(["task=ant"])).replace("hint: null", f"hint: {json.dumps(hint)}")
    assert json.dumps(hint) in text
    assert from_yaml(text).search.hint == hint
