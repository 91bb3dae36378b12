"""Providers are registry entries: one file and one line, which config, `doctor` and the making of proposers read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from chat_helpers import PROMPT

from eureka.app.build import make_proposer, resolve, resumed_config
from eureka.app.configs import compose_config, from_yaml
from eureka.app.doctor import diagnose
from eureka.config import ProposerConfig, RunConfig, to_yaml
from eureka.core.costs import Spent
from eureka.core.errors import ConfigError, ProposerError
from eureka.core.types import Completion, Prompt
from eureka.proposers.base import Proposer, ProposerCapabilities
from eureka.proposers.calls import Answer, Call, Endpoint
from eureka.proposers.chat import ChatProposer
from eureka.proposers.fallback import Fallback
from eureka.proposers.keys import Key, take_keys, unset_keys
from eureka.proposers.models import ModelAccess, make_ledger
from eureka.proposers.openai import OpenAIEndpoint
from eureka.proposers.provider import ModelConfig, ModelProvider, Provider
from eureka.proposers.registry import PROVIDERS, default_proposer, key_variables, known_urls, without_metric
from eureka.store import RunStore

# ---- what the file of a provider holds ---------------------------------------------------------------------------


@dataclass(frozen=True)
class ParrotConfig(ProposerConfig):
    """`llm=parrot`: says one thing."""

    name: str = "parrot"
    words: str = "hello"


class Parrot:
    name = "parrot"
    capabilities = ProposerCapabilities()
    description = "A parrot."

    def __init__(self, words: str) -> None:
        self.words = words

    def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
        for name in prompts:
            yield Completion(name, self.words, self.name)


def _parrot(config: RunConfig) -> Proposer:
    assert isinstance(config.llm, ParrotConfig)
    return Parrot(config.llm.words)


PARROT = Provider(
    config=ParrotConfig,
    make=_parrot,
    without_metric=lambda llm: replace(llm, words="dark"),
    fallback=ParrotConfig(words="instead"),
)


@dataclass(frozen=True)
class OracleConfig(ModelConfig):
    """`llm=oracle`: a language model of its own protocol."""

    name: str = "oracle"
    max_tokens: int | None = 100_000


@dataclass(frozen=True)
class OracleEndpoint:
    model: str
    url: str
    key: Key

    provider = "oracle"
    varies = True

    def ask(self, call: Call, silence_s: float) -> Answer:
        del call, silence_s
        return Answer(f"{self.model} at {self.url} with {self.key.reveal()}", "stop", self.model)


def _oracle(name: str, llm: ModelConfig, model: str, url: str, key: Key) -> Endpoint:
    del name, llm
    return OracleEndpoint(model, url, key)


ORACLE = ModelProvider(
    config=OracleConfig,
    endpoint=_oracle,
    url="https://oracle.test/v1",
    default_model="pythia",
    key_variable="ORACLE_API_KEY",
    base_url_variable="ORACLE_BASE_URL",
)


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line in the registry, of each."""
    for provider in (PARROT, ORACLE):
        monkeypatch.setitem(PROVIDERS, provider.name, provider)


# ---- what reads it -----------------------------------------------------------------------------------------------


def made(config: RunConfig, keys: Mapping[str, Key]) -> Proposer:
    assert isinstance(config.llm, ModelConfig)
    return make_proposer(config, ModelAccess(keys, make_ledger(config.llm, Spent()), print))


def test_a_proposer_of_ones_own(tmp_path: Path) -> None:
    config = compose_config(["task=ant", "llm=parrot", "llm.words=polly"])
    assert config.llm == ParrotConfig(words="polly")
    assert from_yaml(to_yaml(config)) == config
    (answer,) = make_proposer(resolve(config)).sample_each({"g01-c01": PROMPT})
    assert answer.text == "polly"
    assert without_metric(config.llm) == ParrotConfig(words="dark")
    with pytest.raises(ConfigError, match=r"`llm\.words` belongs to llm=parrot, and this run has llm=replay"):
        compose_config(["task=ant", "llm=replay", "llm.run=x", "llm.words=a"])
    with RunStore.create(tmp_path / "run", to_yaml(config)) as store:
        assert resumed_config(store, []).llm == config.llm


def test_a_language_model_of_ones_own() -> None:
    config = resolve(compose_config(["task=ant", "llm=oracle", "llm.fallback=parrot"]))
    assert config.llm == OracleConfig(model="pythia", fallback="parrot")
    environment = {"ORACLE_API_KEY": "told", "ORACLE_BASE_URL": "http://here"}
    assert known_urls("oracle", environment) == {"https://oracle.test/v1", "http://here"}
    keys = take_keys(environment)
    assert "ORACLE_API_KEY" not in environment
    assert default_proposer(keys) == "oracle"
    both = made(config, keys)
    assert isinstance(both, Fallback)
    (answer,) = both.sample_each({"g01-c01": PROMPT})
    assert answer.text == "pythia at https://oracle.test/v1 with told"
    with pytest.raises(ProposerError, match="llm=oracle needs a key: set ORACLE_API_KEY in the environment"):
        made(config, {})


@pytest.mark.process
def test_doctor_lists_every_key() -> None:
    lines = diagnose({"ORACLE_API_KEY"}, {})
    said = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines if "API_KEY" in line}
    assert said == {"ANTHROPIC_API_KEY": "not set", "OPENAI_API_KEY": "not set", "ORACLE_API_KEY": "set"}


# ---- the registry itself -----------------------------------------------------------------------------------------


def test_names_and_keys() -> None:
    assert all(name == provider.name == provider.config().name for name, provider in PROVIDERS.items())
    shipped = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}
    assert key_variables() == {**shipped, "oracle": "ORACLE_API_KEY"}
    assert set(unset_keys()) == {"anthropic", "openai", "oracle"}
    assert default_proposer([]) == "program_search"
    assert default_proposer(["openai", "anthropic"]) == "anthropic"
    assert known_urls("replay", {}) == set()


def test_ollama_needs_a_model_and_no_key_and_no_cap() -> None:
    with pytest.raises(ConfigError, match=r"ollama: name a model with llm\.model=NAME; "):
        resolve(compose_config(["task=ant", "llm=ollama"]))
    config = resolve(compose_config(["task=ant", "llm=ollama", "llm.model=qwen3:8b"]))
    asked = made(config, {})
    assert isinstance(asked, ChatProposer)
    endpoint = asked._endpoint
    assert isinstance(endpoint, OpenAIEndpoint)
    assert (endpoint.base_url, endpoint.provider) == ("http://127.0.0.1:11434/v1", "ollama")
    assert asked._settings.concurrency == 1
    assert asked.description == "The language model qwen3:8b (ollama) writes the reward functions."
