"""The providers that `llm=<name>` chooses from. To add one, write its file and add a line here."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from eureka.config import ProposerConfig
from eureka.proposers import anthropic, local, ollama, openai, replay
from eureka.proposers.program_search import proposer as program_search
from eureka.proposers.provider import ModelProvider, Provider

PROVIDERS: dict[str, Provider | ModelProvider] = {
    provider.name: provider
    for provider in (
        anthropic.PROVIDER,
        openai.PROVIDER,
        ollama.PROVIDER,
        local.PROVIDER,
        program_search.PROVIDER,
        replay.PROVIDER,
    )
}
"""Providers by name. If the keys of several are set, the first of them is the default."""


def config_classes() -> dict[str, type[ProposerConfig]]:
    """The config class of each provider, for `Choices.llm`."""
    return {name: provider.config for name, provider in PROVIDERS.items()}


def model_providers() -> dict[str, ModelProvider]:
    """The providers of language models, by name."""
    return {name: provider for name, provider in PROVIDERS.items() if isinstance(provider, ModelProvider)}


def key_variables() -> dict[str, str]:
    """The environment variable of the key, for every provider that needs one."""
    return {name: provider.key_variable for name, provider in model_providers().items() if provider.key_variable}


def default_proposer(keys: Collection[str]) -> str:
    """The provider that `llm=auto` means if these providers' keys are set."""
    return next((name for name in PROVIDERS if name in keys), program_search.PROVIDER.name)


def without_metric(llm: ProposerConfig) -> ProposerConfig:
    """The config for a task that has no metric."""
    provider = PROVIDERS[llm.name]
    changed: ProposerConfig = provider.without_metric(llm) if isinstance(provider, Provider) else llm
    return changed


def known_urls(provider: str, environment: Mapping[str, str]) -> set[str]:
    """The endpoints that may get a provider's key without asking: its own, and the one set in the user's
    environment."""
    found = model_providers().get(provider)
    if found is None:
        return set()
    named = environment.get(found.base_url_variable, "") if found.base_url_variable else ""
    return {found.url, named} - {""}
