"""A person's feedback: which candidates the person is asked about, and what the next prompt quotes of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from eureka.core.types import Feedback, Verdict
from eureka.search.history import History

MAX_FEEDBACK = 3
"""Number of recent generations whose feedback is put into a prompt."""


class Reviewer(Protocol):
    """Asks a person for an opinion of a generation's policies; returns None if no person is available.

    `parent` is the candidate in `shown` from an earlier generation, if any.
    """

    def review(self, generation: int, shown: Sequence[str], parent: str | None) -> Feedback | None: ...


def earlier_feedback(history: History) -> tuple[Feedback, ...]:
    """A person's feedback on earlier generations, newest first."""
    answers = [said for said in history.feedback if said.generation < history.generation]
    return tuple(said for said in reversed(answers) if said.verdict is not Verdict.NO_ANSWER)[:MAX_FEEDBACK]


def source_of_worst(history: History, said: Sequence[Feedback]) -> str:
    """The source of the reward that the newest feedback calls the worst; empty if it names none."""
    worst = said[0].worst if said else None
    candidate = history.candidates.get(worst) if worst else None
    return candidate.source if candidate else ""
