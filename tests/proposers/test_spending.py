"""What a stored run has spent, killed ones and answers that do not say included."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from records import ask_for

from eureka.core.costs import Spent, Usage
from eureka.core.types import Completion, Message, Prompt, PromptFacts
from eureka.proposers.anthropic import AnthropicConfig
from eureka.proposers.budget import Caps, Ledger
from eureka.proposers.models import resolve_model
from eureka.proposers.provider import ModelConfig
from eureka.proposers.spending import recording_costs, spending_line, spent_before, unrecorded_costs
from eureka.proposers.tokens import token_bound
from eureka.store import RunStore

LLM: ModelConfig = resolve_model(AnthropicConfig(concurrency=2, max_output_tokens=1000), {})
MESSAGES = (Message("system", "s"), Message("user", "u"))
BOUND = token_bound(MESSAGES)
# claude-sonnet-5-5: $2.5 a million tokens into the cache, $10 to write.
BOUND_USD = (BOUND * 2.5 + 1000 * 10) / 1e6


class Killed(Exception):
    """The process ends, and what it would have written at its end is taken back."""


def test_a_killed_run_and_an_orderly_one(tmp_path: Path) -> None:
    with RunStore.create(tmp_path / "run", "") as store:
        assert spent_before(store, LLM) == Spent()
        with suppress(Killed), recording_costs(store, LLM, Ledger(Caps())):
            names = ["g01-c01", "g01-c02", "g01-c03", "g01-c04", "g01-c05"]
            ask_for(store, names, Prompt(MESSAGES, PromptFacts("t", 0, 1, ())))
            store.record_completion(Completion("g01-c01", "a", "m", Usage(90, 10, usd=0.25)))
            store.record_completion(Completion("g01-c02", "", "m"))
            # Were it killed here, of the three without an answer at most two were in flight.
            lost = Spent(tokens=2 * (BOUND + 1000), usd=2 * BOUND_USD)
            killed = Spent(lost.tokens, pytest.approx(lost.usd))
            assert unrecorded_costs(store, LLM) == killed
            kept = store.facts()
            raise Killed
        store.record_facts(kept)
        assert unrecorded_costs(store, LLM) == killed
        # The answer that does not say what it used counts in full, its own text as a part of a possible repair.
        spent = spent_before(store, LLM)
        assert spent.tokens - lost.tokens - 100 == token_bound([*MESSAGES, Message("assistant", "")]) + 4096 + 1000
        assert spent.usd > lost.usd + 0.25

        ledger = Ledger(Caps(), clock=iter([0.0, 5.0]).__next__)
        with recording_costs(store, LLM, ledger):
            # Killed once more, the first kill's calls are known, and those without an answer may be in flight again.
            assert unrecorded_costs(store, LLM).tokens == 2 * lost.tokens
            with ledger.waiting(), ledger.reserved(7, 0.5):
                pass
        assert unrecorded_costs(store, LLM) == Spent(lost.tokens + 7, pytest.approx(2 * BOUND_USD + 0.5), 5.0)


def test_lines(tmp_path: Path) -> None:
    with RunStore.create(tmp_path / "run", "") as store:
        store.record_completion(Completion("g01-c01", "a", "m", Usage(1000, 100, 750, 40, 0.25)))
        store.record_completion(Completion("g02-c01", "a", "m", Usage(1000, 100, None, None, 0.5)))
        store.record_completion(Completion("g02-c01", "b", "m", Usage(3000, 300, 1000, 0, 0.25), attempt=1))
        store.record_completion(Completion("g03-c01", "a", "m"))
        store.record_completion(Completion("g04-c01", "a", "m", Usage(1, 1)))
        store.record_completion(Completion("g04-c02", "a", "m"))
        lines = [spending_line(store, generation) for generation in (1, 2, 3, 4)]
    assert lines == [
        "1 answer: 1,000 tokens read (75% from the cache), 100 written (40 reasoning), $0.25; run so far price not "
        "known",
        "2 answers: 4,000 tokens read (25% from the cache), 400 written, $0.75; run so far price not known",
        "1 answer: tokens and price not known; run so far price not known",
        "2 answers (1 do not say): 1 tokens read (0% from the cache), 1 written, price not known; run so far price not "
        "known",
    ]
