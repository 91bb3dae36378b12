"""Turns training results into a Reflection, which is pure statistics. All wording is in `eureka.prompts`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from eureka.core.training import EpisodeTrace, TrainingResult
from eureka.core.types import Candidate, ComponentReflection, Reflection
from eureka.reward.analysis.diagnosis import of_training

NUM_POINTS = 10
_ALIKE = 0.02
"""Correlations with the episodes' scores are omitted if the scores' standard deviation is a smaller share of their
mean."""
_LEAST_PAIRS = 3
_CONSTANT = 1e-7
"""A standard deviation below this is rounding error."""


def reflect(candidate: Candidate, results: Sequence[TrainingResult], preference: float | None = None) -> Reflection:
    """Statistics of a candidate's trainings, pooled over its seeds (Eureka, Ma et al. 2023, section 3.3).

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
        metric_max=float(np.mean([r.best_score for r in results])) if preference is None else preference,
        metric_final=float(np.mean(finals)) if preference is None else preference,
        episode_length_points=points(_mean([_since_known(result.episode_length) for result in results])),
        total_points=points(_mean([result.total for result in results])),
        components=tuple(_component(name, results, judged=preference is None) for name in first.components),
        scores=tuple(finals) if preference is None else (),
        episodes=_episodes(results) if preference is None else (),
        trained_steps=min(result.trained_steps for result in results),
        action_std=_known_mean([result.action_std for result in results]),
    )
    return replace(reflection, diagnoses=of_training(reflection))


def _episodes(results: Sequence[TrainingResult]) -> tuple[EpisodeTrace, ...]:
    """All evaluation episodes. State fields are kept only for the typical episode of the training with the median
    score, and for the worst episode of any training.
    """
    median = sorted(results, key=lambda result: result.score)[len(results) // 2]
    recorded = [episode for result in results for episode in result.episodes if episode.fields]
    own = [episode for episode in median.episodes if episode.fields]
    shown = [max(own, key=lambda episode: episode.score)] if own else []
    shown += [min(recorded, key=lambda episode: episode.score)] if recorded else []
    return tuple(
        episode if any(episode is one for one in shown) else replace(episode, fields={})
        for result in results
        for episode in result.episodes
    )


def _correlation(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Pearson's correlation; None if either hardly varies, or there are fewer than three pairs."""
    pairs = np.array(list(zip(one, other, strict=False)), dtype=float).reshape(-1, 2)
    spread = pairs.std(axis=0) if len(pairs) else np.zeros(2)
    if len(pairs) < _LEAST_PAIRS or not np.isfinite(pairs).all() or (spread < _CONSTANT).any():
        return None
    return float(np.clip(np.corrcoef(pairs.T)[0, 1], -1.0, 1.0))


def points(curve: Sequence[float]) -> tuple[float, ...]:
    """The curve reduced to about ten points: means over `NUM_POINTS` stretches of equal length."""
    if not curve:
        return ()  # a trainer that records no curves
    parts = np.array_split(np.asarray(curve, dtype=float), min(NUM_POINTS, len(curve)))
    return tuple(float(part.mean()) for part in parts)


def _since_known(lengths: Sequence[float]) -> list[float]:
    """Lengths of episodes, with the leading zeros (before any episode had ended) replaced by the first known length."""
    first = next((length for length in lengths if length > 0.0), 0.0)
    return [length or first for length in lengths]


def _mean(curves: Sequence[Sequence[float]]) -> list[float]:
    shortest = min(len(curve) for curve in curves)
    return [float(value) for value in np.mean([curve[:shortest] for curve in curves], axis=0)]


def _component(name: str, results: Sequence[TrainingResult], *, judged: bool) -> ComponentReflection:
    """Statistics of one component over all seeds; correlations with the score only if a metric `judged` the
    episodes."""
    statistics = [result.statistics[name] for result in results]
    over_training = _known_mean([_correlation(result.components[name], result.metric) for result in results])
    with_change = _known_mean([result.change_correlation.get(name) for result in results])
    return ComponentReflection(
        name=name,
        points=points(_mean([result.components[name] for result in results])),
        mean=float(np.mean([s.mean for s in statistics])),
        minimum=min(s.minimum for s in statistics),
        maximum=max(s.maximum for s in statistics),
        std=float(np.mean([s.std for s in statistics])),
        variance_share=_known_mean([s.variance_share for s in statistics]),
        active_fraction=float(np.mean([s.active_fraction for s in statistics])),
        metric_correlation=_known_mean([s.metric_correlation for s in statistics]),
        score_correlation=over_training if judged else None,
        episode_correlation=_between_episodes(name, results) if judged else None,
        change_correlation=with_change if judged else None,
    )


def _between_episodes(name: str, results: Sequence[TrainingResult]) -> float | None:
    """The correlation of a component's mean in an episode with the episode's score, within the policies of the seeds.

    Each policy's own means are subtracted first: a difference between seeds says nothing of the component.
    """
    means: list[float] = []
    scores: list[float] = []
    size = 0.0
    for result in results:
        episodes = [episode for episode in result.episodes if name in episode.components]
        if episodes:
            of_seed = np.array([[episode.components[name], episode.score] for episode in episodes])
            size = max(size, abs(float(of_seed[:, 1].mean())))
            means += list(of_seed[:, 0] - of_seed[:, 0].mean())
            scores += list(of_seed[:, 1] - of_seed[:, 1].mean())
    differ = len(scores) > 1 and float(np.std(scores)) > _ALIKE * size
    return _correlation(means, scores) if differ else None


def _known_mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
