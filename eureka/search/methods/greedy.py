"""Eureka's evolution (Ma et al. 2023, algorithm 1): every generation mutates one parent, the best so far.

The original's parent is the best of the last generation, with a score that is the maximum over one training; here
it is the best of all by the pooled estimate of its evaluations, unless `parent` asks for the original's choice. A
person's choice goes before both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from eureka.core.ids import generation_of
from eureka.core.types import Sample
from eureka.search.history import History
from eureka.search.methods.base import Method, Services
from eureka.search.outcomes import Outcome

ParentChoice = Literal["best_so_far", "best_of_generation"]


class Greedy(Method):
    """One parent for all samples of a generation."""

    def __init__(self, services: Services, parent: ParentChoice = "best_so_far") -> None:
        super().__init__(services)
        self._parent = parent

    def propose(self, history: History) -> Sequence[Sample]:
        """A person's reward to start from, then a generation's samples that mutate the parent."""
        if given := self.given(history):
            return given
        if self.has_asked(history):
            return []
        parent = self.parent(history)
        return self.samples(history, self.facts(history, [parent] if parent else []))

    def parent(self, history: History) -> Outcome | None:
        """Whom a person called best after the generation before; else the incumbent."""
        found = self.readable(history)
        before = history.generation - 1
        liked = next((said.best for said in reversed(history.feedback) if said.generation == before), None)
        if named := next((o for o in found if o.candidate.id == liked), None):
            return named
        latest = [o for o in found if generation_of(o.candidate.id) == before]
        return self.incumbent(history, latest if self._parent == "best_of_generation" and latest else found)
