"""What leaves for whom, and what comes back and is kept: keys and variables of one provider are for that one alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chat_helpers import KEY, PROVIDERS, SECRET, endpoint, prompts, proposer
from model_server import Step, serving

from eureka.core.errors import ProposerError
from eureka.proposers.anthropic import AnthropicEndpoint
from eureka.proposers.openai import OpenAIEndpoint

pytestmark = pytest.mark.process

PRIVATE = {
    "OPENAI_ORG_ID": "org-private",
    "OPENAI_PROJECT_ID": "proj-private",
    "OPENAI_CUSTOM_HEADERS": "X-Internal: header-private",
    "ANTHROPIC_CUSTOM_HEADERS": "X-Internal: header-private",
}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("is_foreign", [True, False])
def test_a_foreign_server_is_sent_the_protocol_alone(
    provider: str, is_foreign: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in PRIVATE.items():
        monkeypatch.setenv(name, value)
    with serving(Step("a")) as server:
        end = endpoint(provider, server.url)
        assert isinstance(end, OpenAIEndpoint | AnthropicEndpoint)
        (answer,) = proposer(replace(end, is_foreign=is_foreign)).sample_each(prompts(1))
        (headers,) = server.headers
    assert answer.text == "a"
    assert SECRET in str(headers)  # the key was given for this server
    assert ("private" in str(headers)) is not is_foreign


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_that_repeats_the_key_is_kept_without_it(provider: str) -> None:
    with serving(Step(f"your key is {SECRET}, and sk-like-words in code stay")) as server:
        (answer,) = proposer(endpoint(provider, server.url)).sample_each(prompts(1))
    assert answer.text == "your key is [key], and sk-like-words in code stay"


@pytest.mark.parametrize("proxy", ["gopher://me:hidden@proxy:1", "http://me:hid/den@proxy:1", "http://me@proxy:port"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_proxy_that_cannot_be_used_is_a_sentence(provider: str, proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy)
    with pytest.raises(ProposerError, match=r"a proxy that cannot be used .*or unset HTTPS_PROXY") as caught:
        list(proposer(endpoint(provider, "http://127.0.0.1:9")).sample_each(prompts(1)))
    assert "hid" not in str(caught.value)
    assert KEY.reveal() not in str(caught.value)
