"""A person's feedback: which candidates they are asked about, and what the next prompt says of their answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from eureka.core.types import Feedback, Verdict
from eureka.search.history import History

MAX_FEEDBACK = 3
"""The number of the latest generations whose feedback is in a prompt."""


class Reviewer(Protocol):
    """Asks a person what they think of a generation's policies; None where nobody is to be asked.

    `parent` is the one of `shown` that comes from an earlier generation, where there is one.
    """

    def review(self, generation: int, shown: Sequence[str], parent: str | None) -> Feedback | None: ...


def said_before(history: History) -> tuple[Feedback, ...]:
    """What a person said after the generations before, the newest first."""
    answers = [said for said in history.feedback if said.generation < history.generation]
    return tuple(said for said in reversed(answers) if said.verdict is not Verdict.NO_ANSWER)[:MAX_FEEDBACK]


def liked_least(history: History, said: Sequence[Feedback]) -> str:
    """The source of the reward that the newest answer calls the worst; empty where it calls none so."""
    worst = said[0].worst if said else None
    candidate = history.candidates.get(worst) if worst else None
    return candidate.source if candidate else ""
