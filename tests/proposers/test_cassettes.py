"""Both SDKs on recorded HTTP traffic: what they send, and what is made of what they are sent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from cassette import FOLDER, Replaying
from local_server import MODEL

from eureka.core.errors import ProposerError
from eureka.core.types import Completion, Message, Prompt, PromptFacts
from eureka.proposers import anthropic, openai
from eureka.proposers.anthropic import AnthropicEndpoint
from eureka.proposers.budget import Caps, Ledger
from eureka.proposers.calls import Endpoint
from eureka.proposers.chat import ChatProposer, ChatSettings
from eureka.proposers.keys import Key
from eureka.proposers.openai import OpenAIEndpoint
from eureka.proposers.prices import PriceList

FIXTURE = "protocol fixture, written by hand"
PROMPT = Prompt(
    (Message("system", "You design reward functions."), Message("user", "Balance the pole.")),
    PromptFacts("pole", 0, 1, ()),
)


def endpoint_at(provider: str, url: str | None, transport: httpx2.BaseTransport) -> Endpoint:
    """`url` is the provider's own where it is None."""
    key = Key("SOME_KEY", "sk-none-at-all")
    if provider == "openai":
        return OpenAIEndpoint("model-1", key, f"{url}/v1" if url else openai.OFFICIAL_URL, transport=transport)
    return AnthropicEndpoint("model-1", key, url or anthropic.OFFICIAL_URL, transport=transport)


def single(endpoint: Endpoint, prompt: Prompt) -> Completion:
    settings = ChatSettings(concurrency=1, max_output_tokens=24, silence_s=30.0, patience_s=30.0)
    asked = ChatProposer(endpoint, PriceList("openai", "model-1"), Ledger(Caps(tokens=10_000)), settings)
    (completion,) = asked.sample_each({"g01-c02": replace(prompt, ending="2 of 2.")})
    return completion


@pytest.mark.process
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_recorded_from_the_local_model(provider: str) -> None:
    cassette = Replaying(f"{provider}_local_model")
    assert cassette.origin == f"recorded from {MODEL}"
    completion = single(endpoint_at(provider, "http://127.0.0.1:1", cassette), PROMPT)
    assert completion.model == "smollm2-135m"
    assert completion.text.strip()
    read, written = completion.usage.input_tokens, completion.usage.output_tokens
    assert read is not None
    assert written is not None
    assert 20 < read < 60
    assert (completion.finish == "length") == (written == 24)


@pytest.mark.process
def test_openai_with_reasoning_and_a_rate_limit_before() -> None:
    cassette = Replaying("openai_fixture_reasoning")
    assert cassette.origin == FIXTURE
    completion = single(endpoint_at("openai", None, cassette), PROMPT)
    assert (completion.text, completion.model, completion.finish) == ("Use the angle 각도.", "model-1-2026", "stop")
    usage = completion.usage
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.reasoning_tokens) == (
        1200,
        1024,
        60,
        48,
    )
    assert cassette.left == []


def test_anthropic_with_thinking_and_a_written_cache() -> None:
    cassette = Replaying("anthropic_fixture_thinking")
    assert cassette.origin == FIXTURE
    completion = single(endpoint_at("anthropic", None, cassette), PROMPT)
    # The thinking is not a part of the answer.
    assert (completion.text, completion.model, completion.finish) == ("Use the angle 각도.", "model-1-2026", "stop")
    usage = completion.usage
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.reasoning_tokens) == (
        1200,
        1024,
        60,
        48,
    )


def test_anthropic_overloaded_in_the_middle() -> None:
    cassette = Replaying("anthropic_fixture_overloaded")
    assert cassette.origin == FIXTURE
    with pytest.raises(ProposerError, match=r"broke off \(Overloaded\): it may have been billed"):
        single(endpoint_at("anthropic", None, cassette), PROMPT)
    assert cassette.left == []


def test_no_cassette_holds_a_key() -> None:
    paths = list(Path(FOLDER).glob("*.json"))
    assert len(paths) == 5
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert "sk-" not in text
        assert "authorization" not in text.lower()
