"""Ledger, prices, token bounds, patience, keys and Retry-After, each alone."""

from __future__ import annotations

import email.utils
import threading
import time

import pytest

from eureka.core.costs import Spent, Usage
from eureka.core.errors import BudgetReached, ProposerError
from eureka.core.types import Message
from eureka.proposers.budget import Caps, Ledger
from eureka.proposers.calls import CallFailed, Retry
from eureka.proposers.http import retry_after_s
from eureka.proposers.keys import Key, no_key, take_keys
from eureka.proposers.patience import Patience
from eureka.proposers.prices import PriceList
from eureka.proposers.tokens import token_bound, token_estimate

# ---- ledger ------------------------------------------------------------------------------------------------------


def test_settled_released_and_lost_calls() -> None:
    ledger = Ledger(Caps(usd=1.0, tokens=1000), earlier=Spent(tokens=100, usd=0.1))
    with ledger.reserved(500, 0.5) as call:
        call.settle(Usage(40, 10, usd=0.05))
    with ledger.reserved(500, 0.5) as call:
        call.release()
    with ledger.reserved(300, 0.25):
        pass
    assert ledger.spent == Spent(tokens=450, usd=pytest.approx(0.4))
    assert ledger.unrecorded == Spent(tokens=300, usd=0.25)
    with pytest.raises(BudgetReached, match=r"llm\.max_tokens is reached: 450 tokens of 1,000 are spent"):
        ledger.reserved(551, 0.1).__enter__()
    with pytest.raises(
        BudgetReached, match=r"llm\.max_usd is reached: \$0\.40 of \$1 are spent, and one more .* \$0\.61"
    ):
        ledger.reserved(10, 0.61).__enter__()


def test_a_call_that_raises_counts_as_lost() -> None:
    ledger = Ledger(Caps())
    with pytest.raises(RuntimeError), ledger.reserved(7, None):
        raise RuntimeError
    assert ledger.spent == Spent(tokens=7)
    with ledger.reserved(5, None):
        assert ledger.unrecorded == Spent(tokens=12)


def test_reservations_never_pass_the_cap_together() -> None:
    ledger = Ledger(Caps(tokens=250))
    most, active = 0, 0
    lock = threading.Lock()

    def call() -> None:
        nonlocal most, active
        with ledger.reserved(100, None) as reservation:
            with lock:
                active += 1
                most = max(most, active)
            time.sleep(0.02)
            with lock:
                active -= 1
            reservation.settle(Usage(10, 10))

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert most == 2
    assert ledger.spent.tokens == 120


def test_a_price_that_is_not_known_does_not_count_against_money() -> None:
    ledger = Ledger(Caps(usd=0.0))
    with ledger.reserved(10, None) as call:
        call.settle(Usage(1, 1))
    assert ledger.spent.usd == 0


def test_the_clock_runs_while_answers_are_waited_for() -> None:
    now = [0.0]
    ledger = Ledger(Caps(seconds=10), earlier=Spent(seconds=4), clock=lambda: now[0])
    now[0] = 100.0
    assert ledger.seconds_left() == 6
    with ledger.waiting():
        now[0] = 105.0
        assert ledger.seconds_left() == 1
        ledger.require_time()
        now[0] = 106.0
        with pytest.raises(BudgetReached, match=r"llm\.max_seconds=10 is reached: 10 s"):
            ledger.require_time()
    now[0] = 200.0
    assert ledger.spent.seconds == 10
    assert ledger.unrecorded.seconds == 6


# ---- prices and tokens -------------------------------------------------------------------------------------------


def test_prices() -> None:
    # $2 a million tokens to read, $2.5 into the cache, $0.1 from it, $10 to write.
    sonnet = PriceList("anthropic", "claude-sonnet-5-5")
    assert sonnet.known
    assert sonnet.usd(1_000_000, 100_000) == pytest.approx(3.0)
    assert sonnet.usd(1_000_000, 0, cached_tokens=500_000, written_tokens=100_000) == pytest.approx(0.8 + 0.05 + 0.25)
    assert sonnet.usd_bound(1_000_000, 100_000) == pytest.approx(3.5)
    official = PriceList("openai", "gpt-4o", "https://api.openai.com/v1")
    assert official.usd(1000, 10) == PriceList("openai", "gpt-4o").usd(1000, 10)
    for unknown in (PriceList("openai", "no-such"), PriceList("openai", "gpt-4o", "http://127.0.0.1:8080/v1")):
        assert not unknown.known
        assert unknown.usd(1, 1) is None
        assert unknown.usd_bound(1, 1) is None


