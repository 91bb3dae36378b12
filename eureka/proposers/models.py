"""Makes the proposer of a run from its config; for language models: endpoints, prices, and the rest of the caps."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

from eureka.config import ProposerConfig, RunConfig
from eureka.core.costs import Spent
from eureka.core.errors import ConfigError, ProposerError
from eureka.proposers.base import Proposer
from eureka.proposers.budget import Caps, Ledger
from eureka.proposers.calls import ServedModel
from eureka.proposers.chat import ChatProposer, ChatSettings
from eureka.proposers.fallback import Fallback
from eureka.proposers.keys import Key, no_key
from eureka.proposers.prices import PriceList
from eureka.proposers.provider import ModelConfig, ModelProvider, Provider
from eureka.proposers.registry import PROVIDERS, known_urls, model_providers
from eureka.proposers.served import context_window, served_models, served_models_clause


@dataclass(frozen=True)
class ModelAccess:
    """Shared by a run's language models: keys by provider, the ledger, and a callback that reports waits to the user.

    `own_urls` are endpoints set in the user's environment; see `ServedModel.is_foreign`.
    """

    keys: Mapping[str, Key]
    ledger: Ledger
    tell: Callable[[str], None]
    own_urls: frozenset[str] = frozenset()


class ChosenModel(NamedTuple):
    """A model at an endpoint; `base_url` is None for the provider's own."""

    provider: str
    model: str
    base_url: str | None

    @property
    def prices(self) -> PriceList:
        return PriceList(self.provider, self.model, self.base_url)

    @property
    def entry(self) -> ModelProvider:
        return model_providers()[self.provider]


def resolve(llm: ProposerConfig, environment: Mapping[str, str]) -> ProposerConfig:
    """The config with models, endpoints and paths resolved in the current environment.

    Raises:
        ConfigError: see `resolve_model`.
    """
    provider = PROVIDERS[llm.name]
    if isinstance(llm, ModelConfig):
        return resolve_model(llm, environment)
    assert isinstance(provider, Provider)
    resolved: ProposerConfig = provider.resolve(llm)
    return resolved


def resolve_model(llm: ModelConfig, environment: Mapping[str, str]) -> ModelConfig:
    """The config with its models and endpoints resolved.

    Raises:
        ConfigError: a model has no name, an endpoint is not a plain URL, or a fallback does not exist.
    """
    _require_json_object("llm.extra_body", llm.extra_body)
    own = model_providers()[llm.name]
    base_url = _base_url("llm.base_url", own, llm.base_url, environment)
    resolved = replace(llm, base_url=base_url, model=_model("llm.model", own, llm.model, base_url))
    if llm.fallback is None or _searching_fallback(llm.fallback):
        return resolved
    name, _, model = llm.fallback.partition("/")
    second = model_providers().get(name)
    if second is None:
        others = [known for known in PROVIDERS if known in model_providers() or _searching_fallback(known)]
        raise ConfigError(
            f"llm.fallback={llm.fallback}: there is no such provider; give one of {', '.join(others)}, or "
            "PROVIDER/MODEL"
        )
    second_url = _base_url("llm.fallback_base_url", second, llm.fallback_base_url, environment)
    model = _model(f"llm.fallback={name}/MODEL", second, model or None, second_url)
    return replace(resolved, fallback=f"{name}/{model}", fallback_base_url=second_url)


def chosen_models(llm: ModelConfig) -> list[ChosenModel]:
    """The model of a resolved config, and that of its fallback if it is a language model."""
    assert llm.model is not None
    models = [ChosenModel(llm.name, llm.model, llm.base_url)]
    if llm.fallback is not None and not _searching_fallback(llm.fallback):
        provider, _, model = llm.fallback.partition("/")
        models.append(ChosenModel(provider, model, llm.fallback_base_url))
    return models


def known_endpoints(llm: ProposerConfig, environment: Mapping[str, str]) -> dict[str, set[str]]:
    """For each key that names an endpoint, those that may get the user's key without asking: the provider's own, and
    those set in the user's environment.
    """
    if not isinstance(llm, ModelConfig):
        return {}
    second = (llm.fallback or "").partition("/")[0]
    return {
        "llm.base_url": known_urls(llm.name, environment),
        "llm.fallback_base_url": known_urls(second, environment),
    }


