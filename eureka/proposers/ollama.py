"""`llm=ollama`: models that Ollama serves on this machine, by its chat completions. There is no key and no price."""

from __future__ import annotations

from dataclasses import dataclass

from eureka.proposers.openai import OpenAIConfig, make_endpoint
from eureka.proposers.provider import ModelProvider


@dataclass(frozen=True)
class OllamaConfig(OpenAIConfig):
    """`llm=ollama llm.model=NAME`: a model that `ollama pull NAME` has fetched."""

    name: str = "ollama"
    """The choice."""
    max_usd: float | None = None
    """What it costs is this machine's; a cap on money needs `max_tokens` as well."""
    concurrency: int = 1
    """Calls at a time; as many as OLLAMA_NUM_PARALLEL are answered side by side."""


PROVIDER = ModelProvider(
    config=OllamaConfig, endpoint=make_endpoint, url="http://127.0.0.1:11434/v1", lists_models=True
)
