"""Language models behind both SDKs, against a server in this process: answers, caches, caps and faults."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from model_server import (
    CACHED_TOKENS,
    FORGOTTEN,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    REASONING_TOKENS,
    Step,
    serving,
)

from eureka.errors import BudgetReached, ContextTooLong, ProposerError
from eureka.llm.anthropic import AnthropicEndpoint
from eureka.llm.base import FakeProposer
from eureka.llm.budget import Caps, Ledger, Spent
from eureka.llm.calls import Endpoint
from eureka.llm.chat import ChatProposer, ChatSettings
from eureka.llm.fallback import Fallback
from eureka.llm.keys import Key
from eureka.llm.openai import OpenAIEndpoint
from eureka.llm.prices import PriceList
from eureka.llm.tokens import token_bound
from eureka.types import Completion, Message, Prompt, PromptFacts, Usage

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
    values = {"samples": 4, "concurrency": 8, "max_output_tokens": MAX_OUTPUT, "silence_s": 5.0, "patience_s": 0.0}
    return ChatProposer(
        end,
        PRICES,
        ledger or Ledger(caps or Caps()),
        ChatSettings(**{**values, **settings}),
        lambda sample, samples: f"line {sample} of {samples}",
        tell,
    )


def collect(proposer: ChatProposer | Fallback, count: int) -> tuple[list[Completion], ProposerError]:
    """The answers that came before the error, and the error."""
    answers: list[Completion] = []
    with pytest.raises(ProposerError) as caught:
        answers.extend(proposer.sample(PROMPT, ids(count)))
    return answers, caught.value


# ---- answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
def test_answers_with_tokens_and_price(provider: str) -> None:
    with serving(Step("a b c"), Step("cut off", finish="length")) as server:
        answers = list(proposer(endpoint(provider, server.url)).sample(PROMPT, ids(2)))
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
        (answer,) = warm.sample(PROMPT, ["g01-c03"])
        list(proposer(OpenAIEndpoint("m", KEY, f"{server.url}/v1")).sample(PROMPT, ["g01-c03"]))
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
        list(proposer(end).sample(PROMPT, ["g01-c02"]))
        conversation = (*PROMPT.messages, Message("assistant", "no"), Message("user", "mend it"))
        again = Prompt(conversation, PromptFacts("t", 0, 1, (), attempt=1))
        (repaired,) = proposer(end).sample(again, ["g01-c02"])
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
        (answer,) = proposer(endpoint(provider, server.url)).sample(PROMPT, ids(1))
    assert (answer.text, answer.finish) == ("I cannot", "refusal")


def test_text_in_a_tool_call_or_a_refusal_is_not_lost() -> None:
    def stream(delta: str) -> str:
        return f'data: {{"model": "m", "choices": [{{"index": 0, "delta": {delta}, "finish_reason": "stop"}}]}}\n\n'

    call = '{"tool_calls": [{"index": 0, "function": {"arguments": "{code}"}}]}'
    with serving(
        Step(raw=stream(call), headers={"content-type": "text/event-stream"}),
        Step(raw=stream('{"refusal": "no"}'), headers={"content-type": "text/event-stream"}),
    ) as server:
        first, second = proposer(endpoint("openai", server.url), concurrency=1).sample(PROMPT, ids(2))
    assert (first.text, first.finish, first.usage) == ("{code}", "stop", Usage())
    assert (second.text, second.finish) == ("no", "refusal")


# ---- in parallel -------------------------------------------------------------------------------------------------


def test_the_first_call_is_alone_until_its_answer_begins() -> None:
    with serving(Step(hold_s=0.3), Step(hold_s=0.1)) as server:
        answers = proposer(endpoint("openai", server.url), concurrency=3).sample(PROMPT, ids(8))
        thread = threading.Thread(target=lambda: list(answers))
        thread.start()
        time.sleep(0.2)
        assert len(server.requests) == 1
        thread.join(10)
        assert server.billed == 8
        assert server.most_at_once == 3


def test_answers_are_yielded_as_they_arrive_and_a_listener_that_leaves_stops_the_rest() -> None:
    with serving(Step("now"), Step(piece_s=0.1, text="a " * 50)) as server:
        answers = proposer(endpoint("openai", server.url), concurrency=2).sample(PROMPT, ids(8))
        assert next(answers).text == "now"
        answers.close()
        time.sleep(0.5)
        assert server.billed == 1
        assert len(server.requests) <= 3


# ---- caps --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_token_cap_holds_to_the_token(provider: str) -> None:
    used = INPUT_TOKENS + OUTPUT_TOKENS
    # Room for the reservation after exactly two settled answers, and not after three.
    cap = 2 * used + BOUND
    with serving() as server:
        answers, error = collect(proposer(endpoint(provider, server.url), Caps(tokens=cap)), 4)
        assert isinstance(error, BudgetReached)
        assert server.billed == len(answers) == 3
        assert server.billed_tokens <= cap
        one_less = proposer(endpoint(provider, server.url), Caps(tokens=cap - 1))
        assert len(collect(one_less, 4)[0]) == 2
    assert str(error) == (
        f"llm.max_tokens is reached: {3 * used} tokens of {cap} are spent, and one more answer can take {BOUND}; what "
        "was bought is kept: resume with a higher llm.max_tokens"
    )


def test_the_money_cap_holds_and_earlier_spending_counts() -> None:
    bound_usd = PRICES.usd_bound(BOUND - MAX_OUTPUT, MAX_OUTPUT)
    assert bound_usd == pytest.approx(((BOUND - MAX_OUTPUT) * 2.5 + MAX_OUTPUT * 10) / 1e6)
    with serving() as server:
        ledger = Ledger(Caps(usd=1.0 + bound_usd * 1.01), earlier=Spent(usd=1.0))
        answers, error = collect(proposer(endpoint("openai", server.url), ledger=ledger), 4)
    assert len(answers) == server.billed == 1
    assert "llm.max_usd is reached: $1.00 of $1.00" in str(error)
    assert ledger.spent.usd == pytest.approx(1.0 + (answers[0].usage.usd or 0))


def test_calls_wait_for_what_others_have_reserved() -> None:
    cap = 4 * (INPUT_TOKENS + OUTPUT_TOKENS) + BOUND
    with serving(Step(hold_s=0.05)) as server:
        answers = list(proposer(endpoint("openai", server.url), Caps(tokens=cap)).sample(PROMPT, ids(4)))
        assert len(answers) == 4
        assert server.most_at_once == 1


def test_an_answer_that_does_not_say_what_it_used_is_charged_in_full() -> None:
    with serving(Step(output_tokens=FORGOTTEN)) as server:
        ledger = Ledger(Caps(tokens=10_000))
        (answer,) = proposer(endpoint("openai", server.url), ledger=ledger).sample(PROMPT, ids(1))
    assert answer.usage == Usage()
    assert ledger.spent.tokens == BOUND


def test_the_time_cap_ends_a_slow_answer() -> None:
    with serving(Step("quick"), Step("slow " * 100, piece_s=0.05)) as server:
        ledger = Ledger(Caps(seconds=0.8))
        started = time.monotonic()
        answers, error = collect(proposer(endpoint("anthropic", server.url), ledger=ledger, concurrency=1), 3)
        assert time.monotonic() - started < 3
    assert [a.text for a in answers] == ["quick"]
    assert isinstance(error, BudgetReached)
    assert "llm.max_seconds=0.8 is reached" in str(error)
    assert ledger.beside_answers.tokens == BOUND
    assert ledger.beside_answers.seconds == pytest.approx(ledger.spent.seconds)


def test_a_silent_answer_ends_at_the_time_cap() -> None:
    with serving(Step(break_after=2, silent=True)) as server:
        _, error = collect(proposer(endpoint("openai", server.url), Caps(seconds=0.4)), 1)
    assert isinstance(error, BudgetReached)


# ---- faults ------------------------------------------------------------------------------------------------------


def openai_error(message: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code, "param": None}}


def anthropic_error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


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
        (answer,) = proposer(endpoint(provider, server.url), patience_s=1.0, tell=pytest.fail).sample(PROMPT, ids(1))
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
        asked = proposer(end, patience_s=5.0, tell=told.append, concurrency=1).sample(PROMPT, ids(3))
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


LOST = {
    "half an answer": Step(break_after=3),
    "half an answer, then silence": Step(break_after=3, silent=True),
    "silence": Step(hold_s=20),
    "no answer": Step(break_after=0),
    "wrong JSON": Step(raw='data: {"id": \n\nevent: message_start\ndata: {"type": \n\n'),
    "another protocol": Step(raw="<html>It works!</html>", headers={"content-type": "text/html"}),
    "wrong shape": Step(
        raw='data: {"choices": 7}\n\nevent: message_start\ndata: {"type": "message_start", "message": 7}\n\n',
        headers={"content-type": "text/event-stream"},
    ),
}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("fault", LOST)
def test_what_may_have_been_billed_is_charged_and_not_asked_again(provider: str, fault: str) -> None:
    with serving(Step("one"), LOST[fault], Step("after")) as server:
        ledger = Ledger(Caps(tokens=100_000))
        asked = proposer(endpoint(provider, server.url), ledger=ledger, silence_s=0.3, patience_s=60.0, concurrency=1)
        answers, error = collect(asked, 3)
    assert [answer.text for answer in answers] == ["one"]
    assert len(server.requests) == 2
    assert ledger.beside_answers.tokens == BOUND
    assert ledger.spent.tokens == BOUND + INPUT_TOKENS + OUTPUT_TOKENS
    assert "may have been billed" in str(error) or "is not" in str(error)
    assert "resume" in str(error) or "check llm.base_url" in str(error)


def test_answers_in_flight_are_kept_when_another_fails() -> None:
    slow = Step("kept", hold_s=0.3)
    with serving(Step("one"), slow, slow, Step(status=401, body=openai_error("no")), Step("never")) as server:
        answers, error = collect(proposer(endpoint("openai", server.url), concurrency=3), 8)
    assert sorted(a.text for a in answers) == ["kept", "kept", "one"]
    assert "401" in str(error)
    assert server.billed == 3


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_connection_refused(provider: str) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    ledger = Ledger(Caps(tokens=100_000))
    _, error = collect(proposer(endpoint(provider, url), ledger=ledger, patience_s=60.0), 2)
    assert f"nothing answers at {url}" in str(error)
    assert "Connection refused" in str(error)
    assert ledger.spent.tokens == 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_secure_connection(provider: str) -> None:
    with serving() as server:
        _, error = collect(proposer(endpoint(provider, server.url.replace("http:", "https:"))), 1)
    assert "no secure connection to https://127.0.0.1" in str(error)
    assert server.requests == []


def test_a_call_that_waits_for_its_share_is_not_made_once_another_failed() -> None:
    cap = (INPUT_TOKENS + OUTPUT_TOKENS) + BOUND
    with serving(Step("one"), Step(status=401, body=openai_error("no"), hold_s=0.2), Step("never")) as server:
        answers, error = collect(proposer(endpoint("openai", server.url), Caps(tokens=cap), concurrency=3), 6)
        time.sleep(0.2)
        assert len(server.requests) == 2
    assert [a.text for a in answers] == ["one"]
    assert "401" in str(error)


def test_counts_that_are_none() -> None:
    odd = '{"prompt_tokens": "many", "completion_tokens": -1, "prompt_tokens_details": {"cached_tokens": 3.5}}'
    chunk = '{"model": 5, "choices": [{"index": 0, "delta": {"content": 7}, "finish_reason": "stop"}], "usage": %s}'
    raw = f"data: {chunk % odd}\n\n"
    with serving(Step(raw=raw, headers={"content-type": "text/event-stream"})) as server:
        (answer,) = proposer(endpoint("openai", server.url)).sample(PROMPT, ids(1))
    assert (answer.text, answer.model, answer.usage) == ("", "5", Usage())


def test_an_id_of_another_form() -> None:
    with serving() as server, pytest.raises(ProposerError, match="'seven' is not a candidate id"):
        list(proposer(endpoint("openai", server.url)).sample(PROMPT, ["seven"]))


# ---- fallback ----------------------------------------------------------------------------------------------------


def test_the_fallback_takes_over_for_good() -> None:
    told: list[str] = []
    with serving(Step("one"), Step(status=401, body=openai_error("no"))) as server:
        first = proposer(endpoint("openai", server.url), concurrency=1)
        second = FakeProposer({name: f"second {name}" for name in ids(4)})
        both = Fallback(first, second, told.append)
        assert (both.name, both.can_repair, both.uses_metric) == ("openai", True, False)
        assert "If it fails, llm.fallback takes over: A fake" in both.description
        answers = list(both.sample(PROMPT, ids(4)))
        assert [a.text for a in answers] == ["one", "second g01-c02", "second g01-c03", "second g01-c04"]
        list(both.sample(PROMPT, ids(2)))
        assert (both.name, both.can_repair) == ("fake", False)
        assert len(server.requests) == 2
    assert len(told) == 1
    assert told[0].endswith("; fake takes over")


@pytest.mark.parametrize(
    ("step", "caps", "kind"),
    [
        (Step(status=413, body=openai_error("too long")), Caps(), ContextTooLong),
        (Step(), Caps(tokens=10), BudgetReached),
    ],
)
def test_the_fallback_is_not_for_caps_and_long_prompts(step: Step, caps: Caps, kind: type[ProposerError]) -> None:
    with serving(step) as server:
        both = Fallback(proposer(endpoint("openai", server.url), caps), FakeProposer({}), pytest.fail)
        _, error = collect(both, 1)
    assert isinstance(error, kind)


def test_a_first_that_succeeds_is_all_that_is_asked() -> None:
    both = Fallback(FakeProposer({"g01-c01": "a"}), FakeProposer({}), pytest.fail)
    assert [a.text for a in both.sample(PROMPT, ids(1))] == ["a"]


@pytest.fixture(autouse=True)
def _no_threads_left() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name == "eureka-llm":
            thread.join(5)
