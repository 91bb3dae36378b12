"""The cost of a run's answers: for its caps when it is resumed, and in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain

from eureka.core.costs import Spent, UnrecordedCosts
from eureka.core.ids import generation_of
from eureka.core.types import Completion, Message
from eureka.proposers.budget import Ledger
from eureka.proposers.models import chosen_models
from eureka.proposers.provider import ModelConfig
from eureka.proposers.tokens import token_bound
from eureka.store import RunStore

# Length of the text around a repair's code and error.
_REPAIR_TOKENS = 4096


def spent_before(store: RunStore, llm: ModelConfig) -> Spent:
    """The total spending of a run: on recorded answers, on lost ones, and on calls in flight when it was killed."""
    total = unrecorded_costs(store, llm)
    for answer in chain.from_iterable(store.completions().values()):
        read, written, usd = answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.usd
        if read is None or written is None:
            total += _bound(store, llm, answer.candidate_id)
        else:
            total += Spent(read + written, usd or 0.0)
    return total


def unrecorded_costs(store: RunStore, llm: ModelConfig) -> Spent:
    """Costs besides those of recorded answers: lost answers, waiting, and calls in flight when the run was killed."""
    kept = store.facts().unrecorded_costs
    if not kept.calls_open:
        return kept.spent
    in_flight = [call.candidate_id for call in store.calls_in_flight()][: llm.concurrency]
    return sum((_bound(store, llm, candidate_id) for candidate_id in in_flight), kept.spent)


@contextmanager
def recording_costs(store: RunStore, llm: ModelConfig, ledger: Ledger) -> Iterator[None]:
    """Within the context, mark in the store that calls are made, so that a killed run knows their possible cost."""
    before = unrecorded_costs(store, llm)
    _record(store, UnrecordedCosts(before, calls_open=True))
    try:
        yield
    finally:
        _record(store, UnrecordedCosts(before + ledger.unrecorded))


def _record(store: RunStore, costs: UnrecordedCosts) -> None:
    store.record_facts(replace(store.facts(), unrecorded_costs=costs))


def _bound(store: RunStore, llm: ModelConfig, candidate_id: str) -> Spent:
    """The maximum cost of one call for a candidate."""
    prompt = store.prompts(generation_of(candidate_id)).get((candidate_id, 0))
    messages = list(prompt.sent) if prompt else []
    answers = store.completions(generation_of(candidate_id)).get(candidate_id, ())
    messages += [Message("assistant", answer.text) for answer in answers]
    tokens = token_bound(messages) + (_REPAIR_TOKENS if answers else 0)
    usd = [chosen.prices.usd_bound(tokens, llm.max_output_tokens) or 0.0 for chosen in chosen_models(llm)]
    return Spent(tokens + llm.max_output_tokens, max(usd))


def spending_line(store: RunStore, generation: int) -> str:
    """The cost of a generation's answers, and of the run's so far, as a line of text."""
    of_run = [answer for answer in chain.from_iterable(store.completions().values()) if answer.was_asked]
    of_generation = [answer for answer in of_run if generation_of(answer.candidate_id) == generation]
    return f"{usage_line(of_generation)}; run so far {price([answer.usage.usd for answer in of_run])}"


def usage_line(completions: Sequence[Completion]) -> str:
    """Usage as text: `8 answers: 41,200 tokens read (88% from the cache), 9,800 written (3,100 reasoning), $0.12`;
    unknown figures are named.
    """
    usages = [completion.usage for completion in completions]
    known = [usage for usage in usages if usage.input_tokens is not None and usage.output_tokens is not None]
    count = f"{len(usages)} {'answer' if len(usages) == 1 else 'answers'}"
    if not known:
        return f"{count}: tokens and price not known"
    read = sum(usage.input_tokens or 0 for usage in known)
    written = sum(usage.output_tokens or 0 for usage in known)
    cached = sum(usage.cached_tokens or 0 for usage in known)
    reasoning = sum(usage.reasoning_tokens or 0 for usage in known)
    unsaid = f" ({len(usages) - len(known)} do not say)" if len(known) < len(usages) else ""
    thought = f" ({reasoning:,} reasoning)" if reasoning else ""
    share = f" ({cached / read:.0%} from the cache)" if read else ""
    tokens = f"{read:,} tokens read{share}, {written:,} written{thought}"
    return f"{count}{unsaid}: {tokens}, {price([usage.usd for usage in usages])}"


def price(usd: Sequence[float | None]) -> str:
    """The total price such as `$0.12`, or `price not known` if any answer's price is unknown."""
    return "price not known" if None in usd else f"${sum(u for u in usd if u is not None):.4g}"
