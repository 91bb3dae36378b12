"""The interface between the search and whatever writes reward functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from eureka.core.errors import ProposerError
from eureka.core.types import Completion, Prompt


def _reads_any(source: str) -> bool:
    del source
    return True


@dataclass(frozen=True)
class ProposerCapabilities:
    """What a proposer can do.

    Attributes:
        uses_metric: reads `PromptFacts.probe`, the correlation of State columns with the task metric; the caller prints
            and stores that ("had metric access").
        can_repair: can be asked again about one candidate, with its code and its error, or to continue an answer that
            was cut off.
        varies: gives different answers to the same prompt, so prompts need no sentence that asks for variety.
        reads: whether it can improve on a reward with this source, which may be its own or not.
    """

    uses_metric: bool = False
    can_repair: bool = False
    varies: bool = False
    reads: Callable[[str], bool] = _reads_any


class Proposer(Protocol):
    """Answers prompts. `name` is its name in the config; `description` is one sentence for the user."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def capabilities(self) -> ProposerCapabilities: ...

    def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
        """One independent single call for each candidate id, yielded as each answer arrives, in any order.

        If a prompt's `facts.attempt` is above 0, it is a conversation about that candidate: system, user, the
        candidate's answer so far, and the request to repair or continue it.

        Raises ProposerError if it cannot continue, its subclass ContextTooLong if a shorter prompt would help; answers
        yielded before stay valid.
        """
        ...


@runtime_checkable
class ReportsCalls(Protocol):
    """A proposer that calls a server: `on_call` is given a candidate's id just before a call for it is made.

    What was never sent cannot have been billed. It is called from several threads.
    """

    on_call: Callable[[str], None]


class FakeProposer:
    """For tests: returns fixed answers by candidate id, and records the prompts.

    A candidate's answer is a text, or a tuple of texts by attempt, of which the last is used for all later ones. With a
    tuple among them it can repair.
    """

    name = "fake"
    description = "A fake that gives fixed answers, for tests."

    def __init__(self, answers: Mapping[str, str | tuple[str, ...]]) -> None:
        self._answers = {name: (given,) if isinstance(given, str) else given for name, given in answers.items()}
        self.capabilities = ProposerCapabilities(
            can_repair=any(not isinstance(given, str) for given in answers.values())
        )
        self.prompts: list[Prompt] = []

    def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
        """The fixed answer of each id, in order. Raises ProposerError for an id without an answer."""
        for candidate_id, prompt in prompts.items():
            self.prompts.append(prompt)
            if candidate_id not in self._answers:
                raise ProposerError(f"The fake proposer was given no answer for candidate {candidate_id}.")
            texts = self._answers[candidate_id]
            yield Completion(candidate_id, texts[min(prompt.facts.attempt, len(texts) - 1)], model=self.name)
