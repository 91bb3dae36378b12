"""Asks a proposer for samples: renders prompts, shortens those that are too long, and asks again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from eureka.core.errors import ContextTooLong, ProposerError
from eureka.core.ids import generation_of
from eureka.core.types import AnswerKind, Completion, Origin, Prompt, PromptFacts, Rejected, Sample, Stage, TaskSpec
from eureka.prompts import render_continuation, render_prompt, render_repair, shortened
from eureka.proposers.base import Proposer, ReportsCalls
from eureka.reward.extract.answer_text import without_thinking
from eureka.search.history import History
from eureka.store import RunStore

SHORTENINGS = 4
"""How often a prompt that is too long is shortened and sent again."""

TOO_LONG = "its prompt is too long for the model, even shortened"

Render = Callable[[Sample, PromptFacts], Prompt]


def follow_up(history: History, rejected: Rejected) -> Sample | None:
    """One more sample for a rejected candidate: the rest of an answer that was cut off, or a repair.

    An answer that was cut off is asked to go on once; apart from that, a candidate gets as many repairs as the budget
    allows. Candidates that failed in training are not repaired, and neither are those that no proposer wrote.
    """
    identity = rejected.candidate_id
    answers, asked = history.answers.get(identity, ()), history.samples[identity][-1]
    if rejected.stage is Stage.TRAIN or asked.origin is not Origin.ASKED or not answers or asked.given_up:
        return None
    newest = answers[-1]
    continues = rejected.stage is Stage.EXTRACT and _goes_on(newest)
    repaired = sum(not answer.continues for answer in answers[1:])
    if not continues and repaired >= history.budget.repairs:
        return None
    return _again(asked, newest, continues=continues)


def rest_of_texts(history: History) -> list[Sample]:
    """A continuation for each text of this generation that was cut off, at most one per text."""
    return [
        _again(history.samples[name][-1], answers[-1], continues=True)
        for name, answers in history.answers.items()
        if generation_of(name) == history.generation
        and not expects_reward(history, name)
        and _goes_on(answers[-1])
        and not history.samples[name][-1].given_up
    ]


def _goes_on(newest: Completion) -> bool:
    """Whether an answer was cut off at the token limit and may be continued."""
    return newest.finish == "length" and newest.text.strip() != "" and not newest.continues


def _again(asked: Sample, newest: Completion, *, continues: bool) -> Sample:
    attempt = newest.attempt + 1
    facts = replace(asked.facts, attempt=attempt)
    return replace(asked, facts=facts, attempt=attempt, continues=continues, ending="", given_up="")


def first_prompt(spec: TaskSpec, sample: Sample, facts: PromptFacts | None = None) -> Prompt:
    """The prompt of a candidate's first sample, from its own facts or from the shortened `facts`."""
    return render_prompt(spec, facts or sample.facts, template=sample.template, ending=sample.ending)


def ask(proposer: Proposer, store: RunStore, history: History, samples: Sequence[Sample]) -> Iterator[Completion]:
    """Yield the answers to samples as they arrive; each prompt is recorded as it is sent.

    Args:
        samples: all first attempts, or all further ones. A further attempt that does not fit into the model's context
            even when shortened is recorded as given up; the others are still asked for.

    Raises:
        ContextTooLong: a first prompt is too long even after `SHORTENINGS` shortenings.
        ProposerError: the proposer cannot continue, or gives no answer.
    """
    render = _renderer(history)
    if samples[0].attempt == 0:
        yield from _ask(proposer, store, samples, render)
        return
    left = {sample.id: sample for sample in samples}
    try:
        prompts = {name: render(sample, sample.facts) for name, sample in left.items()}
        for completion in _sent(proposer, store, left, prompts):
            del left[completion.candidate_id]
            yield completion
        if left:
            raise ProposerError(f"{proposer.name} gave no answer for candidate {next(iter(left))}")
    except ContextTooLong:
        for sample in left.values():
            try:
                yield from _ask(proposer, store, [sample], render, refused=True)
            except ContextTooLong:
                store.record_samples([replace(sample, given_up=TOO_LONG)])


def _ask(
    proposer: Proposer, store: RunStore, samples: Sequence[Sample], render: Render, *, refused: bool = False
) -> Iterator[Completion]:
    """Yield answers, shortening prompts while they are too long.

    Args:
        refused: these prompts were sent before and refused as too long, so they start shortened.
    """
    left = {sample.id: sample for sample in samples}
    facts = {name: sample.facts for name, sample in left.items()}
    for shortenings in range(SHORTENINGS + 1):
        prompts = {name: render(sample, facts[name]) for name, sample in left.items()}
        try:
            for completion in _sent(proposer, store, left, prompts, refused=refused or shortenings > 0):
                del left[completion.candidate_id]
                yield completion
        except ContextTooLong:
            shorter = {name: shortened(facts[name], shortenings) for name in left}
            if not any(shorter.values()) or shortenings == SHORTENINGS:
                raise
            facts = {name: each or facts[name] for name, each in shorter.items()}
            store.record_samples([replace(sample, facts=facts[name]) for name, sample in left.items()])
            continue
        if left:
            raise ProposerError(f"{proposer.name} gave no answer for candidate {next(iter(left))}")
        return


def _sent(
    proposer: Proposer,
    store: RunStore,
    samples: Mapping[str, Sample],
    prompts: Mapping[str, Prompt],
    *,
    refused: bool = False,
) -> Iterator[Completion]:
    """Record these prompts, send them, and yield the answers; a call is recorded when it is made."""

    def on_call(name: str) -> None:
        store.record_calls([name], samples[name].attempt, refused=refused)

    for attempt in sorted({sample.attempt for sample in samples.values()}):
        of_attempt = {name: prompts[name] for name in prompts if samples[name].attempt == attempt}
        store.record_prompts(of_attempt, attempt)
        if not isinstance(proposer, ReportsCalls):
            store.record_calls(of_attempt, attempt, refused=refused)
    if isinstance(proposer, ReportsCalls):
        proposer.on_call = on_call
    for completion in proposer.sample_each(prompts):
        sample = samples[completion.candidate_id]
        yield replace(completion, attempt=sample.attempt, continues=sample.continues)


def _renderer(history: History) -> Render:
    def render(sample: Sample, facts: PromptFacts) -> Prompt:
        if sample.attempt == 0:
            return first_prompt(history.spec, sample, facts)
        first = replace(history.samples[sample.id][0], ending="")
        conversation = first_prompt(history.spec, first, replace(facts, attempt=0))
        answer = history.answers[sample.id][-1]
        if sample.continues:
            return render_continuation(conversation, answer)
        candidate = history.candidates.get(sample.id)
        said = without_thinking(answer.text).text
        rejected = history.rejections[sample.id]
        source = candidate.source if candidate else ""
        return render_repair(conversation, rejected, sample.attempt, source=source, answer=said)

    return render


def expects_reward(history: History, identity: str) -> bool:
    """Whether the answers for a candidate are rewards, rather than texts for later prompts."""
    return history.samples[identity][0].answer is AnswerKind.REWARD