def test_token_bounds_count_bytes() -> None:
    korean = Message("user", "막대 \ud800")
    # Two letters of three bytes, a space, and one for what UTF-8 cannot hold.
    assert token_bound([korean]) - token_bound([Message("user", "")]) == 8
    assert token_estimate([Message("user", "x" * 350)]) == 100


# ---- patience ----------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def failed(retry: Retry = Retry.LATER, after_s: float | None = None) -> CallFailed:
    return CallFailed(ProposerError("busy"), retry=retry, retry_after_s=after_s)


def test_waits_grow_with_the_time_of_failing_until_patience_ends() -> None:
    clock, told = Clock(), []
    patience = Patience(20.0, told.append, clock)
    patience.wait_or_raise(failed(), started=clock.now)
    assert told == ["busy; waiting 2 s"]
    clock.now += 6
    patience.wait_or_raise(failed(), started=clock.now - 1)
    patience.wait_or_raise(failed(), started=clock.now - 1)
    assert told[1:] == ["busy; waiting 6 s"]
    clock.now += 6
    with pytest.raises(
        ProposerError, match=r"busy; after 12 s of waiting another 12 s would go beyond llm\.patience_s=20"
    ):
        patience.wait_or_raise(failed(), started=clock.now)
    patience.answered()
    patience.wait_or_raise(failed(after_s=20), started=clock.now)


def test_some_failures_are_not_waited_for() -> None:
    patience = Patience(100.0, pytest.fail, Clock())
    for retry in (Retry.NEVER, Retry.IF_SEEN):
        with pytest.raises(ProposerError, match=r"^busy$"):
            patience.wait_or_raise(failed(retry), started=0)
    seen = Patience(100.0, lambda text: None)
    seen.answered()
    seen.wait_or_raise(failed(Retry.IF_SEEN), started=time.monotonic())


def test_holding_ends_at_the_longest_and_at_a_stop() -> None:
    patience = Patience(100.0, lambda text: None)
    patience.wait_or_raise(failed(after_s=60), started=time.monotonic())
    started = time.monotonic()
    patience.hold(threading.Event(), longest_s=0.1)
    stopped = threading.Event()
    stopped.set()
    patience.hold(stopped)
    assert 0.1 <= time.monotonic() - started < 1


def test_retry_after() -> None:
    assert retry_after_s({"retry-after": "7"}) == 7
    assert retry_after_s({"retry-after-ms": "250", "retry-after": "7"}) == 0.25
    assert retry_after_s({"retry-after": "-3"}) == 0
    assert retry_after_s({}) is None
    assert retry_after_s({"retry-after": "soon"}) is None
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    assert retry_after_s({"retry-after": date}) == pytest.approx(30, abs=2)


# ---- keys --------------------------------------------------------------------------------------------------------


def test_keys_are_taken_from_the_environment() -> None:
    environment = {"ANTHROPIC_API_KEY": " sk-a ", "OPENAI_API_KEY": "  ", "HOME": "/home/me"}
    keys = take_keys(environment)
    assert environment == {"HOME": "/home/me"}
    assert list(keys) == ["anthropic"]
    assert keys["anthropic"].reveal() == "sk-a"
    assert repr(keys) == "{'anthropic': Key(ANTHROPIC_API_KEY)}"
    assert no_key("X").reveal() == "none"


def test_redaction() -> None:
    key = Key("OPENAI_API_KEY", "plain-but-secret")
    text = "plain-but-secret, sk-proj-ab12CD34ef, sk-ant-api03-xyz***wxyz; task-force and sky stay"
    assert key.redact(text) == "[key], [key], [key]; task-force and sky stay"


@pytest.mark.parametrize("value", ["sk-a b", "sk-a\nb", "sk-키"])
def test_what_is_no_key(value: str) -> None:
    with pytest.raises(ProposerError, match="OPENAI_API_KEY holds something that is no key") as caught:
        Key("OPENAI_API_KEY", value).require_usable()
    assert value not in str(caught.value)
    Key("OPENAI_API_KEY", "sk-fine\n").require_usable()
