"""Eureka's evolution (Ma et al. 2023, algorithm 1): every generation mutates one parent, the best so far.

The original takes the best of the last generation by the maximum score over one training. Here the parent is the best
of all generations by the pooled estimate of its evaluations, unless `search.parent` asks for the original's rule. A
person's choice takes precedence over both.
"""

from __future__ import annotations

from collections.abc import Sequence

from eureka.config import Parent
from eureka.core.ids import generation_of
from eureka.core.types import Sample
from eureka.search.history import History
from eureka.search.methods.base import Method
from eureka.search.outcomes import Outcome, incumbent


class Greedy(Method):
    """One parent for all samples of a generation."""

    def propose(self, history: History) -> Sequence[Sample]:
        """A person's reward to start from, then a generation's samples that mutate the parent."""
        if given := self.given(history):
            return given
        if self.has_asked(history):
            return []
        parent = self.parent(history)
        return self.samples(history, self.facts(history, [parent] if parent else []))

    def parent(self, history: History) -> Outcome | None:
        """The candidate that a person called best after the previous generation; else the incumbent."""
        found = self.readable(history)
        before = history.generation - 1
        liked = next((said.best for said in reversed(history.feedback) if said.generation == before), None)
        if named := next((o for o in found if o.candidate.id == liked), None):
            return named
        latest = [o for o in found if generation_of(o.candidate.id) == before]
        return incumbent(latest if self.config.parent is Parent.best_of_generation and latest else found)
