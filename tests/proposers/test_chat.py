"""Language models behind both SDKs, against a server in this process: requests, answers, calls side by side."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace

import pytest
from chat_helpers import KEY, MAX_OUTPUT, PROMPT, PROVIDERS, SECRET, collect, endpoint, ids, prompts, proposer
from model_server import CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, REASONING_TOKENS, Step, serving

from eureka.core.costs import Usage
from eureka.core.types import Message, Prompt, PromptFacts
from eureka.proposers.anthropic import AnthropicEndpoint
from eureka.proposers.openai import OpenAIEndpoint

pytestmark = pytest.mark.process


@pytest.mark.parametrize("provider", PROVIDERS)
def test_answers_with_tokens_and_price(provider: str) -> None:
    with serving(Step("a b c"), Step("cut off", finish="length")) as server:
        answers = list(proposer(endpoint(provider, server.url)).sample_each(prompts(2)))
    assert [(c.candidate_id, c.text, c.finish) for c in answers] == [
        ("g01-c01", "a b c", "stop"),
        ("g01-c02", "cut off", "length"),
    ]
    usage = answers[0].usage
    assert (usage.input_tokens, usage.output_tokens) == (INPUT_TOKENS, OUTPUT_TOKENS)
    assert (usage.cached_tokens, usage.reasoning_tokens) == (CACHED_TOKENS, REASONING_TOKENS)
    # Only Anthropic says what it wrote into the cache.
    written = 10 if provider == "anthropic" else 0
    fresh = INPUT_TOKENS - CACHED_TOKENS - written
    expected = (fresh * 2 + CACHED_TOKENS * 0.1 + written * 2.5 + OUTPUT_TOKENS * 10) / 1e6
    assert usage.usd == pytest.approx(expected)


def test_openai_requests() -> None:
    with serving() as server:
        warm = proposer(OpenAIEndpoint("m", KEY, f"{server.url}/v1", temperature=0.7, effort="low"))
        (answer,) = warm.sample_each({"g01-c03": PROMPT})
        list(proposer(OpenAIEndpoint("m", KEY, f"{server.url}/v1")).sample_each({"g01-c03": prompts(3)["g01-c03"]}))
    assert answer.model == "m"
    hot, told = server.requests
    assert (hot["model"], hot["temperature"], hot["reasoning_effort"], hot["max_tokens"]) == ("m", 0.7, "low", 50)
    system, user = ({"role": m.role, "content": m.content} for m in PROMPT.messages)
    assert hot["messages"] == [system, user]
    assert told["messages"] == [system, {"role": "user", "content": "The task.\n\nline 3 of 4"}]
    assert not {"temperature", "reasoning_effort"} & told.keys()
    assert server.headers[0]["authorization"] == f"Bearer {SECRET}"


def test_openai_itself_is_given_the_new_name_of_the_limit() -> None:
    import httpx2

    sent: list[httpx2.Request] = []

    def refuse(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(400, json={"error": {"message": "temperature is not supported with this model"}})

    end = OpenAIEndpoint("gpt-6.1-sol", KEY, temperature=1.0, transport=httpx2.MockTransport(refuse))
    _, error = collect(proposer(end), 1)
    assert str(sent[0].url) == "https://api.openai.com/v1/chat/completions"
    assert b"max_completion_tokens" in sent[0].read()
    assert "leave llm.temperature out" in str(error)


def test_anthropic_requests_mark_what_is_shared() -> None:
    with serving() as server:
        end = AnthropicEndpoint("m", KEY, server.url, effort="high")
        list(proposer(end).sample_each({"g01-c02": prompts(2)["g01-c02"]}))
        conversation = (*PROMPT.messages, Message("assistant", "no"), Message("user", "mend it"))
        again = Prompt(conversation, PromptFacts("t", 0, 1, (), attempt=1))
        (repaired,) = proposer(end).sample_each({"g01-c02": again})
    first, second = server.requests
    mark = {"cache_control": {"type": "ephemeral"}}
    assert first["system"] == [{"type": "text", "text": "You design.", **mark}]
    shared = {"type": "text", "text": "The task.", **mark}
    assert first["messages"] == [{"role": "user", "content": [shared, {"type": "text", "text": "line 2 of 4"}]}]
    assert first["output_config"] == {"effort": "high"}
    assert first["max_tokens"] == MAX_OUTPUT
    assert "temperature" not in first
    assert [m["content"] for m in second["messages"]] == [
        [shared],
        [{"type": "text", "text": "no"}],
        [{"type": "text", "text": "mend it"}],
    ]
    assert repaired.attempt == 1
    assert any(SECRET in value for value in server.headers[0].values())


@pytest.mark.parametrize(("provider", "finish"), [("openai", "content_filter"), ("anthropic", "refusal")])
def test_refusals_are_answers(provider: str, finish: str) -> None:
    with serving(Step("I cannot", finish=finish)) as server:
        (answer,) = proposer(endpoint(provider, server.url)).sample_each(prompts(1))
    assert (answer.text, answer.finish) == ("I cannot", "refusal")


def test_text_in_a_tool_call_or_a_refusal_is_not_lost() -> None:
    def stream(delta: str) -> str:
        return f'data: {{"model": "m", "choices": [{{"index": 0, "delta": {delta}, "finish_reason": "stop"}}]}}\n\n'

    call = '{"tool_calls": [{"index": 0, "function": {"arguments": "{code}"}}]}'
    with serving(
        Step(raw=stream(call), headers={"content-type": "text/event-stream"}),
        Step(raw=stream('{"refusal": "no"}'), headers={"content-type": "text/event-stream"}),
    ) as server:
        first, second = proposer(endpoint("openai", server.url), concurrency=1).sample_each(prompts(2))
    assert (first.text, first.finish, first.usage) == ("{code}", "stop", Usage())
    assert (second.text, second.finish) == ("no", "refusal")


def test_content_as_a_list_of_parts_is_read_without_thinking() -> None:
    parts = '[{"type": "thinking", "thinking": []}, {"type": "text", "text": "def"}, {"type": "text", "text": " f"}]'
    choice = f'{{"index": 0, "delta": {{"content": {parts}}}, "finish_reason": "stop"}}'
    raw = f'data: {{"model": "m", "choices": [{choice}]}}\n\n'
    with serving(Step(raw=raw, headers={"content-type": "text/event-stream"})) as server:
        (answer,) = proposer(endpoint("openai", server.url)).sample_each(dict.fromkeys(ids(1), PROMPT))
    assert answer.text == "def f"


def test_text_in_a_tool_call_of_anthropic_is_not_lost() -> None:
    def event(kind: str, **fields: object) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"

    raw = (
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Here it is:"})
        + event("content_block_start", index=1, content_block={"type": "tool_use", "id": "t", "name": "f", "input": {}})
        + event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": '{"code": '})
        + event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": '"x"}'})
        + event("message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 3})
        + event("message_stop")
    )
    with serving(Step(raw=raw, headers={"content-type": "text/event-stream"})) as server:
        (answer,) = proposer(endpoint("anthropic", server.url)).sample_each(prompts(1))
    assert (answer.text, answer.finish) == ('Here it is:\n\n{"code": "x"}', "stop")


def test_counts_that_are_none() -> None:
    odd = '{"prompt_tokens": "many", "completion_tokens": -1, "prompt_tokens_details": {"cached_tokens": 3.5}}'
    chunk = '{"model": 5, "choices": [{"index": 0, "delta": {"content": 7}, "finish_reason": "stop"}], "usage": %s}'
    raw = f"data: {chunk % odd}\n\n"
    with serving(Step(raw=raw, headers={"content-type": "text/event-stream"})) as server:
        (answer,) = proposer(endpoint("openai", server.url)).sample_each(prompts(1))
    assert (answer.text, answer.model, answer.usage) == ("", "5", Usage())


# ---- side by side ------------------------------------------------------------------------------------------------


def test_the_first_call_is_alone_until_its_answer_begins() -> None:
    with serving(Step(hold_s=0.3), Step(hold_s=0.1)) as server:
        answers = proposer(endpoint("openai", server.url), concurrency=3).sample_each(prompts(8))
        thread = threading.Thread(target=lambda: list(answers))
        thread.start()
        time.sleep(0.2)
        assert len(server.requests) == 1
        thread.join(10)
        assert server.billed == 8
        assert server.most_at_once == 3


def test_answers_are_yielded_as_they_arrive_and_a_listener_that_leaves_stops_the_rest() -> None:
    with serving(Step("now"), Step(piece_s=0.1, text="a " * 50)) as server:
        answers = proposer(endpoint("openai", server.url), concurrency=2).sample_each(prompts(8))
        assert next(answers).text == "now"
        answers.close()
        time.sleep(0.5)
        assert server.billed == 1
        assert len(server.requests) <= 3


@pytest.mark.parametrize("provider", PROVIDERS)
def test_conversations_about_single_candidates_are_asked_side_by_side(provider: str) -> None:
    def about(name: str) -> Prompt:
        conversation = (*PROMPT.messages, Message("assistant", f"code of {name}"), Message("user", "mend it"))
        return Prompt(conversation, replace(PROMPT.facts, attempt=1))

    with serving(Step("mended", hold_s=0.1)) as server:
        asked = proposer(endpoint(provider, server.url), concurrency=3)
        answers = list(asked.sample_each({name: about(name) for name in ids(7)}))
        assert server.most_at_once == 3
    assert sorted((answer.candidate_id, answer.attempt) for answer in answers) == [(name, 1) for name in ids(7)]
    said = sorted(json.dumps(request["messages"]).count("code of g01") for request in server.requests)
    assert said == [1] * 7
    for name in ids(7):
        assert sum(f"code of {name}" in json.dumps(request) for request in server.requests) == 1
