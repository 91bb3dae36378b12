"""What a provider refuses, and how long one that is busy is waited for, against a server in this process."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from chat_helpers import (
    PROMPT,
    PROVIDERS,
    SECRET,
    anthropic_error,
    collect,
    endpoint,
    ids,
    openai_error,
    prompts,
    proposer,
)
from model_server import Step, serving

from eureka.core.errors import ContextTooLong, ProposerError
from eureka.proposers.budget import Caps, Ledger

pytestmark = pytest.mark.process

REFUSALS = [
    (
        Step(status=401, body=openai_error(f"Incorrect API key provided: {SECRET}")),
        "does not accept the key in SOME_API",
    ),
    (Step(status=401, body=anthropic_error("authentication_error", "invalid x-api-key")), "(401): check it"),
    (
        Step(status=403, body=openai_error("no access")),
        "may not use claude-sonnet-5-5 (403: no access): ask for access",
    ),
    (Step(status=404, body=openai_error("model gone", "model_not_found")), "(404: model gone): give another llm.model"),
    (Step(status=404, body={"detail": "Not Found"}), "or check llm.base_url"),
    (Step(status=402, body=openai_error("pay")), "has no quota left"),
    (
        Step(status=400, body=anthropic_error("invalid_request_error", "Your credit balance is too low")),
        "no quota left",
    ),
    (Step(status=400, body=openai_error("effort: unknown parameter")), "leave llm.effort out"),
    (Step(status=400, body=openai_error(f"bad {SECRET}, sk-ant-api03-aaaa****bbbb")), "bad [key], [key]"),
    (Step(status=307, body="elsewhere", headers={"location": "http://127.0.0.1:1/"}), "refuses the request"),
]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("step", "sentence"), REFUSALS, ids=range(len(REFUSALS)))
def test_refusals_are_one_sentence_and_asked_once(provider: str, step: Step, sentence: str) -> None:
    with serving(step) as server:
        ledger = Ledger(Caps(tokens=100_000))
        answers, error = collect(proposer(endpoint(provider, server.url), ledger=ledger), 4)
    assert sentence in str(error)
    assert "\n" not in str(error)
    assert SECRET not in f"{error!r} {error.__cause__!r}"
    assert (answers, len(server.requests)) == ([], 1)
    assert ledger.spent.tokens == 0


TOO_LONG = [
    ("openai", 400, openai_error("This model's maximum context length is 8192 tokens.", "context_length_exceeded")),
    ("openai", 400, {"error": {"code": 400, "message": "too big", "type": "exceed_context_size_error"}}),
    ("anthropic", 400, anthropic_error("invalid_request_error", "prompt is too long: 200001 tokens > 200000 maximum")),
    ("anthropic", 413, anthropic_error("request_too_large", "Request exceeds the maximum size")),
]


@pytest.mark.parametrize(("provider", "status", "body"), TOO_LONG, ids=range(len(TOO_LONG)))
def test_a_prompt_that_is_too_long(provider: str, status: int, body: dict[str, Any]) -> None:
    with serving(Step(status=status, body=body)) as server:
        _, error = collect(proposer(endpoint(provider, server.url)), 2)
    assert isinstance(error, ContextTooLong)
    assert "choose an llm.model with a longer context" in str(error)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_short_waits_are_the_sdks(provider: str) -> None:
    limited = Step(status=429, body=openai_error("slow down"), headers={"retry-after-ms": "150"})
    broken = Step(status=500, body=openai_error("oops"), headers={"retry-after": "0.1"})
    with serving(limited, broken, Step("done")) as server:
        started = time.monotonic()
        (answer,) = proposer(endpoint(provider, server.url), patience_s=1.0, tell=pytest.fail).sample_each(prompts(1))
        assert time.monotonic() - started >= 0.25
    assert answer.text == "done"
    assert (len(server.requests), server.billed) == (3, 1)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_longer_waits_are_told_and_held_by_all_calls(provider: str) -> None:
    # Above what the SDK may wait (patience_s=0.5 for the client), below the patience of the run.
    limited = Step(status=429, body=openai_error("slow down"), headers={"retry-after": "0.7"})
    told: list[str] = []
    with serving(Step("one"), limited, Step("done")) as server:
        end = endpoint(provider, server.url, patience_s=0.5)
        asked = proposer(end, patience_s=5.0, tell=told.append, concurrency=1).sample_each(prompts(3))
        started = time.monotonic()
        assert [answer.text for answer in asked] == ["one", "done", "done"]
        assert 0.7 <= time.monotonic() - started < 3
    assert (len(server.requests), server.billed) == (4, 3)
    assert len(told) == 1
    assert told[0].endswith("waiting 1 s")
    assert f"{provider} limits the rate of calls (429: slow down)" in told[0]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_beyond_patience(provider: str) -> None:
    limited = Step(status=429, body=openai_error("slow down"), headers={"retry-after": "30"})
    with serving(Step("one"), limited) as server:
        answers, error = collect(proposer(endpoint(provider, server.url), patience_s=10.0, concurrency=1), 3)
    assert [a.text for a in answers] == ["one"]
    assert str(error) == (
        f"{provider} limits the rate of calls (429: slow down): resume later, or name another with llm.fallback; "
        "after 0 s of waiting another 30 s would go beyond llm.patience_s=10"
    )
    assert len(server.requests) == 2


# ---- what other servers of the protocol refuse, and how they say so ----------------------------------------------

UNSUPPORTED = openai_error(
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
)
EXTRA = {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs"}]}


def test_a_refused_part_of_the_request_is_left_out_from_then_on() -> None:
    refusals = [
        Step(status=400, body=UNSUPPORTED),
        Step(status=422, body=EXTRA),
        Step(status=400, body=openai_error("System role not supported")),
    ]
    with serving(*refusals, Step("done")) as server:
        asked = proposer(endpoint("openai", server.url), concurrency=1)
        answers = list(asked.sample_each(dict.fromkeys(ids(2), PROMPT)))
    assert [answer.text for answer in answers] == ["done", "done"]
    assert len(server.requests) == 5
    first, last = server.requests[0], server.requests[-1]
    assert (first["max_tokens"], first["stream_options"]) == (50, {"include_usage": True})
    assert [message["role"] for message in first["messages"]] == ["system", "user"]
    assert (last["max_completion_tokens"], "max_tokens" in last, "stream_options" in last) == (50, False, False)
    ((role, content),) = [(message["role"], message["content"]) for message in last["messages"]]
    assert role == "user"
    assert content.startswith("You design.\n\nThe task.")


def test_what_is_refused_again_is_an_error() -> None:
    with serving(Step(status=400, body=UNSUPPORTED)) as server:
        _, error = collect(proposer(endpoint("openai", server.url)), 1)
    assert len(server.requests) == 2
    assert "refuses the request for claude-sonnet-5-5 (400: Unsupported parameter" in str(error)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_error_in_an_answer_that_says_all_is_well(provider: str) -> None:
    step = Step(raw='{"error": {"message": "upstream provider is down", "code": 502}}')
    with serving(step) as server:
        ledger = Ledger(Caps(tokens=100_000))
        _, error = collect(proposer(endpoint(provider, server.url), ledger=ledger), 1)
    assert f"{provider} fails (502: upstream provider is down)" in str(error)
    assert ledger.spent.tokens == 0


def test_the_words_of_other_servers() -> None:
    with serving(Step(status=422, body={"detail": [{"loc": ["body", "top_k"], "msg": "Extra inputs"}]})) as server:
        _, error = collect(proposer(endpoint("openai", server.url)), 1)
    assert "(422: body.top_k: Extra inputs)" in str(error)
    with serving(Step(status=404, body={"detail": "Not Found"})) as server:
        _, error = collect(proposer(endpoint("openai", server.url)), 1)
    assert "(404: Not Found)" in str(error)


WHOLE = {
    "openai": {
        "id": "c",
        "object": "chat.completion",
        "model": "m-1",
        "choices": [{"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": "whole"}}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
    },
    "anthropic": {
        "type": "message",
        "role": "assistant",
        "model": "m-1",
        "content": [{"type": "thinking", "thinking": "hm", "signature": ""}, {"type": "text", "text": "whole"}],
        "stop_reason": "max_tokens",
        "usage": {"input_tokens": 12, "output_tokens": 3},
    },
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_that_is_not_streamed_is_read(provider: str) -> None:
    with serving(Step(raw=json.dumps(WHOLE[provider]))) as server:
        (answer,) = proposer(endpoint(provider, server.url)).sample_each(prompts(1))
    assert (answer.text, answer.model, answer.finish) == ("whole", "m-1", "length")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (12, 3)


@pytest.mark.parametrize("raw", ["[]", "{}", '{"choices": 3}', '{"choices": [3]}', '{"choices": []}', "[" * 5000])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_document_that_is_no_answer_is_none(provider: str, raw: str) -> None:
    with serving(Step(raw=raw)) as server, pytest.raises(ProposerError, match=r"not .*'s protocol"):
        list(proposer(endpoint(provider, server.url)).sample_each(prompts(1)))


def test_a_server_that_refuses_to_stream_is_asked_for_whole_answers() -> None:
    refusal = Step(status=400, body={"error": {"message": "streaming is not supported by this model"}})
    whole = Step(raw=json.dumps(WHOLE["openai"]))
    with serving(refusal, whole, whole) as server:
        answers = list(proposer(endpoint("openai", server.url)).sample_each(prompts(2)))
    assert [answer.text for answer in answers] == ["whole", "whole"]
    assert [request["stream"] for request in server.requests] == [True, False, False]
    assert "stream_options" not in server.requests[1]
