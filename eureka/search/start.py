"""The reward that a search starts from, if a person gave one (Eureka's human initialisation, Ma et al. 2023, 4.4).

It is the candidate `g01-c00`, in addition to the samples of the first generation. It is extracted, traced and verified
like an answer, and trained before the first prompt, which includes its results.
"""

from __future__ import annotations

from dataclasses import dataclass

from eureka.config import HUMAN
from eureka.core.costs import Usage
from eureka.core.ids import INIT_ID
from eureka.core.types import Completion
from eureka.prompts.render import fenced
from eureka.store import RunFacts

MODEL = "init"
"""Recorded in place of a model's name."""


@dataclass(frozen=True)
class Start:
    """A reward to start from: its source, and the value of `search.init`."""

    origin: str
    source: str

    @property
    def sentence(self) -> str:
        """A sentence for the user about how this start is used."""
        what = "the task's human-written reward" if self.origin == HUMAN else f"your reward ({self.origin})"
        return (
            f"the search starts from {what} as {INIT_ID}: it is trained first, and the first prompt tells how that went"
        )


def given_answer(source: str, identity: str = INIT_ID) -> Completion:
    """A source that was given, not asked for, as an answer without cost."""
    return Completion(identity, fenced(source, "python") + "\n", MODEL, Usage(0, 0, usd=0.0), given=True)


def recorded_start(facts: RunFacts) -> Start | None:
    """The start of a run, as stored in it, so that it can be resumed without the original file; None if there is
    none."""
    return Start(facts.init, facts.init_source) if facts.init else None


def label(facts: RunFacts) -> str:
    """The display name of a run's `g01-c00`: `your reward`, or `human reward` for the task's own."""
    return "human reward" if facts.init == HUMAN else "your reward"
