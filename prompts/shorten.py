"""Shorter facts for a prompt that is longer than the model takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eureka.core.types import PromptFacts, Reflection

POINTS_LEFT = 3
"""Of a Reflection's curves: their beginning, middle and end."""


def shortened(facts: PromptFacts, before: int) -> PromptFacts | None:
    """The facts with less in them, None where nothing is left to leave out.

    First the older half of the errors of earlier candidates goes, then all of them, most points of the curves, the
    reward that a person liked least and all that they said but the last.

    Args:
        before: how often they were shortened before.
    """
    reflection = _fewer_points(facts.reflection) if facts.reflection else None
    if before == 0 and len(facts.rejected) > 1:
        return replace(facts, rejected=facts.rejected[: len(facts.rejected) // 2])
    shorter = replace(
        facts,
        rejected=(),
        reflection=reflection,
        further_parents=tuple(map(_fewer_points, facts.further_parents)),
        feedback=facts.feedback[:1],
        worst_source="",
    )
    return None if shorter == facts else shorter


def _fewer_points(reflection: Reflection) -> Reflection:
    return replace(
        reflection,
        steps=tuple(int(step) for step in _few(reflection.steps)),
        metric_points=_few(reflection.metric_points),
        episode_length_points=_few(reflection.episode_length_points),
        total_points=_few(reflection.total_points),
        components=tuple(replace(c, points=_few(c.points)) for c in reflection.components),
    )


def _few(points: Sequence[float]) -> tuple[float, ...]:
    if len(points) <= POINTS_LEFT:
        return tuple(points)
    return (points[0], points[len(points) // 2], points[-1])
