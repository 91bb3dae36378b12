"""Training results -> Reflection: pure statistics. All wording is in `eureka.prompts`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from eureka.core.training import ComponentStatistics, TrainingResult
from eureka.core.types import Candidate, ComponentReflection, Reflection
from eureka.reward.analysis.diagnosis import of_training

NUM_POINTS = 10


def reflect(candidate: Candidate, results: Sequence[TrainingResult], preference: float | None = None) -> Reflection:
    """What training with this candidate showed, pooled over its seeds (Eureka, Ma et al. 2023, section 3.3).

    Args:
        results: one or more trainings of the candidate with the same schedule.
        preference: its score by a person's preferences, where the task has no metric.
    """
    first = results[0]
    metric = _mean([result.metric for result in results])
    finals = [result.score for result in results]
    reflection = Reflection(
        candidate_id=candidate.id,
        source=candidate.source,
        steps=tuple(int(value) for value in points(first.steps)),
        metric_points=points(metric) if preference is None else (),
        metric_max=max(result.best_score for result in results) if preference is None else preference,
        metric_final=float(np.mean(finals)) if preference is None else preference,
        episode_length_points=points(_mean([result.episode_length for result in results])),
        total_points=points(_mean([result.total for result in results])),
        components=tuple(
            _component(name, _mean([r.components[name] for r in results]), [r.statistics[name] for r in results])
            for name in first.components
        ),
        scores=tuple(finals) if preference is None else (),
        trained_steps=min(result.trained_steps for result in results),
    )
    return replace(reflection, diagnoses=of_training(reflection))


def points(curve: Sequence[float]) -> tuple[float, ...]:
    """About ten evenly spaced means: the curve cut in `NUM_POINTS` stretches, each averaged."""
    if not curve:
        return ()  # a trainer that tells of no curves
    parts = np.array_split(np.asarray(curve, dtype=float), min(NUM_POINTS, len(curve)))
    return tuple(float(part.mean()) for part in parts)


def _mean(curves: Sequence[Sequence[float]]) -> list[float]:
    shortest = min(len(curve) for curve in curves)
    return [float(value) for value in np.mean([curve[:shortest] for curve in curves], axis=0)]


def _component(name: str, curve: Sequence[float], statistics: Sequence[ComponentStatistics]) -> ComponentReflection:
    return ComponentReflection(
        name=name,
        points=points(curve),
        mean=float(np.mean([s.mean for s in statistics])),
        minimum=min(s.minimum for s in statistics),
        maximum=max(s.maximum for s in statistics),
        std=float(np.mean([s.std for s in statistics])),
        variance_share=_known_mean([s.variance_share for s in statistics]),
        active_fraction=float(np.mean([s.active_fraction for s in statistics])),
        metric_correlation=_known_mean([s.metric_correlation for s in statistics]),
    )


def _known_mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
