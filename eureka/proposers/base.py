"""The narrow seam between the search and whatever writes reward functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from eureka.core.errors import ProposerError
from eureka.core.types import Completion, Prompt


class Proposer(Protocol):
    """Answers a prompt once for each candidate id.

    `name` is what the config calls it. `uses_metric` declares that it reads `PromptFacts.probe`, the correlation of
    State columns with the task metric; the caller prints and stores that ("had metric access"). `description` is one
    sentence for the user, printed before the run. `can_repair` declares that it can be asked again about one candidate,
    with its code and what is wrong with it, or to go on with an answer that was cut off.
    """

    @property
    def name(self) -> str: ...

    @property
    def uses_metric(self) -> bool: ...

    @property
    def description(self) -> str: ...

    @property
    def can_repair(self) -> bool: ...

    def reads(self, source: str) -> bool:
        """Whether it can improve on a reward with this source, be it its own or somebody else's."""
        ...

    def sample(self, prompt: Prompt, candidate_ids: Sequence[str]) -> Iterator[Completion]:
        """One independent single call for each id, yielded as each answer arrives, in any order.

        Raises ProposerError where it cannot go on, its subclass ContextTooLong where a shorter prompt would help; what
        it has yielded before stays valid.
        """
        ...

    def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
        """As `sample`, with a prompt for each id.

        Where a prompt's `facts.attempt` is above 0, it is a conversation about that one candidate: system, user, the
        candidate's answer so far, and what is to be done about it.
        """
        ...


class OneByOne:
    """What those have in common who answer at once, so that nothing is gained by asking in parallel."""

    def reads(self, source: str) -> bool:
        """Any source."""
        del source
        return True

    def sample_each(self: Proposer, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
        """One call after another."""
        for candidate_id, prompt in prompts.items():
            yield from self.sample(prompt, [candidate_id])


class FakeProposer(OneByOne):
    """For tests: gives back fixed answers by candidate id, and remembers the prompts that it was asked.

    A candidate's answer is a text, or a tuple of texts by attempt, of which the last stands for all later ones. With a
    tuple among them it can repair.
    """

    name = "fake"
    uses_metric = False
    description = "A fake that gives fixed answers, for tests."

    def __init__(self, answers: Mapping[str, str | tuple[str, ...]]) -> None:
        self._answers = {name: (given,) if isinstance(given, str) else given for name, given in answers.items()}
        self.can_repair = any(not isinstance(given, str) for given in answers.values())
        self.prompts: list[Prompt] = []

    def sample(self, prompt: Prompt, candidate_ids: Sequence[str]) -> Iterator[Completion]:
        """The fixed answer of each id, in order. Raises ProposerError at an id that it has none for."""
        self.prompts.append(prompt)
        for candidate_id in candidate_ids:
            if candidate_id not in self._answers:
                raise ProposerError(f"The fake proposer was given no answer for candidate {candidate_id}.")
            texts = self._answers[candidate_id]
            yield Completion(candidate_id, texts[min(prompt.facts.attempt, len(texts) - 1)], model=self.name)
