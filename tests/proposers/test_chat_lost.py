"""Answers that may have been billed and did not arrive, and providers that cannot be reached."""

from __future__ import annotations

import socket

import pytest
from chat_helpers import BOUND, PROVIDERS, collect, endpoint, openai_error, proposer
from model_server import INPUT_TOKENS, OUTPUT_TOKENS, Step, serving

from eureka.proposers.budget import Caps, Ledger

pytestmark = pytest.mark.process

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
    assert ledger.unrecorded.tokens == BOUND
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
