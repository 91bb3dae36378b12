"""The reward that a search starts from, where a person gave one (Eureka's human initialisation, Ma et al. 2023, 4.4).

It is the candidate `g01-c00`, in addition to the samples of the first generation: extracted, traced and verified as an
answer would be, and trained before the first prompt, which has its results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eureka.config import HUMAN
from eureka.core.ids import INIT_ID
from eureka.core.types import Completion, Usage
from eureka.prompts.render import fenced

MODEL = "init"
"""What the record of the answer has in place of a model's name."""

_ORIGIN, _SOURCE = "init", "init source"


@dataclass(frozen=True)
class Start:
    """A reward to start from: its source, and `search.init` as it was given."""

    origin: str
    source: str

    @property
    def facts(self) -> dict[str, str]:
        """What a run keeps of it, so that it goes on whatever becomes of the file."""
        return {_ORIGIN: self.origin, _SOURCE: self.source}

    @property
    def sentence(self) -> str:
        """What happens with it, for the user."""
        what = "the task's human-written reward" if self.origin == HUMAN else f"your reward ({self.origin})"
        return (
            f"the search starts from {what} as {INIT_ID}: it is trained first, and the first prompt tells how that went"
        )


def given_answer(source: str, identity: str = INIT_ID) -> Completion:
    """A source that was given and not asked for, as an answer that cost nothing."""
    return Completion(identity, fenced(source, "python") + "\n", MODEL, Usage(0, 0, usd=0.0), given=True)


def recorded_start(facts: Mapping[str, str]) -> Start | None:
    """The start of a run by what it keeps about itself."""
    return Start(facts[_ORIGIN], facts[_SOURCE]) if _ORIGIN in facts else None


def label(facts: Mapping[str, str]) -> str:
    """What a run's `g01-c00` is called: `your reward`, or `human reward` for the task's own."""
    return "human reward" if facts.get(_ORIGIN) == HUMAN else "your reward"
