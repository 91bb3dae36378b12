"""The caps of language models, held to the token, against a server in this process."""

from __future__ import annotations

import time

import pytest
from chat_helpers import (
    BOUND,
    MAX_OUTPUT,
    PRICES,
    PROVIDERS,
    collect,
    endpoint,
    openai_error,
    prompts,
    proposer,
)
from model_server import FORGOTTEN, INPUT_TOKENS, OUTPUT_TOKENS, Step, serving

from eureka.core.costs import Spent, Usage
from eureka.core.errors import BudgetReached
from eureka.proposers.budget import Caps, Ledger

pytestmark = pytest.mark.process


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
        answers = list(proposer(endpoint("openai", server.url), Caps(tokens=cap)).sample_each(prompts(4)))
        assert len(answers) == 4
        assert server.most_at_once == 1


def test_an_answer_that_does_not_say_what_it_used_is_charged_in_full() -> None:
    with serving(Step(output_tokens=FORGOTTEN)) as server:
        ledger = Ledger(Caps(tokens=10_000))
        (answer,) = proposer(endpoint("openai", server.url), ledger=ledger).sample_each(prompts(1))
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
    assert ledger.unrecorded.tokens == BOUND
    assert ledger.unrecorded.seconds == pytest.approx(ledger.spent.seconds)


def test_a_silent_answer_ends_at_the_time_cap() -> None:
    with serving(Step(break_after=2, silent=True)) as server:
        _, error = collect(proposer(endpoint("openai", server.url), Caps(seconds=0.4)), 1)
    assert isinstance(error, BudgetReached)


def test_a_call_that_waits_for_its_share_is_not_made_once_another_failed() -> None:
    cap = (INPUT_TOKENS + OUTPUT_TOKENS) + BOUND
    with serving(Step("one"), Step(status=401, body=openai_error("no"), hold_s=0.2), Step("never")) as server:
        answers, error = collect(proposer(endpoint("openai", server.url), Caps(tokens=cap), concurrency=3), 6)
        time.sleep(0.2)
        assert len(server.requests) == 2
    assert [a.text for a in answers] == ["one"]
    assert "401" in str(error)
