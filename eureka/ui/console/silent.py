"""A `Watcher` of `eureka.search.loop` that says nothing: for quiet mode, and a base for those that listen to little."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eureka.core.events import TrainingStarted
    from eureka.core.types import Completion, Prompt, Rejected
    from eureka.search import Outcome
    from eureka.trainers.base import TrainingEvent


class Silent:
    """Does nothing with what it is told."""

    def generation_started(self, generation: int, prompt: Prompt) -> None:
        """See `eureka.search.loop.Watcher`."""

    def answered(self, completion: Completion) -> None:
        """See `eureka.search.loop.Watcher`."""

    def rejected(self, rejected: Rejected) -> None:
        """See `eureka.search.loop.Watcher`."""

    def training_started(self, started: TrainingStarted) -> None:
        """See `eureka.search.loop.Watcher`."""

    def event(self, event: TrainingEvent) -> None:
        """See `eureka.search.loop.Watcher`."""

    def generation_finished(self, generation: int, outcomes: Sequence[Outcome], best: Outcome | None) -> None:
        """See `eureka.search.loop.Watcher`."""

    def confirmation_started(self, finalists: Sequence[str]) -> None:
        """See `eureka.search.loop.Watcher`."""
