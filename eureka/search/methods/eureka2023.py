"""Eureka as published (Ma et al. 2023, algorithm 1 and appendix), as a baseline.

Every generation mutates the best candidate of the previous one. The score is the highest value of the task metric at
any time of a candidate's one training. The prompt has the parent's code and curves, and no other earlier candidates.
After `search.restart_every` generations a search begins anew with the first prompt, and the best of all of them is the
result: the publication's five runs of five generations of 16. Repairs, further seeds and other features that the
publication lacks are switched off by `preset=eureka2023`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from eureka.core.ids import generation_of
from eureka.core.training import TrainingResult
from eureka.core.types import Phase, PromptFacts, Selection
from eureka.search.history import History
from eureka.search.methods.greedy import Greedy
from eureka.search.outcomes import Outcome


class Eureka2023(Greedy):
    """Mutates the best of the last generation by the maximum over training; after a restart it has no parent."""

    def facts(self, history: History, parents: Sequence[Outcome] = (), failures: Sequence[Outcome] = ()) -> PromptFacts:
        """The facts of a prompt: the task, and the parent as the only earlier candidate."""
        del failures
        told = [self._reflection(history, parent) for parent in parents]
        return replace(self.task_facts(history), reflection=told[0] if told else None)

    def parent(self, history: History) -> Outcome | None:
        """The best of the newest generation since the restart that has a trained candidate."""
        since = self._first_of_restart(history.generation)
        for generation in range(history.generation - 1, since - 1, -1):
            trained = [o for o in self.readable(history) if generation_of(o.candidate.id) == generation]
            if trained:
                return highest(trained)
        return None

    def select(self, history: History) -> Selection:
        """Select the candidate with the highest score of all generations."""
        best = highest(history.outcomes) if history.outcomes else None
        ends = history.phase is not Phase.SEARCH
        return Selection(
            generation=history.generation - ends,
            phase=history.phase,
            best=best.candidate.id if best else None,
            stop=ends or self._reached_target(history),
        )

    def _first_of_restart(self, generation: int) -> int:
        every = self.config.restart_every or generation
        return generation - (generation - 1) % every


def highest(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome with the highest score, averaged over its trainings; ties go to the lowest id."""
    return max(outcomes, key=lambda o: (sum(map(maximum_over_training, o.results)) / len(o.results), -_place(o)))


def maximum_over_training(result: TrainingResult) -> float:
    """The highest value of the task metric during training; the final score if there is no curve."""
    return max(result.metric or result.checkpoint_scores or (result.score,))


def _place(outcome: Outcome) -> int:
    return generation_of(outcome.candidate.id)
