"""Asking a proposer: prompts that are too long are shortened, and rejected candidates are asked about again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from eureka.answer_text import without_thinking
from eureka.errors import ContextTooLong, ProposerError
from eureka.llm.base import Proposer
from eureka.prompts import render_continuation, render_repair, shortened
from eureka.store import RunStore
from eureka.types import Completion, Prompt, PromptFacts, Rejected, Stage

SHORTENINGS = 2
"""How often a prompt that is too long is shortened and asked again."""

Render = Callable[[PromptFacts], Prompt]


class Asked(NamedTuple):
    """An answer, and the prompt that it answers: a shortened one where the first was too long."""

    prompt: Prompt
    completion: Completion


@dataclass(frozen=True)
class FurtherCall:
    """One more call about a candidate that is rejected as it stands.

    `answer` is its newest; `source` what was extracted from it, empty where nothing was. `continues` asks for the rest
    of an answer that was cut off, anything else for a repair.
    """

    rejected: Rejected
    answer: Completion
    source: str
    continues: bool

    @property
    def attempt(self) -> int:
        """The number of the wanted answer."""
        return self.answer.attempt + 1


def further_calls(proposer: Proposer, store: RunStore, generation: int, repairs: int) -> list[FurtherCall]:
    """The calls to make about rejected candidates of a generation, at most one for each.

    An answer that was cut off is asked to go on once; beside that a candidate gets at most `repairs` repairs. What
    failed in training is not repaired.
    """
    if not proposer.can_repair:
        return []
    answers = store.completions(generation)
    sources = {candidate.id: candidate.source for candidate in store.candidates(generation)}
    calls = []
    for rejected in store.rejections(generation):
        given = answers[rejected.candidate_id]
        newest = given[-1]
        cut_off = rejected.stage is Stage.EXTRACT and newest.finish == "length" and newest.text.strip() != ""
        continues = cut_off and not newest.continues
        repaired = sum(not answer.continues for answer in given[1:])
        if rejected.stage is not Stage.TRAIN and (continues or repaired < repairs):
            calls.append(FurtherCall(rejected, newest, sources.get(rejected.candidate_id, ""), continues))
    return calls


def ask(proposer: Proposer, prompt: Prompt, candidate_ids: Sequence[str], render: Render) -> Iterator[Asked]:
    """An answer for each id as it arrives.

    Args:
        render: makes the same prompt anew from shortened facts.

    Raises:
        ContextTooLong: the prompt is too long even after `SHORTENINGS` shortenings.
        ProposerError: the proposer cannot go on.
    """
    left = list(candidate_ids)
    for shortenings in range(SHORTENINGS + 1):
        try:
            for completion in proposer.sample(prompt, tuple(left)):
                left.remove(completion.candidate_id)
                yield Asked(prompt, completion)
            return
        except ContextTooLong:
            facts = shortened(prompt.facts, shortenings)
            if facts is None or shortenings == SHORTENINGS:
                raise
            prompt = render(facts)


def ask_again(proposer: Proposer, prompt: Prompt, call: FurtherCall, render: Render) -> Completion:
    """The answer to a repair or a continuation; `prompt` is the generation's.

    Raises:
        ContextTooLong, ProposerError: as `ask`.
    """

    def again(base: Prompt) -> Prompt:
        if call.continues:
            return render_continuation(base, call.answer)
        said = without_thinking(call.answer.text).text
        return render_repair(base, call.rejected, call.attempt, source=call.source, answer=said)

    identity = call.rejected.candidate_id
    answers = list(ask(proposer, again(prompt), [identity], lambda facts: again(render(facts))))
    if not answers:
        raise ProposerError(f"{proposer.name} gave no answer for candidate {identity}")
    return replace(answers[0].completion, attempt=call.attempt, continues=call.continues)
