"""`llm.fallback`: a second proposer that takes over when the first one fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from eureka.core.errors import BudgetReached, ContextTooLong, ProposerError
from eureka.core.types import Completion, Prompt
from eureka.proposers.base import Proposer, ProposerCapabilities, ReportsCalls


class Fallback:
    """Asks `first` until it fails, and from then on `second`, also for the missing answers.

    Caps apply to both, and prompts that are too long must be shortened by the caller, so neither causes the change.
    `tell` is called with a sentence when the second takes over.
    """

    def __init__(self, first: Proposer, second: Proposer, tell: Callable[[str], None]) -> None:
        self._first = first
        self._second = second
        self._tell = tell
        self._failed = False
        self._on_call: Callable[[str], None] = lambda _name: None

    @property
    def on_call(self) -> Callable[[str], None]:
        """What is called for each call, see `ReportsCalls`; a second that makes none is taken as if it did."""
        return self._on_call

    @on_call.setter
    def on_call(self, callback: Callable[[str], None]) -> None:
        self._on_call = callback
        for proposer in (self._first, self._second):
            if isinstance(proposer, ReportsCalls):
                proposer.on_call = callback

    @property
    def name(self) -> str:
        """The name of the proposer in use."""
        return self._second.name if self._failed else self._first.name

    @property
    def capabilities(self) -> ProposerCapabilities:
        """The capabilities of the proposer in use; `uses_metric` if either of the two reads the probe."""
        first, second = self._first.capabilities, self._second.capabilities
        return replace(second if self._failed else first, uses_metric=first.uses_metric or second.uses_metric)

    @property
    def description(self) -> str:
        """Two sentences for the user."""
        return f"{self._first.description} If it fails, llm.fallback takes over: {self._second.description}"

    def sample_each(self, prompts: Mapping[str, Prompt]) -> Iterator[Completion]:
        """One call for each id with its own prompt, see `Proposer.sample_each`."""
        missing = dict(prompts)
        if not self._failed:
            try:
                for completion in self._first.sample_each(prompts):
                    del missing[completion.candidate_id]
                    yield completion
            except (BudgetReached, ContextTooLong):
                raise
            except ProposerError as error:
                self._failed = True
                self._tell(f"{error}; {self._second.name} takes over")
            else:
                return
        if not isinstance(self._second, ReportsCalls):
            for name in missing:
                self._on_call(name)
        yield from self._second.sample_each(missing)