def make_ledger(llm: ModelConfig, earlier: Spent) -> Ledger:
    """The caps of a run, of which `earlier` is spent."""
    return Ledger(Caps(llm.usd_cap, llm.max_tokens, llm.max_seconds), earlier)


def make_proposer(config: RunConfig, models: ModelAccess | None = None) -> Proposer:
    """The proposer of a resolved config; `models` is needed for a language model.

    Raises:
        StoreError: the run to replay cannot be opened.
        ConfigError: it has fewer answers than this search asks for, or a model's price is unknown, so that the cap on
            money cannot be enforced.
        ProposerError: a language model's key is not set.
    """
    llm = config.llm
    provider = PROVIDERS[llm.name]
    if isinstance(provider, Provider):
        return provider.make(config)
    assert isinstance(llm, ModelConfig)
    assert models is not None
    proposers: list[Proposer] = [_chat(llm, chosen, models) for chosen in chosen_models(llm)]
    other = _searching_fallback(llm.fallback)
    if other is not None and other.fallback is not None:
        proposers.append(other.make(replace(config, llm=other.fallback)))
    return proposers[0] if len(proposers) == 1 else Fallback(proposers[0], proposers[1], models.tell)


def _searching_fallback(name: str | None) -> Provider | None:
    """The provider of a fallback that is not a language model; None for other names."""
    provider = PROVIDERS.get(name or "")
    return provider if isinstance(provider, Provider) and provider.fallback is not None else None


def _chat(llm: ModelConfig, chosen: ChosenModel, models: ModelAccess) -> ChatProposer:
    if llm.usd_cap is not None and llm.max_tokens is None and not chosen.prices.known:
        where = f" at {chosen.base_url}" if chosen.base_url else ""
        raise ConfigError(
            f"the price of {chosen.model}{where} is not known, so llm.max_usd cannot hold: give a cap on tokens with "
            "llm.max_tokens=N, or llm.max_usd=null for no cap"
        )
    settings = ChatSettings(
        concurrency=llm.concurrency,
        max_output_tokens=llm.max_output_tokens,
        silence_s=llm.timeout_s,
        patience_s=llm.patience_s,
    )
    entry = chosen.entry
    url = chosen.base_url or entry.url
    endpoint = entry.endpoint(chosen.provider, llm, chosen.model, url, _key(chosen, models.keys))
    if isinstance(endpoint, ServedModel):
        endpoint = replace(endpoint, is_foreign=url != entry.url and url not in models.own_urls)
    ask_window = None
    if entry.lists_models:
        ask_window = partial(context_window, chosen.base_url or entry.url, chosen.model)
    return ChatProposer(endpoint, chosen.prices, models.ledger, settings, models.tell, ask_window)


def _key(chosen: ChosenModel, keys: Mapping[str, Key]) -> Key:
    variable = chosen.entry.key_variable
    key = keys.get(chosen.provider)
    if key is not None:
        key.require_usable()
        return key
    if variable is None or chosen.base_url is not None:
        return no_key(variable or "none")
    raise ProposerError(
        f"llm={chosen.provider} needs a key: set {variable} in the environment, give llm.base_url of a server that "
        "needs none, or choose llm=program_search"
    )


def _base_url(key: str, provider: ModelProvider, given: str | None, environment: Mapping[str, str]) -> str | None:
    named = environment.get(provider.base_url_variable) if provider.base_url_variable else None
    url = given or named or None
    _require_plain_url(key, url)
    return url


def _model(key: str, provider: ModelProvider, model: str | None, base_url: str | None) -> str:
    if model is None and provider.lists_models:
        served = served_models(base_url or provider.url)
        if len(served) == 1:
            return served[0]
        raise ConfigError(
            f"{provider.name}: name a model with {key}=NAME{served_models_clause(base_url or provider.url)}"
        )
    if model is None and base_url is not None:
        raise ConfigError(f"{base_url} is not {provider.name}'s own endpoint: name its model with {key}")
    if model is None and provider.default_model is None:
        raise ConfigError(f"{provider.name} has no default model: name one with {key}")
    return model or provider.default_model or ""


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
    # Without a scheme, the parser finds no user name in `user:password@host`; it must not be shown either way.
    if "@" in url or parts.query or parts.fragment:
        raise ConfigError(
            f"{key} holds a user name, a password, a query or a fragment, which would be written into the run: leave "
            "it out"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{key}={url}: expected a URL such as http://127.0.0.1:8080/v1")
