"""Asking a proposer: prompts that are too long are shortened, and rejected candidates are asked about again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from eureka.core.errors import ContextTooLong, ProposerError
from eureka.core.ids import INIT_ID
from eureka.core.types import Completion, Prompt, PromptFacts, Rejected, Stage, TaskSpec
from eureka.prompts import render_continuation, render_prompt, render_repair, shortened
from eureka.proposers.base import Proposer
from eureka.reward.extract.answer_text import without_thinking
from eureka.store import RunStore

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


def task_prompt(spec: TaskSpec, facts: PromptFacts) -> Prompt:
    """A generation's prompt for a task."""
    return render_prompt(
        description=spec.sentence,
        environment_source=spec.source,
        control_step_s=spec.control_step_s,
        episode_steps=spec.episode_steps,
        facts=facts,
    )


def further_calls(proposer: Proposer, store: RunStore, generation: int, repairs: int) -> list[FurtherCall]:
    """The calls to make about rejected candidates of a generation, at most one for each.

    An answer that was cut off is asked to go on once; beside that a candidate gets at most `repairs` repairs. What
    failed in training is not repaired, and neither is what a person wrote.
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
        is_asked_for = rejected.stage is not Stage.TRAIN and rejected.candidate_id != INIT_ID
        if is_asked_for and (continues or repaired < repairs):
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


def ask_again(proposer: Proposer, prompt: Prompt, calls: Sequence[FurtherCall], render: Render) -> Iterator[Completion]:
    """The answers to one round of repairs and continuations as they arrive; `prompt` is the generation's.

    They are asked for side by side. Where one does not fit into the model's context, those that are left are asked for
    one at a time with shorter prompts, and a call that does not fit even so has no answer.

    Raises:
        ProposerError: the proposer cannot go on, or gives no answer to a call that fits.
    """
    left = {call.rejected.candidate_id: call for call in calls}
    try:
        prompts = {identity: _conversation(prompt, call) for identity, call in left.items()}
        for completion in proposer.sample_each(prompts):
            yield _answer_to(left.pop(completion.candidate_id), completion)
        if left:
            raise _no_answer(proposer, next(iter(left)))
    except ContextTooLong:
        for identity, call in left.items():
            yield from _answer_that_fits(proposer, prompt, identity, call, render)


def _answer_that_fits(
    proposer: Proposer, prompt: Prompt, identity: str, call: FurtherCall, render: Render
) -> list[Completion]:
    """The answer to one call, or none where its prompt is too long even when shortened."""

    def shorter(facts: PromptFacts) -> Prompt:
        return _conversation(render(facts), call)

    try:
        asked = list(ask(proposer, _conversation(prompt, call), [identity], shorter))
    except ContextTooLong:
        return []
    if not asked:
        raise _no_answer(proposer, identity)
    return [_answer_to(call, asked[0].completion)]


def _conversation(prompt: Prompt, call: FurtherCall) -> Prompt:
    if call.continues:
        return render_continuation(prompt, call.answer)
    said = without_thinking(call.answer.text).text
    return render_repair(prompt, call.rejected, call.attempt, source=call.source, answer=said)


def _answer_to(call: FurtherCall, completion: Completion) -> Completion:
    return replace(completion, attempt=call.attempt, continues=call.continues)


def _no_answer(proposer: Proposer, identity: str) -> ProposerError:
    return ProposerError(f"{proposer.name} gave no answer for candidate {identity}")
