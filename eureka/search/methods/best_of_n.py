"""No evolution: every generation asks anew, without feedback. What a search has to beat with as many answers."""

from __future__ import annotations

from collections.abc import Sequence

from eureka.core.types import Sample
from eureka.search.history import History
from eureka.search.methods.base import Method


class BestOfN(Method):
    """Independent answers to the first generation's prompt."""

    def propose(self, history: History) -> Sequence[Sample]:
        """A person's reward to start from, then samples whose prompt holds no feedback."""
        if given := self.given(history):
            return given
        if self.has_asked(history):
            return []
        return self.samples(history, self.task_facts(history))
