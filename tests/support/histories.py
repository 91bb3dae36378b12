"""The history of a run by its trainings alone."""

from __future__ import annotations

from collections.abc import Sequence

from eureka.core.training import TrainingLength, TrainingResult
from eureka.core.types import Candidate, Phase, Selection, TaskSpec
from eureka.search.history import Budget, History
from eureka.search.outcomes import by_candidate


def history_of(
    spec: TaskSpec, results: Sequence[TrainingResult], finished: int = 0, generations: int = 9, **changes: object
) -> History:
    """A search with these trainings, after so many generations; `changes` are further fields."""
    by_name = by_candidate(results)
    values: dict[str, object] = {
        "spec": spec,
        "budget": Budget(generations=generations, samples=2, length=TrainingLength(1000, 1, 1)),
        "seed": 0,
        "phase": Phase.SEARCH,
        "samples": {},
        "answers": {},
        "candidates": {name: Candidate(name, f"source of {name}", ("x",)) for name in by_name},
        "rejections": {},
        "every_rejection": (),
        "rewards": {},
        "results": by_name,
        "selections": tuple(Selection(generation=number) for number in range(1, finished + 1)),
    }
    return History(**{**values, **changes})  # type: ignore[arg-type]
