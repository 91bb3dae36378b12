"""A person's judgement as the search needs it: when it is asked for, and what the next prompt tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from eureka.core.types import Feedback, Verdict
from eureka.store import RunStore

MAX_FEEDBACK = 3
"""Of how many generations a prompt tells what a person said."""


class Reviewer(Protocol):
    """Asks a person what they think of a generation's policies; None where nobody is to be asked.

    `parent` is the one of `shown` that comes from an earlier generation, where there is one.
    """

    def review(self, generation: int, shown: Sequence[str], parent: str | None) -> Feedback | None: ...


def have_reviewed(reviewer: Reviewer, store: RunStore, generation: int, trained: Sequence[str]) -> None:
    """Have a person judge the policies that a generation trained, beside its parent's, and record what they said.

    What is recorded is not asked for again.
    """
    if not trained or any(said.generation == generation for said in store.feedback()):
        return
    prompt = store.prompt(generation)
    parent = prompt.facts.reflection.candidate_id if prompt and prompt.facts.reflection else None
    shown = list(dict.fromkeys([*([parent] if parent else []), *trained]))
    feedback = reviewer.review(generation, shown, parent)
    if feedback is not None:
        store.record_feedback(feedback)


def said_before(store: RunStore, generation: int) -> tuple[Feedback, ...]:
    """What a person said after the generations before, the newest first."""
    answers = [said for said in store.feedback() if said.generation < generation]
    return tuple(said for said in reversed(answers) if said.verdict is not Verdict.NO_ANSWER)[:MAX_FEEDBACK]


def liked_least(store: RunStore, said: Sequence[Feedback]) -> str:
    """The source of the reward that the newest answer calls the worst; empty where it calls none so."""
    worst = said[0].worst if said else None
    return next((candidate.source for candidate in store.candidates() if candidate.id == worst), "")
