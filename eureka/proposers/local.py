"""`llm=local`: a server of one's own that speaks OpenAI's chat completions: llama.cpp's, LM Studio's, vLLM."""

from __future__ import annotations

from dataclasses import dataclass

from eureka.proposers.openai import OpenAIConfig, make_endpoint
from eureka.proposers.provider import ModelProvider


@dataclass(frozen=True)
class LocalConfig(OpenAIConfig):
    """`llm=local llm.base_url=URL`: whatever the server there serves; by default llama.cpp's at 127.0.0.1:8080."""

    name: str = "local"
    """The choice."""
    max_usd: float | None = None
    """What it costs is this machine's; a cap on money needs `max_tokens` as well."""
    concurrency: int = 1
    """Calls at a time; give as many as the server answers side by side."""


PROVIDER = ModelProvider(LocalConfig, make_endpoint, url="http://127.0.0.1:8080/v1", lists_models=True)
