"""Trains the leading candidates of a generation again before the next generation builds on them.

A single seed says little of a reward, so the best of many candidates is mostly the luckiest one. Its further seeds are
drawn after it has become a leader, so they carry none of that luck, and the estimates of `eureka.search.estimates` put
it in its place. Algorithm configuration does the same with its incumbents (Hutter et al. 2011, "Sequential Model-Based
Optimization for General Algorithm Configuration", section 3: intensification).
"""

from __future__ import annotations

from eureka.core.training import TrainingJob
from eureka.search.history import History
from eureka.search.methods.base import to_the_end
from eureka.search.outcomes import estimated, ranked
from eureka.search.tuning import one_of_each_structure


def retrainings(history: History) -> list[TrainingJob]:
    """The trainings of the leading candidates with the generation's further seeds, except those already recorded.

    Empty in the last generation, whose finalists are trained with seeds of their own.
    """
    if history.generation >= history.budget.generations:
        return []
    # Ranked without these seeds, so that a run resumed in the middle of them trains the same candidates.
    before = ranked(estimated(outcome.without_seeds(history.leader_seeds) for outcome in history.outcomes))
    farthest = [outcome for outcome in before if outcome.num_evaluations == before[0].num_evaluations]
    leaders = one_of_each_structure(history, farthest)[: history.budget.retrained]
    return to_the_end(history, [leader.candidate.id for leader in leaders], lambda _: history.leader_seeds)
