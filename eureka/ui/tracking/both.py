"""Two watchers of a run in the place of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eureka.search.loop import Watcher

if TYPE_CHECKING:
    from eureka.core.events import TrainingStarted
    from eureka.core.types import Completion, Prompt, Rejected
    from eureka.search import Outcome
    from eureka.trainers.base import TrainingEvent


class Both:
    """Tells both of everything, `first` first."""

    def __init__(self, first: Watcher, second: Watcher) -> None:
        self._watchers = (first, second)

    def generation_started(self, generation: int, prompt: Prompt) -> None:
        """See `eureka.search.loop.Watcher`."""
        for watcher in self._watchers:
            watcher.generation_started(generation, prompt)

    def answered(self, completion: Completion) -> None:
        """See `eureka.search.loop.Watcher`."""
        for watcher in self._watchers:
            watcher.answered(completion)

    def rejected(self, rejected: Rejected) -> None:
        """See `eureka.search.loop.Watcher`."""
        for watcher in self._watchers:
            watcher.rejected(rejected)

    def training_started(self, started: TrainingStarted) -> None:
        """See `eureka.search.loop.Watcher`."""
        for watcher in self._watchers:
            watcher.training_started(started)

    def event(self, event: TrainingEvent) -> None:
        """See `eureka.search.loop.Watcher`."""
        for watcher in self._watchers:
            watcher.event(event)

    def generation_finished(self, generation: int, outcomes: Sequence[Outcome], best: Outcome | None) -> None:
        """See `eureka.search.loop.Watcher`."""
        for watcher in self._watchers:
            watcher.generation_finished(generation, outcomes, best)

    def confirmation_started(self, finalists: Sequence[str]) -> None:
        """See `eureka.search.loop.Watcher`."""
        for watcher in self._watchers:
            watcher.confirmation_started(finalists)
