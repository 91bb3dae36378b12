"""Makes the language models of a run from its config: endpoints, prices, and what is left of its caps."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import urlsplit

from eureka.config import DEFAULT_MODELS, ModelConfig, OpenAIConfig, RunConfig
from eureka.core.errors import ConfigError, ProposerError
from eureka.proposers.anthropic import OFFICIAL_URL as ANTHROPIC_URL
from eureka.proposers.anthropic import AnthropicEndpoint
from eureka.proposers.base import Proposer
from eureka.proposers.budget import Caps, Ledger, Spent
from eureka.proposers.calls import Endpoint
from eureka.proposers.chat import ChatProposer, ChatSettings
from eureka.proposers.fallback import Fallback
from eureka.proposers.keys import BASE_URL_VARIABLES, KEY_VARIABLES, Key, no_key
from eureka.proposers.openai import OFFICIAL_URL as OPENAI_URL
from eureka.proposers.openai import OpenAIEndpoint
from eureka.proposers.prices import PriceList
from eureka.proposers.program_search.proposer import ProgramSearch

PROGRAM_SEARCH = "program_search"
_OWN_URLS = {"anthropic": ANTHROPIC_URL, "openai": OPENAI_URL}


@dataclass(frozen=True)
class ModelAccess:
    """What a run's language models share: keys by provider, the ledger, and how the user is told of waits."""

    keys: Mapping[str, Key]
    ledger: Ledger
    tell: Callable[[str], None]


class Chosen(NamedTuple):
    """A model at an endpoint; `base_url` is None for the provider's own."""

    provider: str
    model: str
    base_url: str | None

    @property
    def prices(self) -> PriceList:
        return PriceList(self.provider, self.model, self.base_url)


def resolve_model(llm: ModelConfig, environment: Mapping[str, str]) -> ModelConfig:
    """The config with its models and endpoints written out.

    Raises:
        ConfigError: an endpoint without the name of a model or that is no plain URL, or a fallback that does not exist.
    """
    _require_json_object("llm.extra_body", llm.extra_body)
    base_url = llm.base_url or environment.get(BASE_URL_VARIABLES[llm.name]) or None
    _require_plain_url("llm.base_url", base_url)
    resolved = replace(llm, base_url=base_url, model=_model("llm.model", llm.name, llm.model, base_url))
    if llm.fallback is None or llm.fallback == PROGRAM_SEARCH:
        return resolved
    provider, _, model = llm.fallback.partition("/")
    if provider not in DEFAULT_MODELS:
        known = ", ".join([*DEFAULT_MODELS, PROGRAM_SEARCH])
        raise ConfigError(
            f"llm.fallback={llm.fallback}: there is no such provider; give one of {known}, or PROVIDER/MODEL"
        )
    second_url = llm.fallback_base_url or environment.get(BASE_URL_VARIABLES[provider]) or None
    _require_plain_url("llm.fallback_base_url", second_url)
    model = _model(f"llm.fallback={provider}/MODEL", provider, model or None, second_url)
    return replace(resolved, fallback=f"{provider}/{model}", fallback_base_url=second_url)


def chosen_models(llm: ModelConfig) -> list[Chosen]:
    """The model of a resolved config, and its fallback's where that is one."""
    assert llm.model is not None
    models = [Chosen(llm.name, llm.model, llm.base_url)]
    if llm.fallback is not None and llm.fallback != PROGRAM_SEARCH:
        provider, _, model = llm.fallback.partition("/")
        models.append(Chosen(provider, model, llm.fallback_base_url))
    return models


def known_endpoints(llm: ModelConfig, environment: Mapping[str, str]) -> dict[str, set[str]]:
    """For each key that names an endpoint those that may get the user's key unasked: the provider's own, and what the
    user's environment names."""
    providers = {"llm.base_url": llm.name, "llm.fallback_base_url": (llm.fallback or "").partition("/")[0]}
    return {
        key: {_OWN_URLS[provider], environment.get(BASE_URL_VARIABLES[provider], "")}
        for key, provider in providers.items()
        if provider in _OWN_URLS
    }


def make_ledger(llm: ModelConfig, earlier: Spent) -> Ledger:
    """The caps of a run, of which `earlier` is spent."""
    return Ledger(Caps(llm.max_usd, llm.max_tokens, llm.max_seconds), earlier)


def make_model_proposer(config: RunConfig, llm: ModelConfig, models: ModelAccess) -> Proposer:
    """The proposer of a resolved config, with its fallback.

    Raises:
        ConfigError: a model's price is not known, and no token cap is given.
        ProposerError: a key is not set.
    """
    proposers: list[Proposer] = [_chat(llm, chosen, models) for chosen in chosen_models(llm)]
    if llm.fallback == PROGRAM_SEARCH:
        proposers.append(ProgramSearch(config.seed, use_probe=False))
    return proposers[0] if len(proposers) == 1 else Fallback(proposers[0], proposers[1], models.tell)


def _chat(llm: ModelConfig, chosen: Chosen, models: ModelAccess) -> ChatProposer:
    if llm.max_tokens is None and not chosen.prices.known:
        where = f" at {chosen.base_url}" if chosen.base_url else ""
        raise ConfigError(
            f"the price of {chosen.model}{where} is not known, so llm.max_usd cannot hold: give a cap on tokens with "
            "llm.max_tokens=N"
        )
    settings = ChatSettings(
        concurrency=llm.concurrency,
        max_output_tokens=llm.max_output_tokens,
        silence_s=llm.timeout_s,
        patience_s=llm.patience_s,
    )
    endpoint = _endpoint(llm, chosen, _key(chosen, models.keys))
    return ChatProposer(endpoint, chosen.prices, models.ledger, settings, models.tell)


def _endpoint(llm: ModelConfig, chosen: Chosen, key: Key) -> Endpoint:
    effort = llm.effort.value if llm.effort else None
    extra = json.loads(llm.extra_body) if llm.extra_body else None
    if chosen.provider == "anthropic":
        return AnthropicEndpoint(chosen.model, key, chosen.base_url, effort, extra, llm.patience_s)
    temperature = llm.temperature if isinstance(llm, OpenAIConfig) else None
    return OpenAIEndpoint(chosen.model, key, chosen.base_url, temperature, effort, extra, llm.patience_s)


def _key(chosen: Chosen, keys: Mapping[str, Key]) -> Key:
    variable = KEY_VARIABLES[chosen.provider]
    key = keys.get(chosen.provider)
    if key is not None:
        key.require_usable()
        return key
    if chosen.base_url is not None:
        return no_key(variable)
    raise ProposerError(
        f"llm={chosen.provider} needs a key: set {variable} in the environment, give llm.base_url of a server that "
        "needs none, or choose llm=program_search"
    )


def _model(key: str, provider: str, model: str | None, base_url: str | None) -> str:
    if model is None and base_url is not None:
        raise ConfigError(f"{base_url} is not {provider}'s own endpoint: name its model with {key}")
    return model or DEFAULT_MODELS[provider]


def _require_json_object(key: str, text: str | None) -> None:
    if text is None:
        return
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ConfigError(f'{key}={text}: expected a JSON object such as {{"top_k": 40}}')


def _require_plain_url(key: str, url: str | None) -> None:
    if url is None:
        return
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query:
        raise ConfigError(
            f"{key} holds a user name, a password or a query, which would be written into the run: leave it out"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{key}={url}: expected a URL such as http://127.0.0.1:8080/v1")
