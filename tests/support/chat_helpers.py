"""Proposers behind both SDKs for tests against `model_server`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from eureka.core.errors import ProposerError
from eureka.core.types import Completion, Message, Prompt, PromptFacts
from eureka.proposers.anthropic import AnthropicEndpoint
from eureka.proposers.budget import Caps, Ledger
from eureka.proposers.calls import Endpoint
from eureka.proposers.chat import ChatProposer, ChatSettings
from eureka.proposers.fallback import Fallback
from eureka.proposers.keys import Key
from eureka.proposers.openai import OpenAIEndpoint
from eureka.proposers.prices import PriceList
from eureka.proposers.tokens import token_bound

SECRET = "sk-verysecret-0123456789abcdef"
KEY = Key("SOME_API_KEY", SECRET)
PROMPT = Prompt((Message("system", "You design."), Message("user", "The task.")), PromptFacts("t", 0, 1, ()))
MAX_OUTPUT = 50
# Both messages, as `token_bound` counts them, with the ending "line N of N" and without.
BOUND = token_bound((*PROMPT.messages, Message("user", "line 1 of 4"))) + MAX_OUTPUT
PROVIDERS = ("openai", "anthropic")
# Per million tokens: $2 to read, $0.1 from the cache, $2.5 into it, $10 to write.
PRICES = PriceList("anthropic", "claude-sonnet-5-5")


def ids(count: int) -> list[str]:
    return [f"g01-c{sample:02d}" for sample in range(1, count + 1)]


def prompts(count: int, of: int = 4) -> dict[str, Prompt]:
    """The same prompt for so many candidates, with an ending for each."""
    return {name: replace(PROMPT, ending=f"line {n} of {of}") for n, name in enumerate(ids(count), start=1)}


def endpoint(provider: str, url: str, **options: Any) -> Endpoint:
    if provider == "openai":
        return OpenAIEndpoint("claude-sonnet-5-5", KEY, f"{url}/v1", **options)
    return AnthropicEndpoint("claude-sonnet-5-5", KEY, url, **options)


def proposer(
    end: Endpoint,
    caps: Caps | None = None,
    *,
    ledger: Ledger | None = None,
    tell: Callable[[str], None] = print,
    **settings: Any,
) -> ChatProposer:
    values = {"concurrency": 8, "max_output_tokens": MAX_OUTPUT, "silence_s": 5.0, "patience_s": 0.0}
    return ChatProposer(
        end,
        PRICES,
        ledger or Ledger(caps or Caps()),
        ChatSettings(**{**values, **settings}),
        tell,
    )


def collect(proposer: ChatProposer | Fallback, count: int) -> tuple[list[Completion], ProposerError]:
    """The answers that came before the error, and the error."""
    answers: list[Completion] = []
    with pytest.raises(ProposerError) as caught:
        answers.extend(proposer.sample_each(prompts(count)))
    return answers, caught.value


def openai_error(message: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code, "param": None}}


def anthropic_error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}
