"""What the trainings of a run gave, candidate by candidate."""

from __future__ import annotations

from eureka.core.types import TrainingResult
from eureka.search.greedy import Outcome
from eureka.search.preferences import preference_scores, score_of
from eureka.store import RunStore


def outcomes(store: RunStore, generation: int | None = None) -> list[Outcome]:
    """Every candidate that was trained to the end with all its seeds, in order of id."""
    preferences = preference_scores(store)
    results: dict[str, list[TrainingResult]] = {}
    for result in store.results(generation):
        results.setdefault(result.candidate_id, []).append(result)
    rejected = {rejected.candidate_id for rejected in store.rejections(generation)}
    return [
        Outcome(candidate, tuple(results[candidate.id]), score_of(candidate.id, preferences))
        for candidate in store.candidates(generation)
        if candidate.id in results and candidate.id not in rejected
    ]
