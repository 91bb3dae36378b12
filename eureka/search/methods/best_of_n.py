"""No evolution: every generation asks with the first prompt again, without feedback. The baseline for other methods."""

from __future__ import annotations

from collections.abc import Sequence

from eureka.core.types import Sample
from eureka.search.history import History
from eureka.search.methods.base import Method


class BestOfN(Method):
    """Independent answers to the prompt of the first generation."""

    def propose(self, history: History) -> Sequence[Sample]:
        """A person's reward to start from, then samples whose prompt has no feedback."""
        if given := self.given(history):
            return given
        if self.has_asked(history):
            return []
        return self.samples(history, self.task_facts(history))
