"""`llm.fallback`: who takes over, and when."""

from __future__ import annotations

import pytest
from chat_helpers import collect, endpoint, ids, openai_error, prompts, proposer
from model_server import Step, serving

from eureka.core.errors import BudgetReached, ContextTooLong, ProposerError
from eureka.proposers.base import FakeProposer
from eureka.proposers.budget import Caps
from eureka.proposers.fallback import Fallback


@pytest.mark.process
def test_the_fallback_takes_over_for_good() -> None:
    told: list[str] = []
    with serving(Step("one"), Step(status=401, body=openai_error("no"))) as server:
        first = proposer(endpoint("openai", server.url), concurrency=1)
        second = FakeProposer({name: f"second {name}" for name in ids(4)})
        both = Fallback(first, second, told.append)
        assert (both.name, both.capabilities.can_repair, both.capabilities.uses_metric) == ("openai", True, False)
        assert "If it fails, llm.fallback takes over: A fake" in both.description
        answers = list(both.sample_each(prompts(4)))
        assert [a.text for a in answers] == ["one", "second g01-c02", "second g01-c03", "second g01-c04"]
        list(both.sample_each(prompts(2)))
        assert (both.name, both.capabilities.can_repair) == ("fake", False)
        assert len(server.requests) == 2
    assert len(told) == 1
    assert told[0].endswith("; fake takes over")


@pytest.mark.process
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
    assert [a.text for a in both.sample_each(prompts(1))] == ["a"]
