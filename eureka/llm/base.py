"""The narrow seam between the search and whatever writes reward functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from eureka.errors import ProposerError
from eureka.types import Completion, Prompt


class Proposer(Protocol):
    """Answers a prompt once for each candidate id.

    `name` is what the config calls it. `uses_metric` declares that it reads `PromptFacts.probe`, the correlation of
    State columns with the task metric; the caller prints and stores that ("had metric access"). `description` is one
    sentence for the user, printed before the run.
    """

    @property
    def name(self) -> str: ...

    @property
    def uses_metric(self) -> bool: ...

    @property
    def description(self) -> str: ...

    def sample(self, prompt: Prompt, candidate_ids: Sequence[str]) -> Iterator[Completion]:
        """One independent single call for each id, yielded as each answer arrives, in any order.

        Raises ProposerError where it cannot go on; what it has yielded before stays valid.
        """
        ...


class FakeProposer:
    """For tests: gives back fixed answers by candidate id, and remembers the prompts that it was asked."""

    name = "fake"
    uses_metric = False
    description = "A fake that gives fixed answers, for tests."

    def __init__(self, answers: Mapping[str, str]) -> None:
        self._answers = answers
        self.prompts: list[Prompt] = []

    def sample(self, prompt: Prompt, candidate_ids: Sequence[str]) -> Iterator[Completion]:
        """The fixed answer of each id, in order. Raises ProposerError at an id that it has none for."""
        self.prompts.append(prompt)
        for candidate_id in candidate_ids:
            if candidate_id not in self._answers:
                raise ProposerError(f"The fake proposer was given no answer for candidate {candidate_id}.")
            yield Completion(candidate_id, self._answers[candidate_id], model=self.name)
